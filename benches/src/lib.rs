//! Data and measurement shared by the benchmarks.
