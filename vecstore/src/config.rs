//! What is fixed when a store is created.

use serde::{Deserialize, Serialize};

use crate::{Error, Metric, Result, RowFormat};

/// The largest number of components a vector may have.
pub const MAX_DIMENSION: usize = 65_536;

/// What is fixed when a store is created: the shape of its vectors and of its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    pub(crate) dimension: usize,
    pub(crate) metric: Metric,
    pub(crate) m: usize,
    pub(crate) ef_construction: usize,
    /// A MANIFEST written before there was a choice does not name it.
    #[serde(default)]
    pub(crate) rows: RowFormat,
}

impl Config {
    /// Vectors of `dimension` components compared by `metric`, with the usual graph parameters
    /// (M = 16, efConstruction = 200), kept as f32.
    pub fn new(dimension: usize, metric: Metric) -> Self {
        Self { dimension, metric, m: 16, ef_construction: 200, rows: RowFormat::F32 }
    }

    /// Sets M, the links a node gets on each layer, 2 to 128 (twice as many on the lowest).
    /// More links give more recall at the same `ef` and a larger file.
    #[must_use]
    pub fn with_m(self, m: usize) -> Self {
        Self { m, ..self }
    }

    /// Sets efConstruction, the number of candidates an insertion looks at, 1 to 10,000.
    /// More give a better graph and a slower build.
    #[must_use]
    pub fn with_ef_construction(self, ef_construction: usize) -> Self {
        Self { ef_construction, ..self }
    }

    /// Sets how the components of the vectors are kept: [`RowFormat::F16`] makes the file smaller by two
    /// bytes a component, and rounds what is inserted.
    #[must_use]
    pub fn with_rows(self, rows: RowFormat) -> Self {
        Self { rows, ..self }
    }

    /// The number of components of each vector.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// How vectors are compared.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// M: links per node and layer.
    pub fn m(&self) -> usize {
        self.m
    }

    /// efConstruction: candidates per insertion.
    pub fn ef_construction(&self) -> usize {
        self.ef_construction
    }

    /// How the components of the vectors are kept.
    pub fn rows(&self) -> RowFormat {
        self.rows
    }

    /// A vector to be inserted, checked and brought into the form that is kept.
    pub(crate) fn row(&self, vector: &[f32]) -> Result<Box<[f32]>> {
        let mut row = self.metric.prepare(vector, self.dimension)?;
        self.rows.round(&mut row)?;
        Ok(row)
    }

    pub(crate) fn validate(&self) -> Result<()> {
        let ranges = [
            ("dimension", self.dimension, 1, MAX_DIMENSION),
            ("m", self.m, 2, 128),
            ("ef_construction", self.ef_construction, 1, 10_000),
        ];
        for (name, got, min, max) in ranges {
            if !(min..=max).contains(&got) {
                return Err(Error::InvalidConfig { name, got, min, max });
            }
        }
        Ok(())
    }

    /// The most links a node keeps on `level` (Malkov & Yashunin 2018, section 4.1: M_max and M_max0).
    pub(crate) fn max_links(&self, level: usize) -> usize {
        if level == 0 { 2 * self.m } else { self.m }
    }
}

impl std::fmt::Display for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { dimension, metric, m, ef_construction, rows } = self;
        write!(
            f,
            "dimension {dimension}, metric {metric}, M {m}, efConstruction {ef_construction}, rows of {rows}"
        )
    }
}
