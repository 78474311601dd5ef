//! How long opening takes and how much memory a reader takes, at any size.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use vecstore::{Config, Metric, Query, Reader, Record, Store};

use crate::measure::{anonymous_memory, median};
use crate::{Report, Result, clustered};

const DIMENSION: usize = 32;
/// Opening is measured in this many processes, one after another, for each size.
const PROCESSES: usize = 15;
const CLUSTERS: usize = 1_000;
/// Queries that are drawn; they are asked again and again until there were enough searches.
const QUERIES: usize = 500;

/// Readers of stores of several sizes, each in a process of its own.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the stores are kept for the next time
    #[arg(long, default_value_os_t = std::env::temp_dir().join("vecstore-open"))]
    pub directory: PathBuf,
    /// Vectors in each store
    #[arg(long, num_args = 1.., default_values_t = [1_000, 10_000, 100_000, 1_000_000])]
    pub sizes: Vec<usize>,
    /// Searches of each reader
    #[arg(long, default_value_t = 10_000)]
    pub searches: usize,
}

/// The process that opens a store: not to be called by hand.
#[derive(Debug, clap::Args)]
pub struct ProbeArgs {
    store: PathBuf,
    searches: usize,
}

/// What was measured of one store.
#[derive(Debug)]
pub struct Figures {
    /// Vectors in the store.
    pub size: usize,
    /// Bytes of its segment.
    segment: u64,
    /// Microseconds of [`Reader::open`] in each process.
    opening: Vec<f64>,
    /// Bytes of anonymous memory of the whole process once the store was open, the most of all
    /// processes.
    pub opened: f64,
    /// The same after all searches.
    pub searched: f64,
}

/// Takes the figures. `program` is the `benches` command, which is started as the reader.
///
/// # Errors
///
/// Those of the stores and of starting a process.
pub fn measure(args: &Args, program: &Path) -> Result<Vec<Figures>> {
    args.sizes.iter().map(|&size| measure_size(args, program, size)).collect()
}

fn measure_size(args: &Args, program: &Path, size: usize) -> Result<Figures> {
    let store = args.directory.join(format!("{size}x{DIMENSION}"));
    if !store.exists() {
        build(&store, size)?;
    }
    let mut figures = Figures { size, segment: 0, opening: Vec::new(), opened: 0.0, searched: 0.0 };
    for entry in fs::read_dir(store.join("segments"))? {
        figures.segment += entry?.metadata()?.len();
    }
    for _ in 0..PROCESSES {
        let mut probe = Command::new(program);
        let output = probe.arg("open-probe").arg(&store).arg(args.searches.to_string()).output()?;
        let text = String::from_utf8(output.stdout)?;
        let numbers: Vec<f64> =
            text.split_whitespace().map(|word| Ok(word.parse()?)).collect::<Result<_>>()?;
        let &[opening, opened, searched] = numbers.as_slice() else {
            let error = String::from_utf8_lossy(&output.stderr);
            return Err(format!("the reader of {} failed: {error}", store.display()).into());
        };
        figures.opening.push(opening);
        figures.opened = figures.opened.max(opened);
        figures.searched = figures.searched.max(searched);
    }
    Ok(figures)
}

/// Builds a store under another name, so that one that was interrupted is not taken for it.
fn build(path: &Path, size: usize) -> Result<()> {
    let part = path.with_extension("part");
    if part.exists() {
        fs::remove_dir_all(&part)?;
    }
    // The graph is as thin as it may be: building takes minutes instead of an hour, and opening does
    // not know the difference.
    let config = Config::new(DIMENSION, Metric::Cosine).with_m(8).with_ef_construction(40);
    let store = Store::create(&part, config)?;
    let mut load = store.bulk_load();
    for (id, vector) in (0..).zip(clustered(size, DIMENSION, CLUSTERS, 1).iter()) {
        load.add(&Record::new(id, vector.to_vec()))?;
    }
    load.commit()?;
    drop(store);
    Ok(fs::rename(part, path)?)
}

/// The process that opens a store. Prints the microseconds of the opening, and the bytes of anonymous
/// memory of the process after it and after all searches.
///
/// # Errors
///
/// Those of the store.
pub fn probe(args: &ProbeArgs) -> Result<()> {
    let queries = clustered(QUERIES, DIMENSION, CLUSTERS, 1);
    let start = Instant::now();
    let reader = Reader::open(&args.store)?;
    let opening = start.elapsed();
    let opened = anonymous_memory()?;
    for query in queries.iter().cycle().take(args.searches) {
        reader.search(&Query::new(query, 10))?;
    }
    let searched = anonymous_memory()?;
    let micros = opening.as_secs_f64() * 1e6;
    println!("{micros} {opened} {searched}");
    Ok(())
}

/// The figures beside what is asked of them.
pub fn report(all: &[Figures]) -> Report {
    let mut report = Report::default();
    for figures in all {
        let Figures { size, segment, opening, opened, searched } = figures;
        report.figure(&format!("{size} vectors"), format!("{:.1} MB", *segment as f64 / 1e6));
        let slowest = opening.iter().copied().fold(0.0, f64::max);
        report.figure("  opening, slowest, in us", format!("{slowest:.0}"));
        report.at_most("  opening, median, in us", median(opening), 1_000.0);
        report.at_most("  anonymous memory of the process, opened, in MB", opened / 1e6, 10.0);
        report.at_most("  anonymous memory after all searches, in MB", searched / 1e6, 10.0);
    }
    if let [smallest, .., largest] = all {
        // O(1): a thousand times more vectors, and the same time but for noise.
        let ratio = median(&largest.opening) / median(&smallest.opening);
        report.at_most("opening, largest / smallest store", ratio, 2.0);
    }
    report
}
