//! Search against its price: recall and rate at each `ef`, and what building and opening take.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use vecstore::Metric;

use crate::measure::{anonymous_memory, cpu_time, disk_usage, median};
use crate::metric::MetricName;
use crate::xvecs::{read_fvecs, read_queries, read_truth};
use crate::{Result, Vectors, recall};

/// All queries are asked again and again until the process has worked for so long.
const CPU_SECONDS: f64 = 0.25;

/// What is measured: a library that keeps vectors on the disk, numbered as they were added.
pub trait Library: Sized {
    /// Builds an index of all vectors in a directory that is not there yet.
    ///
    /// # Errors
    ///
    /// Those of the library.
    fn build(directory: &Path, base: &Vectors, metric: Metric) -> Result<()>;

    /// Opens what was built.
    ///
    /// # Errors
    ///
    /// Those of the library.
    fn open(directory: &Path) -> Result<Self>;

    /// The number of vectors.
    fn count(&self) -> usize;

    /// The numbers of the `k` nearest vectors.
    ///
    /// # Errors
    ///
    /// Those of the library.
    fn search(&self, query: &[f32], k: usize, ef: usize) -> Result<Vec<u64>>;
}

/// Builds a store of the vectors in a file, opens it in another process, and asks queries on one
/// thread: recall against the truth, and queries per second of CPU time and of the clock.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The vectors, as fvecs
    #[arg(long)]
    base: PathBuf,
    /// The queries, as fvecs
    #[arg(long)]
    query: PathBuf,
    /// The numbers of the nearest vectors to each query, nearest first, as ivecs
    #[arg(long)]
    truth: PathBuf,
    /// How vectors are compared
    #[arg(long, value_enum)]
    metric: MetricName,
    /// How many of the nearest are searched for
    #[arg(short, default_value_t = 10)]
    k: usize,
    /// Candidates that a search keeps: one or several numbers
    #[arg(long, value_delimiter = ',', required = true)]
    ef: Vec<usize>,
    /// Leave out the `ef` that follow one with this recall
    #[arg(long, default_value_t = f64::INFINITY)]
    until: f64,
    /// Build the store here and keep it, or search the one that is here (default: a temporary folder)
    #[arg(long)]
    store: Option<PathBuf>,
    /// Be the process that searches the store: not to be called by hand
    #[arg(long, hide = true, requires = "store")]
    reader: bool,
}

/// Takes the figures and prints them.
///
/// # Errors
///
/// Those of files, of the store, and of starting a process.
pub fn run<L: Library>(args: &Args) -> Result<()> {
    if let (true, Some(store)) = (args.reader, &args.store) {
        return args.search::<L>(store);
    }
    let base = read_fvecs(&args.base)?;
    let queries = read_queries(&args.query, &base, &args.base)?;
    read_truth(&args.truth, args.k, base.len(), (&args.query, queries.len()))?;

    let temporary = tempfile::tempdir()?;
    let mut reader = Command::new(env::current_exe()?);
    reader.args(env::args_os().skip(1)).arg("--reader");
    let store = match &args.store {
        Some(store) => store.clone(),
        None => {
            let store = temporary.path().join("store");
            reader.arg("--store").arg(&store);
            store
        }
    };
    if !store.exists() {
        println!("build_cpu_s={:.3}", args.build::<L>(&store, &base)?);
    }
    println!("bytes_per_vector={:.1}", disk_usage(&store)? as f64 / base.len() as f64);
    drop((base, queries));
    match reader.status()? {
        status if status.success() => Ok(()),
        status => Err(format!("the process that searches ended with {status}").into()),
    }
}

impl Args {
    /// Builds the store; returns the seconds of CPU time that it took. The store gets its name when it
    /// is complete.
    fn build<L: Library>(&self, path: &Path, base: &Vectors) -> Result<f64> {
        let part = path.with_extension("part");
        if part.exists() {
            fs::remove_dir_all(&part)?;
        }
        let start = cpu_time();
        L::build(&part, base, self.metric.into())?;
        let seconds = (cpu_time() - start).as_secs_f64();
        fs::rename(part, path)?;
        Ok(seconds)
    }

    fn search<L: Library>(&self, store: &Path) -> Result<()> {
        let queries = read_fvecs(&self.query)?;
        let start = Instant::now();
        let library = L::open(store)?;
        let open = start.elapsed();
        let of = (self.query.as_path(), queries.len());
        let truth = read_truth(&self.truth, self.k, library.count(), of)?;

        let pass = |ef| -> Result<Vec<_>> {
            queries.iter().map(|query| library.search(query, self.k, ef)).collect()
        };
        let start = Instant::now();
        if let (Some(query), Some(&ef)) = (queries.iter().next(), self.ef.first()) {
            library.search(query, self.k, ef)?;
        }
        let first = start.elapsed();

        let mut lines = vec!["ef,recall,qps_per_cpu_s,qps_wall".to_owned()];
        for &ef in &self.ef {
            // The first pass brings the pages into memory.
            let recall = recall(&truth, &pass(ef)?);
            let (mut cpu, mut wall) = (Vec::new(), Vec::new());
            while cpu.iter().sum::<f64>() < CPU_SECONDS {
                let (start, begin) = (Instant::now(), cpu_time());
                pass(ef)?;
                cpu.push((cpu_time() - begin).as_secs_f64());
                wall.push(start.elapsed().as_secs_f64());
            }
            let [cpu, wall] = [cpu, wall].map(|of| queries.len() as f64 / median(&of));
            lines.push(format!("{ef},{recall:.5},{cpu:.1},{wall:.1}"));
            if recall >= self.until {
                break;
            }
        }
        println!("open_ms={:.3}", open.as_secs_f64() * 1e3);
        println!("first_query_ms={:.3}", first.as_secs_f64() * 1e3);
        println!("reader_anon_mb={:.2}", anonymous_memory()? as f64 / 1e6);
        lines.iter().for_each(|line| println!("{line}"));
        Ok(())
    }
}
