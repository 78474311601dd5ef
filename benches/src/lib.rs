//! Data and measurement shared by the benchmarks and the recall tests.

mod data;
mod truth;

pub use data::{Vectors, clustered};
pub use truth::{exact, recall};
