//! The hierarchical navigable small world graph: Y. Malkov and D. Yashunin, "Efficient and robust
//! approximate nearest neighbor search using Hierarchical Navigable Small World graphs", IEEE TPAMI
//! 2018 (arXiv 1603.09320). Algorithm numbers in this module are theirs.

mod accepted;
mod chunked;
mod insert;
mod links;
mod repair;
mod search;
mod visited;

pub(crate) use accepted::{look_around, search_accepted};
pub(crate) use chunked::Chunked;
pub(crate) use insert::{insert, level_of};
pub(crate) use links::{Links, NO_LINK};
pub(crate) use repair::repair;
pub(crate) use search::{Candidate, search};

/// More layers than any graph of fewer than 2^32 nodes needs, even with M = 2.
pub(crate) const MAX_LEVELS: usize = 32;

/// The most vectors that one graph numbers.
pub(crate) const MAX_SLOTS: usize = u32::MAX as usize - 1;

/// A graph that can be searched. Its nodes are *slots*, numbered from 0.
pub(crate) trait Graph {
    /// The number of slots.
    fn len(&self) -> usize;

    /// The slots below this are in the graph; a walk does not come to the others.
    fn linked(&self) -> usize {
        self.len()
    }

    /// Where every search starts: a slot of the highest layer, and that layer's number.
    fn entry(&self) -> Option<(u32, usize)>;

    /// The prepared vector in a slot, which must be below [`len`](Self::len).
    fn row(&self, slot: u32) -> &[f32];

    /// The distance between two prepared vectors.
    fn distance(&self, a: &[f32], b: &[f32]) -> f32;

    /// Calls `visit` with each slot that `slot` has a link to on `level`. A link may lead to a slot
    /// that is not below [`len`](Self::len): one that is just being added, or one read from a
    /// damaged file. Whoever follows links skips those.
    fn for_each_link(&self, slot: u32, level: usize, visit: impl FnMut(u32))
    where
        Self: Sized;
}

/// A graph that can grow.
pub(crate) trait GraphMut: Graph {
    /// The links of all slots and layers.
    fn links(&self) -> &Links;
}
