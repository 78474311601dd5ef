//! What a search asks for.

/// A search for the records whose vectors are nearest to one vector.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    pub(crate) vector: &'a [f32],
    pub(crate) k: usize,
    pub(crate) ef: usize,
    pub(crate) distinct_groups: bool,
}

impl<'a> Query<'a> {
    /// The `k` records nearest to `vector`, at least 1. A store that holds `k` records returns `k`.
    pub fn new(vector: &'a [f32], k: usize) -> Self {
        Self { vector, k, ef: 100, distinct_groups: false }
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
}
