//! Metrics as they are named in commands.

use vecstore::Metric;

/// How vectors are compared.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum MetricName {
    /// By the angle between them.
    Cosine,
    /// By their inner product.
    InnerProduct,
    /// By the square of their distance.
    SquaredEuclidean,
}

impl From<MetricName> for Metric {
    fn from(name: MetricName) -> Self {
        match name {
            MetricName::Cosine => Self::Cosine,
            MetricName::InnerProduct => Self::InnerProduct,
            MetricName::SquaredEuclidean => Self::SquaredEuclidean,
        }
    }
}
