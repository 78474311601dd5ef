//! What the `ann` command measures of vecstore, of hannoy; same options, same output. It builds on
//! as many threads as `RAYON_NUM_THREADS` says.

use std::path::Path;
use std::process::ExitCode;

use benches::ann::{self, Library};
use benches::{Result, Vectors};
use clap::Parser;
use hannoy::distances::Cosine;
use hannoy::{Database, Reader, Writer};
use heed::{CommitOrAbort, Env, EnvOpenOptions, RoTxn, WithTls};
use rand::SeedableRng;
use rand::rngs::StdRng;
use vecstore::Metric;

/// LMDB reserves addresses for so much.
const MAP_SIZE: usize = 16 << 30;
const M: usize = 16;
const EF_CONSTRUCTION: usize = 200;

/// Recall and rate of hannoy at each `ef`, and what building and opening take.
#[derive(Parser)]
#[command(name = "hannoy-ann")]
struct Command {
    #[command(flatten)]
    args: ann::Args,
}

struct Hannoy {
    transaction: RoTxn<'static, WithTls>,
    reader: Reader<'static, Cosine>,
}

/// The environment lives as long as the process.
fn environment(directory: &Path) -> Result<&'static Env> {
    // SAFETY: no other process has the files, and nobody changes them but LMDB.
    let env = unsafe { EnvOpenOptions::new().map_size(MAP_SIZE).open(directory) }?;
    Ok(Box::leak(Box::new(env)))
}

impl Library for Hannoy {
    fn build(directory: &Path, base: &Vectors, metric: Metric) -> Result<()> {
        if metric != Metric::Cosine {
            return Err("only the cosine is measured of hannoy".into());
        }
        std::fs::create_dir(directory)?;
        let env = environment(directory)?;
        let transaction = env.write_txn()?;
        let database: Database<'_, Cosine> = env
            .create_databases_and_commit(transaction, |options, transaction| {
                options.create_database(transaction, None).map(CommitOrAbort::<_, ()>::Commit)
            })?
            .unwrap_commit();
        let mut transaction = env.write_txn()?;
        let writer = Writer::<Cosine>::new(database, 0, base.dimension);
        for (id, vector) in (0..).zip(base.iter()) {
            writer.add_item(&mut transaction, id, vector)?;
        }
        let mut random = StdRng::seed_from_u64(1);
        let mut builder = writer.builder(&mut random);
        builder.ef_construction(EF_CONSTRUCTION).build::<M, { 2 * M }>(&mut transaction)?;
        Ok(transaction.commit()?)
    }

    fn open(directory: &Path) -> Result<Self> {
        let env = environment(directory)?;
        let database: Option<Database<'_, Cosine>> = env
            .open_databases_and_commit(env.read_txn()?, |options, transaction| {
                options.open_database(transaction, None).map(CommitOrAbort::<_, ()>::Commit)
            })?
            .unwrap_commit();
        let database = database.ok_or("the database of vectors is missing")?;
        let transaction = env.read_txn()?;
        let reader = Reader::open(&transaction, 0, database)?;
        Ok(Self { transaction, reader })
    }

    fn count(&self) -> usize {
        self.reader.n_items() as usize
    }

    fn search(&self, query: &[f32], k: usize, ef: usize) -> Result<Vec<u64>> {
        let found = self.reader.nns(k).ef_search(ef).by_vector(&self.transaction, query)?;
        Ok(found.into_nns().into_iter().map(|(id, _)| id.into()).collect())
    }
}

fn main() -> ExitCode {
    match ann::run::<Hannoy>(&Command::parse().args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hannoy-ann: {error}");
            ExitCode::FAILURE
        }
    }
}
