//! Searches with filters beside the same searches without.

use vecstore::{Config, Filter, Metric, Query, Reader, Record, Store};

use crate::measure::{cpu_time, median};
use crate::{Report, Result, Vectors, clustered, exact, recall};

const K: usize = 10;

/// The shares of all records that the filters accept.
const SHARES: [f64; 4] = [0.5, 0.1, 0.01, 0.001];

/// Searches with filters that accept 50, 10, 1 and 0.1 % of all records, beside the same searches
/// without, in turns: recall and queries per CPU-second.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Records
    #[arg(long, default_value_t = 100_000)]
    count: usize,
    /// Components of each vector
    #[arg(long, default_value_t = 128)]
    dimension: usize,
    /// Candidates that a search keeps
    #[arg(long, default_value_t = 100)]
    ef: usize,
    /// Queries
    #[arg(long, default_value_t = 300)]
    queries: usize,
    /// Turns
    #[arg(long, default_value_t = 7)]
    turns: usize,
}

/// A figure for each record; those with the lowest figures are accepted.
type Kind = fn(u64, &[f32]) -> f32;

/// How the accepted records lie to the queries.
const KINDS: [(&str, Kind); 3] = [
    ("anywhere", |id, _| mixed(id)),
    ("around the query", |_, vector| -vector[0]),
    ("far from the query", |_, vector| vector[0]),
];

/// Takes the figures.
///
/// # Errors
///
/// Those of the store.
pub fn run(args: &Args) -> Result<Report> {
    let &Args { count, dimension, ef, queries, turns } = args;
    let mut base = clustered(count + 20 * queries, dimension, 100, 5);
    let candidates = base.split_off(count);
    // The queries lie where the first component is high.
    let mut highest: Vec<_> = candidates.iter().collect();
    highest.sort_by(|a, b| b[0].total_cmp(&a[0]));
    let queries = Vectors::new(dimension, highest[..queries].concat());

    let accepted: Vec<(String, Vec<u64>)> = KINDS
        .iter()
        .flat_map(|(kind, figure)| {
            let mut ids: Vec<_> =
                (0..).zip(base.iter()).map(|(id, v)| (figure(id, v), id)).collect();
            ids.sort_by(|a, b| a.0.total_cmp(&b.0));
            SHARES.map(|share| {
                let mut ids: Vec<u64> =
                    ids[..(share * count as f64) as usize].iter().map(|&(_, id)| id).collect();
                ids.sort_unstable();
                (format!("{} % {kind}", share * 100.0), ids)
            })
        })
        .collect();

    let directory = tempfile::tempdir()?;
    let store = Store::create(directory.path(), Config::new(dimension, Metric::SquaredEuclidean))?;
    let mut load = store.bulk_load();
    for (id, vector) in (0..).zip(base.iter()) {
        let has = |ids: &[u64]| ids.binary_search(&id).is_ok();
        let tags = accepted.iter().filter(|(_, ids)| has(ids)).map(|(tag, _)| tag);
        load.add(&Record::new(id, vector.to_vec()).with_tags(tags))?;
    }
    load.commit()?;
    drop(store);
    let reader = Reader::open(directory.path())?;

    let vectors: Vec<_> = base.iter().collect();
    let mut report = Report::default();
    for (tag, ids) in &accepted {
        let filter = Filter::tag(tag);
        let search = |filtered: bool| -> Result<(f64, Vec<Vec<u64>>)> {
            let start = cpu_time();
            let found = queries.iter().map(|query| {
                let query = Query::new(query, K).ef(ef);
                let query = if filtered { query.filter(&filter) } else { query };
                Ok(reader.search(&query)?.iter().map(|hit| hit.id).collect())
            });
            let found = found.collect::<Result<Vec<_>>>()?;
            Ok(((cpu_time() - start).as_secs_f64(), found))
        };
        let mut ratios = Vec::new();
        for _ in 0..turns {
            let ((unfiltered, _), (filtered, _)) = (search(false)?, search(true)?);
            ratios.push(unfiltered / filtered);
        }
        let rows = ids.iter().flat_map(|&id| vectors[id as usize]).copied().collect();
        let mut truth =
            exact(&Vectors::new(dimension, rows), &queries, Metric::SquaredEuclidean, K);
        truth.iter_mut().flatten().for_each(|place| *place = ids[*place as usize]);
        report.at_least(&format!("recall@10, {tag}"), recall(&truth, &search(true)?.1), 0.95);
        report.at_least(&format!("rate / unfiltered rate, {tag}"), median(&ratios), 0.5);
    }
    Ok(report)
}

/// A number that looks random, from an id.
fn mixed(id: u64) -> f32 {
    (id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f32
}
