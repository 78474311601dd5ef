//! The index microservice: collections of vectors over HTTP, each a vecstore in a folder of its own.
//!
//! A request takes this way: `metrics` counts it, `keys` admits it, `json` reads its body, `collections` finds the store, and `catalog`, `records`, `search` or `snapshot` answers.

mod app;
mod catalog;
mod collections;
mod json;
mod keys;
mod metadata;
mod metrics;
mod name;
mod records;
mod search;
mod settings;
mod snapshot;
mod vector;

pub use app::{NotServing, serve};
pub use settings::Settings;

pub(crate) use records::Item;
pub(crate) use vector::as_base64;
