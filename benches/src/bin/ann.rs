//! Search against its price: `ann --base B.fvecs --query Q.fvecs --truth T.ivecs --metric cosine --ef 10,20`.

use std::path::Path;
use std::process::ExitCode;

use benches::ann::{self, Library};
use benches::{Result, Vectors};
use clap::{Parser, ValueEnum};
use vecstore::{Config, Metric, Query, Reader, Record, RowFormat, Store};

/// Recall and rate of vecstore at each `ef`, and what building and opening take.
#[derive(Parser)]
#[command(name = "ann")]
struct Command {
    #[command(flatten)]
    args: ann::Args,
    /// How the components of vectors are kept
    #[arg(long, value_enum, default_value = "f32")]
    rows: Rows,
}

#[derive(Clone, Copy, ValueEnum)]
enum Rows {
    F32,
    F16,
}

struct Vecstore<const HALF: bool>(Reader);

impl<const HALF: bool> Library for Vecstore<HALF> {
    fn build(directory: &Path, base: &Vectors, metric: Metric) -> Result<()> {
        let rows = if HALF { RowFormat::F16 } else { RowFormat::F32 };
        let config = Config::new(base.dimension, metric).with_rows(rows);
        let store = Store::create(directory, config)?;
        let mut load = store.bulk_load();
        for (id, vector) in (0..).zip(base.iter()) {
            load.add(&Record::new(id, vector.to_vec()))?;
        }
        Ok(load.commit()?)
    }

    fn open(directory: &Path) -> Result<Self> {
        Ok(Self(Reader::open(directory)?))
    }

    fn count(&self) -> usize {
        self.0.len()
    }

    fn search(&self, query: &[f32], k: usize, ef: usize) -> Result<Vec<u64>> {
        let hits = self.0.search(&Query::new(query, k).ef(ef))?;
        Ok(hits.iter().map(|hit| hit.id).collect())
    }
}

fn main() -> ExitCode {
    let Command { args, rows } = Command::parse();
    let result = match rows {
        Rows::F32 => ann::run::<Vecstore<false>>(&args),
        Rows::F16 => ann::run::<Vecstore<true>>(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ann: {error}");
            ExitCode::FAILURE
        }
    }
}
