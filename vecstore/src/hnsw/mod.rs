//! The hierarchical navigable small world graph: Y. Malkov and D. Yashunin, "Efficient and robust
//! approximate nearest neighbor search using Hierarchical Navigable Small World graphs", IEEE TPAMI
//! 2018 (arXiv 1603.09320). Algorithm numbers in this module are theirs.

mod accepted;
mod batch;
mod chunked;
mod connect;
mod insert;
mod links;
mod pool;
mod refine;
mod renew;
mod repair;
mod search;
mod sift;
mod subgraph;
mod visited;

use std::borrow::Cow;

use crate::codes::{CodeTarget, SKETCHED, SketchTarget};
use crate::row::Row;

pub(crate) use accepted::{look_around, search_accepted};
pub(crate) use chunked::Chunked;
pub(crate) use insert::{insert, level_of};
pub(crate) use links::{Links, NO_LINK};
pub(crate) use refine::{refine, scan};
pub(crate) use renew::{renew, take_over};
pub(crate) use search::{Candidate, search};
pub(crate) use sift::sift;
pub(crate) use subgraph::{GrowingMembers, Members, Subgraph};

/// More layers than any graph of fewer than 2^32 nodes needs, even with M = 2.
pub(crate) const MAX_LEVELS: usize = 32;

/// The most vectors that one graph numbers.
pub(crate) const MAX_SLOTS: usize = u32::MAX as usize - 1;

/// A vector that slots are compared with, in the forms that graphs compare.
pub(crate) struct Target<'v> {
    pub(crate) row: Cow<'v, [f32]>,
    /// For a graph that keeps codes.
    pub(crate) code: Option<CodeTarget>,
}

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
    fn row(&self, slot: u32) -> Row<'_>;

    /// The distance of a slot from a target by the vector itself.
    fn distance(&self, target: &Target<'_>, slot: u32) -> f32;

    /// What slots are compared with to find those near a prepared vector.
    fn target<'v>(&self, row: &'v [f32]) -> Target<'v> {
        Target { row: row.into(), code: None }
    }

    /// Appends the distances of slots from a target, by their codes if the graph keeps codes.
    fn distances(&self, target: &Target<'_>, slots: &[u32], distances: &mut Vec<f32>) {
        self.distances_by_row(target, slots, distances);
    }

    /// Appends the distances of slots from a target by the vectors themselves.
    fn distances_by_row(&self, target: &Target<'_>, slots: &[u32], distances: &mut Vec<f32>) {
        distances.extend(slots.iter().map(|&slot| self.distance(target, slot)));
    }

    /// Whether the graph keeps sketches, and they pay on this processor.
    fn has_sketches(&self) -> bool {
        false
    }

    /// What the distances of a block of [`SKETCHED`] slots are at least, most probably; infinity for
    /// those that are not accepted. Gives the least of them.
    fn bounds(
        &self,
        _target: &SketchTarget,
        _block: usize,
        _accepted: u32,
        _bounds: &mut [f32; SKETCHED],
    ) -> f32 {
        f32::INFINITY
    }

    /// Calls `visit` with each slot that `slot` has a link to on `level`. A link may lead to a slot
    /// that is not below [`len`](Self::len): one that is just being added, or one read from a
    /// damaged file. Whoever follows links skips those.
    fn for_each_link(&self, slot: u32, level: usize, visit: impl FnMut(u32))
    where
        Self: Sized;

    /// Says that the distances of slots will be asked for soon.
    fn prefetch(&self, _slots: &[u32]) {}

    /// Says that the links of a slot will be asked for soon.
    fn prefetch_links(&self, _slot: u32, _level: usize) {}
}

/// A graph that can grow.
pub(crate) trait GraphMut: Graph {
    /// The links of all slots and layers.
    fn links(&self) -> &Links;

    /// What slots are compared with to find those near one of them.
    fn target_of(&self, slot: u32) -> Target<'_> {
        Target { row: self.row(slot).to_f32(), code: None }
    }
}

/// The slots that a slot has links to.
fn links_of<G: Graph>(graph: &G, slot: u32, level: usize) -> Vec<u32> {
    let mut links = Vec::new();
    graph.for_each_link(slot, level, |link| links.push(link));
    links
}
