//! What is left of recall, speed and space after much was deleted and inserted again.

use std::fs;
use std::path::{Path, PathBuf};

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use vecstore::{Config, Durability, Metric, Query, Reader, Record, Store};

use crate::measure::{cpu_time, disk_usage, median};
use crate::{Report, Result, Vectors, clustered, exact, recall};

/// The lower, the harder: at a high `ef` a damaged graph finds everything, too.
const EFS: [usize; 4] = [20, 40, 100, 200];
/// Nothing is asked of an `ef` at which the fresh store itself finds less than this.
const USEFUL: f64 = 0.8;
const K: usize = 10;
const BATCH: usize = 1_000;
/// So many, because what is asked of recall is about as fine as its error with a thousand.
const QUERIES: usize = 5_000;

/// A store in which half of all was deleted and inserted again, several times, beside a fresh one of
/// the same data.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the stores are made and removed again
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    pub directory: PathBuf,
    /// Vectors in the store
    #[arg(long, default_value_t = 50_000)]
    pub count: usize,
    /// Components of each vector
    #[arg(long, default_value_t = 128)]
    pub dimension: usize,
    /// How often half of them are deleted and inserted again
    #[arg(long, default_value_t = 4)]
    pub rounds: usize,
}

/// What was measured. Times are CPU time of the process, checkpoints included.
#[derive(Debug)]
pub struct Figures {
    /// For each `ef`: recall@10 of the fresh and of the churned store.
    pub recalls: Vec<(usize, f64, f64)>,
    /// The share of the vectors that no walk comes to, of the fresh and of the churned store.
    pub unreachable: (f64, f64),
    /// Bytes on the disk of the fresh and of the churned store.
    pub disk: (u64, u64),
    /// Vectors per CPU second into the fresh store, from the first on.
    fresh: f64,
    rounds: Vec<Round>,
}

/// Records per CPU second.
#[derive(Debug)]
struct Round {
    /// Without the repair of the graph, which is part of the checkpoint after the re-insertion.
    deletion: f64,
    again: f64,
    /// The same records into a fresh store of the same others: what the re-insertion would take if
    /// nothing had been deleted.
    fresh: f64,
}

/// Takes the figures.
///
/// # Errors
///
/// Those of the stores.
pub fn measure(args: &Args) -> Result<Figures> {
    let directory = tempfile::tempdir_in(&args.directory)?;
    let (fresh, churned) = (directory.path().join("fresh"), directory.path().join("churned"));
    let mut base = clustered(args.count + QUERIES, args.dimension, 20, 1);
    let queries = base.split_off(args.count);
    let mut records: Vec<_> =
        (0..).zip(base.iter()).map(|(id, vector)| Record::new(id, vector.to_vec())).collect();

    // Durability is not what is measured here: with it, waiting for the disk would take longest.
    let create = |path: &Path| -> Result<Store> {
        let store = Store::create(path, Config::new(args.dimension, Metric::Cosine))?;
        Ok(store.with_durability(Durability::OnFlush))
    };
    let store = create(&churned)?;
    insert(&store, &records)?;
    let mut rounds = Vec::new();
    let mut random = StdRng::seed_from_u64(2);
    for _ in 0..args.rounds {
        let (half, others) = records.partial_shuffle(&mut random, args.count / 2);
        let deletion = rate(half.len(), || {
            half.iter().try_for_each(|record| store.delete(record.id()).map(|_| ()))?;
            // What threads of sled have still to write belongs to the deletions.
            Ok(store.flush()?)
        })?;
        let again = rate(half.len(), || insert(&store, half))?;
        let beside = create(&fresh)?;
        insert(&beside, others)?;
        let fresh_rate = rate(half.len(), || insert(&beside, half))?;
        drop(beside);
        fs::remove_dir_all(&fresh)?;
        rounds.push(Round { deletion, again, fresh: fresh_rate });
    }
    drop(store);
    records.sort_unstable_by_key(Record::id);
    let store = create(&fresh)?;
    let fresh_rate = rate(records.len(), || insert(&store, &records))?;
    drop(store);

    let truth = exact(&base, &queries, Metric::Cosine, K);
    let disk = (disk_usage(&fresh)?, disk_usage(&churned)?);
    let (fresh, churned) = (Reader::open(&fresh)?, Reader::open(&churned)?);
    let recalls = EFS.into_iter().map(|ef| {
        let (fresh, churned) =
            (recall_of(&fresh, &queries, &truth, ef)?, recall_of(&churned, &queries, &truth, ef)?);
        Ok((ef, fresh, churned))
    });
    Ok(Figures {
        recalls: recalls.collect::<Result<_>>()?,
        unreachable: (unreachable(&fresh)?, unreachable(&churned)?),
        disk,
        fresh: fresh_rate,
        rounds,
    })
}

impl Figures {
    /// Prints the figures beside what is asked of them.
    pub fn report(&self) -> Report {
        let mut report = Report::default();
        for &(ef, fresh, churned) in &self.recalls {
            report.figure(&format!("recall@10 at ef {ef}, fresh"), format!("{fresh:.4}"));
            report.figure(&format!("recall@10 at ef {ef}, churned"), format!("{churned:.4}"));
            let lost = 100.0 * (fresh - churned);
            if fresh >= USEFUL {
                report.at_most(&format!("  lost at ef {ef}, in points"), lost, 0.5);
            } else {
                report.figure(&format!("  lost at ef {ef}, in points"), format!("{lost:.4}"));
            }
        }
        let (fresh, churned) = self.unreachable;
        report.figure("no walk comes to, fresh", format!("{fresh:.5}"));
        report.figure("no walk comes to, churned", format!("{churned:.5}"));
        let per_second = |rate: f64| format!("{rate:.0} per CPU second");
        report.figure("insertion into a fresh store, from the first on", per_second(self.fresh));
        for round in &self.rounds {
            report.figure("deletion of half", per_second(round.deletion));
            report.figure("insertion of it again", per_second(round.again));
            report.figure("  the same into a fresh store of the others", per_second(round.fresh));
        }
        let ratios: Vec<_> = self.rounds.iter().map(|round| round.again / round.fresh).collect();
        report.at_least("insertion again / the same into a fresh store", median(&ratios), 0.8);
        let again: Vec<_> = self.rounds.iter().map(|round| round.again).collect();
        let of_all = format!("{:.4}", median(&again) / self.fresh);
        report.figure("insertion again / a fresh store from the first on", of_all);
        let (fresh, churned) = (self.disk.0 as f64, self.disk.1 as f64);
        report.figure("disk, fresh", format!("{:.1} MB", fresh / 1e6));
        report.figure("disk, churned", format!("{:.1} MB", churned / 1e6));
        report.at_most("disk, churned / fresh", churned / fresh, 1.1);
        report
    }
}

fn insert(store: &Store, records: &[Record]) -> Result<()> {
    for batch in records.chunks(BATCH) {
        store.insert_batch(batch)?;
    }
    Ok(store.checkpoint()?)
}

/// How many a CPU second, of `count` that `work` does.
fn rate(count: usize, work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let before = cpu_time();
    work()?;
    Ok(count as f64 / (cpu_time() - before).as_secs_f64())
}

fn recall_of(reader: &Reader, queries: &Vectors, truth: &[Vec<u64>], ef: usize) -> Result<f64> {
    let found = queries.iter().map(|query| {
        let hits = reader.search(&Query::new(query, K).ef(ef))?;
        Ok(hits.iter().map(|hit| hit.id).collect())
    });
    Ok(recall(truth, &found.collect::<Result<Vec<_>>>()?))
}

fn unreachable(reader: &Reader) -> Result<f64> {
    let verified = reader.snapshot().verify()?;
    Ok(verified.unreachable as f64 / verified.vectors as f64)
}
