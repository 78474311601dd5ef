//! How many bytes are written for each byte of a vector.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use vecstore::{Config, Metric, Record, Store};

use crate::measure::bytes_written;
use crate::{Report, Result, Vectors, clustered};

/// The most times that a record is written to a segment while a store grows: each checkpoint writes
/// all there is, and comes when a quarter more is there, so the sizes of the segments are at most
/// those of 1 + 4/5 + (4/5)^2 + ... = 5 times the last.
const GROWING: f64 = 5.0;

/// The most times that a segment's worth is written for as many upserts: once for each quarter.
const UPSERTING: f64 = 4.0;

/// What is written to the disk for what is inserted: by puts, by batches, by a store that grows, and
/// by upserts.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the stores are made and removed again
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    directory: PathBuf,
    /// Vectors in the store that grows, which are then all replaced
    #[arg(long, default_value_t = 200_000)]
    count: usize,
    /// Components of each vector
    #[arg(long, default_value_t = 32)]
    dimension: usize,
    /// Single puts
    #[arg(long, default_value_t = 5_000)]
    singles: usize,
    /// Records of a batch
    #[arg(long, default_value_t = 1_000)]
    batch: usize,
}

/// Takes the figures.
///
/// # Errors
///
/// Those of the stores.
pub fn run(args: &Args) -> Result<Report> {
    let directory = tempfile::tempdir_in(&args.directory)?;
    // Thin graphs: how often records are written does not depend on them.
    let config = Config::new(args.dimension, Metric::Cosine).with_m(8).with_ef_construction(40);
    let vectors = clustered(args.count.max(args.singles), args.dimension, 100, 1);
    let records = Records { vectors: &vectors, batch: args.batch };
    let mut report = Report::default();

    let store = Store::create(directory.path().join("singles"), config)?;
    let single = Records { batch: 1, ..records };
    single.write(&store, args.singles)?.print(&mut report, "singles");
    drop(store);

    let store = Store::create(directory.path().join("grows"), config)?;
    let growing = records.write(&store, args.count)?;
    let segment = segments(store.path())?.values().sum::<u64>() as f64;
    report.figure("a segment / its vectors", format!("{:.2}", segment / growing.vectors as f64));
    growing.print(&mut report, "growing");
    report.at_most("growing: all segments / the last", growing.segments as f64 / segment, GROWING);
    let upserts = records.write(&store, args.count)?;
    upserts.print(&mut report, "upserts of all");
    report.at_most(
        "upserts: all segments / the last",
        upserts.segments as f64 / segment,
        UPSERTING,
    );
    Ok(report)
}

/// Bytes of vectors, and what was written for them.
struct Written {
    vectors: u64,
    segments: u64,
    total: u64,
}

impl Written {
    fn print(&self, report: &mut Report, name: &str) {
        let per_byte = |bytes: u64| format!("{:.2}", bytes as f64 / self.vectors as f64);
        let tail = self.total.saturating_sub(self.segments);
        report.figure(&format!("{name}: written by the tail / vectors"), per_byte(tail));
        report.figure(&format!("{name}: segments / vectors"), per_byte(self.segments));
        report.figure(&format!("{name}: in total / vectors"), per_byte(self.total));
    }
}

#[derive(Clone, Copy)]
struct Records<'a> {
    vectors: &'a Vectors,
    batch: usize,
}

impl Records<'_> {
    /// Inserts or replaces the first `count` records, and merges what is left in the tail.
    fn write(&self, store: &Store, count: usize) -> Result<Written> {
        let records = (0..).zip(self.vectors.iter()).take(count);
        let records: Vec<_> =
            records.map(|(id, vector)| Record::new(id, vector.to_vec())).collect();
        let before = bytes_written()?;
        let known = segments(store.path())?;
        let mut seen = HashMap::new();
        for batch in records.chunks(self.batch) {
            store.insert_batch(batch)?;
            // A checkpoint begins with a write, so none is missed.
            seen.extend(segments(store.path())?);
        }
        store.checkpoint()?;
        seen.extend(segments(store.path())?);
        seen.retain(|name, _| !known.contains_key(name));
        Ok(Written {
            vectors: 4 * (count * self.vectors.dimension) as u64,
            segments: seen.values().sum(),
            total: bytes_written()? - before,
        })
    }
}

/// The finished segments of a store, and how long they are.
fn segments(store: &Path) -> Result<HashMap<PathBuf, u64>> {
    let mut segments = HashMap::new();
    for entry in fs::read_dir(store.join("segments"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "seg") {
            // It may be removed at any moment.
            if let Ok(metadata) = fs::metadata(&path) {
                segments.insert(path, metadata.len());
            }
        }
    }
    Ok(segments)
}
