//! Searches of one store on two threads, beside the same on one.

use std::thread;
use std::time::Instant;

use vecstore::{Config, Metric, Query, Reader, Record, Store};

use crate::measure::{cpu_time, median};
use crate::{Report, Result, Vectors, clustered};

const K: usize = 10;

/// Searches on two threads beside the same on one, in turns: how many times as many a second, and the
/// CPU time of a search, which waiting for a CPU does not count in.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Vectors in the store
    #[arg(long, default_value_t = 200_000)]
    count: usize,
    /// Components of each vector
    #[arg(long, default_value_t = 128)]
    dimension: usize,
    /// Candidates that a search keeps
    #[arg(long, default_value_t = 64)]
    ef: usize,
    /// Queries of each thread in each turn
    #[arg(long, default_value_t = 5_000)]
    queries: usize,
    /// Turns
    #[arg(long, default_value_t = 15)]
    turns: usize,
}

/// Takes the figures.
///
/// # Errors
///
/// Those of the store.
pub fn run(args: &Args) -> Result<Report> {
    let mut base = clustered(args.count + args.queries, args.dimension, 200, 1);
    let queries = base.split_off(args.count);
    let directory = tempfile::tempdir()?;
    let store = Store::create(directory.path(), Config::new(args.dimension, Metric::Cosine))?;
    let mut load = store.bulk_load();
    for (id, vector) in (0..).zip(base.iter()) {
        load.add(&Record::new(id, vector.to_vec()))?;
    }
    load.commit()?;
    drop((store, base));
    let reader = Reader::open(directory.path())?;

    search(&reader, &queries, args.ef)?;
    let (mut rates, mut costs) = (Vec::new(), Vec::new());
    for _ in 0..args.turns {
        let [one, two] = [1, 2].map(|threads| on(threads, &reader, &queries, args.ef));
        let ((one, cost_of_one), (two, cost_of_two)) = (one?, two?);
        rates.push(two / one);
        costs.push(cost_of_two / cost_of_one);
    }
    let mut report = Report::default();
    report.at_least("searches a second, two threads / one", median(&rates), 1.9);
    report.at_most("CPU time of a search, two threads / one", median(&costs), 1.0 / 0.95);
    Ok(report)
}

/// Searches a second, and the seconds of CPU time of a search, if each of the threads asks all queries.
fn on(threads: usize, reader: &Reader, queries: &Vectors, ef: usize) -> Result<(f64, f64)> {
    let (start, begin) = (Instant::now(), cpu_time());
    thread::scope(|scope| {
        let running: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| search(reader, queries, ef))).collect();
        running
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| "a thread that searches panicked")?)
    })?;
    let searches = (threads * queries.len()) as f64;
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), (cpu_time() - begin).as_secs_f64());
    Ok((searches / seconds, cpu / searches))
}

fn search(reader: &Reader, queries: &Vectors, ef: usize) -> Result<()> {
    for query in queries.iter() {
        reader.search(&Query::new(query, K).ef(ef))?;
    }
    Ok(())
}
