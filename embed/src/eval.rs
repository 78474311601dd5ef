//! How good a pipeline is, measured on published benchmarks.

pub mod lfw;
mod verification;

pub use verification::{Pair, Verification};
