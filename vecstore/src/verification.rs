//! What a check of a whole store found.

/// What a check of a whole store found, where nothing was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification {
    /// Vectors in the segment.
    pub vectors: usize,
    /// Links of their graph, on all layers.
    pub links: usize,
    /// Vectors of the segment that no walk through the graph comes to. They are found where all
    /// vectors are compared, and by their ids; a few in ten thousand are usual for HNSW.
    pub unreachable: usize,
    /// Tags that have a graph of their own, because many records have them that lie apart from the others.
    pub tag_graphs: usize,
}
