//! Data sets as files: vectors, queries that are not among them, and what exact search finds.

use std::fs;
use std::path::{Path, PathBuf};

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::metric::MetricName;
use crate::xvecs::{read_fvecs, read_queries, write_fvecs, write_truth};
use crate::{Result, Vectors, clustered, exact};

/// Writes a data set: `base.fvecs`, `query.fvecs`, and in `truth.ivecs` the nearest of the base to
/// each query, nearest first, by exact search.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    source: Source,
    /// How vectors are compared
    #[arg(long, value_enum, default_value_t = MetricName::Cosine, global = true)]
    metric: MetricName,
    /// How many of the nearest are named for each query
    #[arg(short, default_value_t = 100, global = true)]
    k: usize,
    /// Queries, which are held out from the base
    #[arg(long, default_value_t = 1_000, global = true)]
    queries: usize,
}

#[derive(Debug, clap::Subcommand)]
enum Source {
    /// Clustered vectors of a seeded generator
    Clustered {
        directory: PathBuf,
        /// Vectors of the base
        #[arg(long, default_value_t = 200_000)]
        count: usize,
        /// Components of each vector
        #[arg(long, default_value_t = 128)]
        dimension: usize,
        /// Centres that the vectors lie around
        #[arg(long, default_value_t = 1_000)]
        clusters: usize,
    },
    /// The vectors of an fvecs file, in a seeded random order
    Split {
        file: PathBuf,
        directory: PathBuf,
        /// Vectors of the base, if not all that are left
        #[arg(long)]
        count: Option<usize>,
    },
    /// The truth alone, for a base and queries that are there
    Truth { base: PathBuf, query: PathBuf, truth: PathBuf },
}

/// Writes the files.
///
/// # Errors
///
/// Those of files, and if there are no vectors left beside the queries.
pub fn run(args: &Args) -> Result<()> {
    match &args.source {
        &Source::Clustered { ref directory, count, dimension, clusters } => {
            let vectors = clustered(count + args.queries, dimension, clusters, 1);
            args.write(directory, vectors)
        }
        Source::Split { file, directory, count } => {
            let vectors = read_fvecs(file)?;
            let mut rows: Vec<_> = vectors.iter().collect();
            rows.shuffle(&mut StdRng::seed_from_u64(1));
            rows.truncate(count.map_or(rows.len(), |count| count + args.queries));
            args.write(directory, Vectors::new(vectors.dimension, rows.concat()))
        }
        Source::Truth { base, query, truth } => {
            let vectors = read_fvecs(base)?;
            let queries = read_queries(query, &vectors, base)?;
            args.write_truth(truth, &vectors, &queries)
        }
    }
}

impl Args {
    /// Writes the last vectors as queries, the others as base, under another name until all is there.
    fn write(&self, directory: &Path, mut base: Vectors) -> Result<()> {
        let count = base.len().saturating_sub(self.queries);
        if count == 0 || self.queries == 0 {
            let (all, queries) = (base.len(), self.queries);
            return Err(format!("{queries} of {all} vectors cannot be held out").into());
        }
        if directory.exists() {
            return Err(format!("{} is there already", directory.display()).into());
        }
        let queries = base.split_off(count);
        let mut part = directory.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        fs::create_dir_all(&part)?;
        write_fvecs(&part.join("base.fvecs"), &base)?;
        write_fvecs(&part.join("query.fvecs"), &queries)?;
        self.write_truth(&part.join("truth.ivecs"), &base, &queries)?;
        Ok(fs::rename(part, directory)?)
    }

    fn write_truth(&self, path: &Path, base: &Vectors, queries: &Vectors) -> Result<()> {
        Ok(write_truth(path, &exact(base, queries, self.metric.into(), self.k))?)
    }
}
