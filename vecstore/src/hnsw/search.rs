//! Walking the graph towards a query (Algorithms 2 and 5).

use std::cell::Cell;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::Graph;
use super::visited::Visited;

/// A slot and its distance from the query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) distance: f32,
    pub(crate) slot: u32,
}

impl Eq for Candidate {}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.distance.total_cmp(&other.distance).then(self.slot.cmp(&other.slot))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Working memory of a search, kept by each thread from one search to the next.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) visited: Visited,
    /// Still to be expanded, nearest first.
    pub(super) frontier: BinaryHeap<Reverse<Candidate>>,
    pub(super) links: Vec<u32>,
    pub(super) bridges: Vec<u32>,
}

impl Scratch {
    /// Runs `work` with this thread's scratch memory; a search inside a search gets its own.
    pub(super) fn with<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        thread_local! { static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) } }
        let mut scratch = SCRATCH.take().unwrap_or_default();
        let result = work(&mut scratch);
        SCRATCH.set(Some(scratch));
        result
    }
}

/// The best `ef` candidates so far.
pub(super) struct Best {
    ef: usize,
    /// Farthest first.
    heap: BinaryHeap<Candidate>,
}

impl Best {
    pub(super) fn new(ef: usize) -> Self {
        Self { ef, heap: BinaryHeap::new() }
    }

    pub(super) fn push(&mut self, candidate: Candidate) {
        self.heap.push(candidate);
        if self.heap.len() > self.ef {
            self.heap.pop();
        }
    }

    /// The distance that a further candidate must stay below; any is welcome until there are `ef`.
    pub(super) fn farthest(&self) -> Option<f32> {
        let full = self.heap.len() >= self.ef;
        self.heap.peek().filter(|_| full).map(|farthest| farthest.distance)
    }

    pub(super) fn into_sorted(self) -> Vec<Candidate> {
        self.heap.into_sorted_vec()
    }
}

/// The `ef` slots nearest to the query among those that `accept` takes, nearest first (Algorithm 5).
/// Slots it does not take are walked through. Fewer than `ef` come back only when every slot that
/// can be reached was looked at; none at all if that would take more than `budget` distances.
pub(crate) fn search<G: Graph>(
    graph: &G,
    query: &[f32],
    ef: usize,
    budget: usize,
    accept: impl Fn(u32) -> bool,
) -> Option<Vec<Candidate>> {
    let Some(entry) = graph.entry() else { return Some(Vec::new()) };
    Scratch::with(|scratch| {
        let nearest = descend(graph, query, entry, 0, scratch);
        let beam = Beam { level: 0, ef, budget };
        search_layer(graph, query, &nearest, beam, accept, |_| (), scratch)
    })
}

/// How one layer is searched.
#[derive(Clone, Copy)]
pub(super) struct Beam {
    pub(super) level: usize,
    pub(super) ef: usize,
    /// The most distances that may be computed.
    pub(super) budget: usize,
}

/// Walks greedily from the entry, a slot and its layer, down to the layer above `to`; what it ends
/// at is where the search of layer `to` starts.
pub(super) fn descend<G: Graph>(
    graph: &G,
    query: &[f32],
    (slot, top): (u32, usize),
    to: usize,
    scratch: &mut Scratch,
) -> Vec<Candidate> {
    let mut nearest = vec![Candidate { distance: graph.distance(query, graph.row(slot)), slot }];
    for level in (to + 1..=top).rev() {
        let beam = Beam { level, ef: 1, budget: usize::MAX };
        nearest = search_layer(graph, query, &nearest, beam, |_| true, |_| (), scratch)
            .unwrap_or_default();
    }
    nearest
}

/// Algorithm 2, with a filter on what may be returned; nothing if it would pass the budget. Calls
/// `see` with every slot that it compares, returned or not.
pub(super) fn search_layer<G: Graph>(
    graph: &G,
    query: &[f32],
    entries: &[Candidate],
    Beam { level, ef, mut budget }: Beam,
    accept: impl Fn(u32) -> bool,
    mut see: impl FnMut(Candidate),
    scratch: &mut Scratch,
) -> Option<Vec<Candidate>> {
    let Scratch { visited, frontier, links, .. } = scratch;
    let mut best = Best::new(ef);
    let len = graph.len();
    visited.reset(16 * ef.min(len));
    frontier.clear();
    for &candidate in entries {
        if visited.insert(candidate.slot) {
            see(candidate);
            frontier.push(Reverse(candidate));
            if accept(candidate.slot) {
                best.push(candidate);
            }
        }
    }
    while let Some(Reverse(nearest)) = frontier.pop() {
        if best.farthest().is_some_and(|farthest| nearest.distance > farthest) {
            break;
        }
        links.clear();
        graph.for_each_link(nearest.slot, level, |link| {
            if (link as usize) < len && visited.insert(link) {
                links.push(link);
            }
        });
        if links.len() > budget {
            return None;
        }
        budget -= links.len();
        for &slot in &*links {
            let candidate = Candidate { distance: graph.distance(query, graph.row(slot)), slot };
            see(candidate);
            if best.farthest().is_some_and(|farthest| candidate.distance >= farthest) {
                continue;
            }
            frontier.push(Reverse(candidate));
            if accept(slot) {
                best.push(candidate);
            }
        }
    }
    Some(best.into_sorted())
}
