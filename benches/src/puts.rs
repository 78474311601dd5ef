//! Durable writes, side by side with redb.

use std::path::PathBuf;
use std::time::Instant;

use redb::{Database, TableDefinition};
use vecstore::{Config, Metric, Record, Store};

use crate::measure::{cpu_time, median};
use crate::{Report, Result, clustered};

const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("vectors");

/// Durable puts of vecstore and redb, one at a time, and batches of vecstore: in turns, on the same
/// file system, of the same vectors.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the stores are made and removed again; a file system in memory syncs for nothing
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    directory: PathBuf,
    /// Components of each vector
    #[arg(long, default_value_t = 128)]
    dimension: usize,
    /// Turns
    #[arg(long, default_value_t = 50)]
    turns: usize,
    /// Single puts of each store in each turn
    #[arg(long, default_value_t = 200)]
    singles: usize,
    /// Records of the one batch in each turn
    #[arg(long, default_value_t = 1_000)]
    batch: usize,
}

/// Records per second of one kind of write in each turn, and its CPU time in microseconds a record.
#[derive(Debug, Default)]
struct Rates {
    per_second: Vec<f64>,
    cpu: Vec<f64>,
}

impl Rates {
    fn time(&mut self, records: usize, write: impl FnOnce() -> Result<()>) -> Result<()> {
        let (wall, cpu) = (Instant::now(), cpu_time());
        write()?;
        self.cpu.push((cpu_time() - cpu).as_secs_f64() * 1e6 / records as f64);
        self.per_second.push(records as f64 / wall.elapsed().as_secs_f64());
        Ok(())
    }

    fn print(&self, report: &mut Report, name: &str) {
        let (rate, cpu) = (median(&self.per_second), median(&self.cpu));
        report.figure(name, format!("{rate:.0} records/s, {cpu:.0} us CPU each"));
    }
}

/// Takes the figures.
///
/// # Errors
///
/// Those of the stores.
pub fn run(args: &Args) -> Result<Report> {
    let directory = tempfile::tempdir_in(&args.directory)?;
    let config = Config::new(args.dimension, Metric::Cosine);
    let singles = Store::create(directory.path().join("singles"), config)?;
    let batches = Store::create(directory.path().join("batches"), config)?;
    let redb = Database::create(directory.path().join("redb"))?;
    let vectors = clustered(args.turns * args.batch.max(args.singles), args.dimension, 50, 1);
    let records: Vec<_> =
        (0..).zip(vectors.iter()).map(|(id, vector)| Record::new(id, vector.to_vec())).collect();

    let (mut ours, mut theirs, mut batched) =
        (Rates::default(), Rates::default(), Rates::default());
    for turn in 0..args.turns {
        let records_of = |count: usize| &records[turn * count..(turn + 1) * count];
        theirs.time(args.singles, || {
            records_of(args.singles).iter().try_for_each(|record| put(&redb, record))
        })?;
        ours.time(args.singles, || {
            Ok(records_of(args.singles).iter().try_for_each(|record| singles.insert(record))?)
        })?;
        batched.time(args.batch, || Ok(batches.insert_batch(records_of(args.batch))?))?;
    }

    let mut report = Report::default();
    theirs.print(&mut report, "redb, single puts");
    ours.print(&mut report, "vecstore, single puts");
    batched.print(&mut report, &format!("vecstore, batches of {}", args.batch));
    // Of each turn, so that what else the machine does at that time falls on both sides.
    let ratio = |a: &Rates, b: &Rates| {
        let of_turns = a.per_second.iter().zip(&b.per_second).map(|(a, b)| a / b);
        median(&of_turns.collect::<Vec<_>>())
    };
    report.at_least("singles: vecstore / redb", ratio(&ours, &theirs), 1.0);
    report.figure("batches / redb's singles", format!("{:.1}", ratio(&batched, &theirs)));
    report.at_least("batches / vecstore's singles", ratio(&batched, &ours), 20.0);
    Ok(report)
}

/// One transaction of redb with its default durability.
fn put(redb: &Database, record: &Record) -> Result<()> {
    let transaction = redb.begin_write()?;
    let bytes: Vec<u8> = record.vector().iter().flat_map(|x| x.to_le_bytes()).collect();
    transaction.open_table(TABLE)?.insert(record.id(), bytes.as_slice())?;
    transaction.commit()?;
    Ok(())
}
