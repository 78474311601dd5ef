//! Search against its price: `ann --base B.fvecs --query Q.fvecs --truth T.ivecs --metric cosine --ef 10,20`.

use std::path::Path;
use std::process::ExitCode;

use benches::ann::{self, Library};
use benches::{Result, Vectors};
use clap::Parser;
use vecstore::{Config, Metric, Query, Reader, Record, Store};

/// Recall and rate of vecstore at each `ef`, and what building and opening take.
#[derive(Parser)]
#[command(name = "ann")]
struct Command {
    #[command(flatten)]
    args: ann::Args,
}

struct Vecstore(Reader);

impl Library for Vecstore {
    fn build(directory: &Path, base: &Vectors, metric: Metric) -> Result<()> {
        let store = Store::create(directory, Config::new(base.dimension, metric))?;
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
    match ann::run::<Vecstore>(&Command::parse().args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ann: {error}");
            ExitCode::FAILURE
        }
    }
}
