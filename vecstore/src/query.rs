//! What a search asks for.

use crate::Filter;

/// A search for the records whose vectors are nearest to one vector.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    pub(crate) vector: &'a [f32],
    pub(crate) k: usize,
    pub(crate) ef: usize,
    pub(crate) within: Option<f32>,
    pub(crate) distinct_groups: bool,
    pub(crate) filter: Option<&'a Filter<'a>>,
}

impl<'a> Query<'a> {
    /// The `k` records nearest to `vector`, at least 1. A store that holds `k` records returns `k`.
    pub fn new(vector: &'a [f32], k: usize) -> Self {
        Self { vector, k, ef: 100, within: None, distinct_groups: false, filter: None }
    }

    /// All records at least as near to `vector` as `score` says, in the terms of the store's
    /// [`Metric`](crate::Metric): a cosine or inner product of at least `score`, or a squared
    /// Euclidean distance of at most `score`.
    pub fn within(vector: &'a [f32], score: f32) -> Self {
        Self { within: Some(score), ..Self::new(vector, usize::MAX) }
    }

    /// Sets ef, the number of candidates kept while walking the graph (default 100, at least `k`).
    /// A higher one finds more of the true nearest and takes longer.
    #[must_use]
    pub fn ef(self, ef: usize) -> Self {
        Self { ef, ..self }
    }

    /// Finds the `k` nearest *groups* instead, each by its nearest member: a person with thirty
    /// portraits takes one place. A record without a group counts as a group of its own.
    #[must_use]
    pub fn distinct_groups(self) -> Self {
        Self { distinct_groups: true, ..self }
    }

    /// Returns only records that pass a filter, and `k` of them whenever `k` pass.
    #[must_use]
    pub fn filter(self, filter: &'a Filter<'a>) -> Self {
        Self { filter: Some(filter), ..self }
    }
}
