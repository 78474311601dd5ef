//! Data and measurement shared by the benchmarks and the recall tests, and the figures of vecstore
//! that the `benches` command prints.

pub mod amplification;
pub mod ann;
pub mod churn;
mod data;
pub mod dataset;
pub mod filters;
mod measure;
mod metric;
pub mod open;
pub mod puts;
mod report;
pub mod soak;
pub mod threads;
mod truth;
pub mod xvecs;

pub use data::{Vectors, clustered};
pub use report::Report;
pub use truth::{exact, recall};

/// What goes wrong while figures are taken: of the store, of its peers, of the system.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
