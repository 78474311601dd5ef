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
//! It knows nothing of where vectors come from, has no server, and needs none.

#[cfg(target_endian = "big")]
compile_error!("segments are mapped as little-endian numbers");

mod config;
mod dir;
mod error;
mod filter;
mod hnsw;
mod manifest;
mod matcher;
mod metric;
mod part;
mod plan;
mod query;
mod reader;
mod record;
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
pub use snapshot::Snapshot;
pub use store::{BulkLoad, Durability, Store};
pub use verification::Verification;

/// The example in the README, compiled and run with the documentation's tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
