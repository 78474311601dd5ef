//! Durable writes, side by side with redb.

use std::path::PathBuf;
use std::time::Instant;

use redb::{Database, TableDefinition};
use vecstore::{Config, Metric, Record, Store};

use crate::measure::median;
use crate::{Report, Result, clustered};

const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("vectors");

/// Durable puts of vecstore and redb, one at a time, in turns; then batches of vecstore: on the same
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
    /// Records of a batch; there are as many batches as turns
    #[arg(long, default_value_t = 1_000)]
    batch: usize,
}

/// Records per second of one kind of write in each turn.
#[derive(Debug, Default)]
struct Rates(Vec<f64>);

impl Rates {
    fn time(&mut self, records: usize, write: impl FnOnce() -> Result<()>) -> Result<()> {
        let start = Instant::now();
        write()?;
        self.0.push(records as f64 / start.elapsed().as_secs_f64());
        Ok(())
    }

    fn print(&self, report: &mut Report, name: &str) {
        // The mean of all turns is that of the time they took, so stalls show in it.
        let mean = self.0.len() as f64 / self.0.iter().map(|rate| 1.0 / rate).sum::<f64>();
        let rates = format!("{:.0} records/s, {mean:.0} over all turns", median(&self.0));
        report.figure(name, rates);
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
        let records = &records[turn * args.singles..][..args.singles];
        theirs.time(args.singles, || records.iter().try_for_each(|record| put(&redb, record)))?;
        ours.time(args.singles, || {
            Ok(records.iter().try_for_each(|record| singles.insert(record))?)
        })?;
    }
    // Afterwards, so that merging the batches is no burden to the others.
    for batch in records.chunks(args.batch).take(args.turns) {
        batched.time(batch.len(), || Ok(batches.insert_batch(batch)?))?;
    }

    let start = Instant::now();
    batches.checkpoint()?;
    let merging = start.elapsed().as_secs_f64();

    let mut report = Report::default();
    theirs.print(&mut report, "redb, single puts");
    ours.print(&mut report, "vecstore, single puts");
    batched.print(&mut report, &format!("vecstore, batches of {}", args.batch));
    report.figure("a checkpoint of the batches afterwards", format!("{merging:.1} s"));
    // Of each turn, so that what else the machine does at that time falls on both sides.
    let turns = ours.0.iter().zip(&theirs.0).map(|(ours, theirs)| ours / theirs);
    report.at_least("singles: vecstore / redb", median(&turns.collect::<Vec<_>>()), 1.0);
    let [ours, theirs, batched] = [ours, theirs, batched].map(|rates| median(&rates.0));
    report.at_least("batches / redb's singles", batched / theirs, 20.0);
    // Not asked for: the faster single puts are, the lower it is.
    report.figure("batches / vecstore's singles", format!("{:.4}", batched / ours));
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
