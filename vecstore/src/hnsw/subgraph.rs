//! A graph of its own among some slots of another graph.

use super::{Candidate, Graph, GraphMut, Links, Target, search};
use crate::row::Row;

/// So many slots are compared at once.
const AT_ONCE: usize = 64;

/// The slots of a subgraph, which are numbered anew, and their links.
pub(crate) trait Members {
    fn len(&self) -> usize;

    /// The slot of the whole graph that a member is.
    fn slot(&self, member: u32) -> u32;

    /// As [`Graph::entry`], of members.
    fn entry(&self) -> Option<(u32, usize)>;

    /// As [`Graph::for_each_link`], of members.
    fn for_each_link(&self, member: u32, level: usize, visit: impl FnMut(u32));

    /// As [`Graph::prefetch_links`], of members.
    fn prefetch_links(&self, member: u32, level: usize);
}

/// A graph among some slots of another, which has their vectors.
pub(crate) struct Subgraph<'g, G, M> {
    pub(crate) whole: &'g G,
    pub(crate) members: M,
}

impl<G: Graph, M: Members> Subgraph<'_, G, M> {
    /// The slot of the whole graph that a member is.
    #[inline]
    pub(crate) fn slot(&self, member: u32) -> u32 {
        self.members.slot(member)
    }

    /// As [`search`], of slots of the whole graph.
    pub(crate) fn search(
        &self,
        target: &Target<'_>,
        ef: usize,
        accept: impl Fn(u32) -> bool,
    ) -> Option<Vec<Candidate>> {
        let accept = |member| accept(self.slot(member));
        let mut found = search(self, target, ef, usize::MAX, accept)?;
        found.iter_mut().for_each(|found| found.slot = self.slot(found.slot));
        Some(found)
    }

    /// Calls `work` with the slots that members are, some at once.
    #[inline]
    fn in_whole(&self, members: &[u32], mut work: impl FnMut(&[u32])) {
        for members in members.chunks(AT_ONCE) {
            let mut slots = [0; AT_ONCE];
            for (slot, &member) in slots.iter_mut().zip(members) {
                *slot = self.slot(member);
            }
            work(&slots[..members.len()]);
        }
    }
}

impl<G: Graph, M: Members> Graph for Subgraph<'_, G, M> {
    fn len(&self) -> usize {
        self.members.len()
    }

    fn entry(&self) -> Option<(u32, usize)> {
        self.members.entry()
    }

    #[inline]
    fn row(&self, member: u32) -> Row<'_> {
        self.whole.row(self.slot(member))
    }

    #[inline]
    fn distance(&self, target: &Target<'_>, member: u32) -> f32 {
        self.whole.distance(target, self.slot(member))
    }

    fn target<'v>(&self, row: &'v [f32]) -> Target<'v> {
        self.whole.target(row)
    }

    #[inline]
    fn distances(&self, target: &Target<'_>, members: &[u32], distances: &mut Vec<f32>) {
        self.in_whole(members, |slots| self.whole.distances(target, slots, distances));
    }

    #[inline]
    fn for_each_link(&self, member: u32, level: usize, visit: impl FnMut(u32)) {
        self.members.for_each_link(member, level, visit);
    }

    #[inline]
    fn prefetch(&self, members: &[u32]) {
        self.in_whole(members, |slots| self.whole.prefetch(slots));
    }

    #[inline]
    fn prefetch_links(&self, member: u32, level: usize) {
        self.members.prefetch_links(member, level);
    }
}

/// The members of a subgraph that grows.
pub(crate) struct GrowingMembers {
    pub(crate) slots: Vec<u32>,
    pub(crate) links: Links,
}

impl Members for GrowingMembers {
    fn len(&self) -> usize {
        self.slots.len()
    }

    #[inline]
    fn slot(&self, member: u32) -> u32 {
        self.slots[member as usize]
    }

    fn entry(&self) -> Option<(u32, usize)> {
        self.links.entry()
    }

    #[inline]
    fn for_each_link(&self, member: u32, level: usize, visit: impl FnMut(u32)) {
        self.links.for_each(member, level, visit);
    }

    #[inline]
    fn prefetch_links(&self, member: u32, level: usize) {
        self.links.prefetch(member, level);
    }
}

impl<G: GraphMut> GraphMut for Subgraph<'_, G, GrowingMembers> {
    fn links(&self) -> &Links {
        &self.members.links
    }

    fn target_of(&self, member: u32) -> Target<'_> {
        self.whole.target_of(self.slot(member))
    }
}
