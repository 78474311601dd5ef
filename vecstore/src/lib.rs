//! An embedded, durable, on-disk HNSW vector store.
//!
//! A [`Store`] is a directory that one process writes to: a write that returned has reached the
//! disk. A [`Reader`] opens the last checkpoint of that directory (or a single segment file) by
//! mapping it into memory, in any number of processes, whatever its size, without locks.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use vecstore::{Config, Metric, Query, Reader, Record, Store};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Portrait {
//!     file: String,
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("faces.vecstore");
//! let store = Store::create(&path, Config::new(3, Metric::Cosine))?;
//! let portrait = Portrait { file: "ada.jpg".into() };
//! store.insert(&Record::new(1, vec![0.9, 0.1, 0.0]).with_group("Ada").with_payload(&portrait)?)?;
//! store.insert(&Record::new(2, vec![0.0, 1.0, 0.0]).with_group("Bob"))?;
//!
//! let hits = store.search(&Query::new(&[1.0, 0.0, 0.0], 2).distinct_groups())?;
//! assert_eq!(hits[0].id, 1);
//! assert_eq!(hits[0].payload::<Portrait>()?.unwrap().file, "ada.jpg");
//!
//! store.checkpoint()?; // from now on readers of other processes see it, too
//! assert_eq!(Reader::open(&path)?.len(), 2);
//! # Ok(())
//! # }
//! ```
//!
//! # Where to go on
//!
//! - [`Query`]: the nearest records, the nearest groups, all within a score, how wide to look.
//! - [`Filter`]: only records with certain tags, or those that a function accepts.
//! - [`Store`]: writing, one by one, in batches, or by a [`BulkLoad`]; [`Snapshot`]: reading what
//!   stays as it is. [`Reader`]: reading in other processes.
//! - [`Snapshot::verify`]: whether a file is whole.
//!
//! Each of these examples is a page, and runs with `cargo run -p vecstore --example NAME`:
//! `quick_start`, `filters_and_groups`, `concurrent_readers`, and `lambda_snapshot`, which ships a
//! segment file alone. The example `vecstore` is a command that looks into stores and moves vectors in
//! and out of them (`-- help`). The files are described in `FORMAT.md`; `COMPARISON.md` says what other
//! stores and indexes do better, and what they do not do.
//!
//! # What is promised
//!
//! - A write that returned is on the disk, batches as a whole: it survives a crash and a power loss,
//!   unless [`Durability::OnFlush`] was chosen. After an error of the disk a store refuses writes
//!   until it is opened again.
//! - A segment's pages have checksums, which are compared when they are first read. Damage is an
//!   [`Error`] that names the file, and so is a file of a newer version; older ones are read.
//! - A snapshot never changes, and reading never waits for the disk or a checkpoint of the writer.
//! - A search returns `k` results whenever `k` records match. Which of them are the nearest is
//!   approximate in larger stores: [`Query::ef`] trades time for recall.
//!
//! # Limits
//!
//! - One process writes to a store at a time. Nobody else may change or truncate its files.
//! - [`MAX_DIMENSION`] components, f32 or, as [`RowFormat`] says, f16; [`MAX_PAYLOAD_BYTES`], [`MAX_TAGS`], [`MAX_TAG_BYTES`] and
//!   [`MAX_GROUP_BYTES`] for what goes with a vector.
//! - What was written since the last checkpoint is kept in memory too. A bulk load builds
//!   its graph on all processors, a checkpoint on one.
//! - Damage to what was written to the log since the store was last opened looks like a write that a
//!   crash cut short: it and all that follows in the log is dropped. Checkpoints keep the log short.
//! - Little-endian machines; tested on Linux.
//!
//! It knows nothing of where vectors come from, has no server, and needs none.

#[cfg(target_endian = "big")]
compile_error!("segments are mapped as little-endian numbers");

mod codes;
mod config;
mod dir;
mod error;
mod filter;
mod hnsw;
mod manifest;
mod matcher;
mod metric;
mod mix;
mod part;
mod plan;
mod query;
mod reader;
mod record;
mod row;
mod segment;
mod slot_set;
mod snapshot;
mod store;
mod tail;
mod verification;

pub use config::{Config, MAX_DIMENSION};
pub use error::{Error, Result};
pub use filter::{Filter, RecordRef};
pub use metric::Metric;
pub use query::Query;
pub use reader::Reader;
pub use record::{Hit, MAX_GROUP_BYTES, MAX_PAYLOAD_BYTES, MAX_TAG_BYTES, MAX_TAGS, Record};
pub use row::RowFormat;
pub use snapshot::Snapshot;
pub use store::{BulkLoad, Durability, Store};
pub use verification::Verification;

/// The example in the README, compiled and run with the documentation's tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
