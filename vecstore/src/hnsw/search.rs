//! Walking the graph towards a query (Algorithms 2 and 5).

use std::cell::Cell;
use std::cmp::Ordering;
use std::mem;

use super::pool::Pool;
use super::visited::Visited;
use super::{Graph, Target};
use crate::codes::SKETCHED;

/// A slot and its distance from the query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) distance: f32,
    pub(crate) slot: u32,
}

impl Eq for Candidate {}

impl Ord for Candidate {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.distance.total_cmp(&other.distance).then(self.slot.cmp(&other.slot))
    }
}

impl PartialOrd for Candidate {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Working memory of a search, kept by each thread from one search to the next.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) visited: Visited,
    pub(super) pool: Pool,
    pub(super) links: Vec<u32>,
    pub(super) ahead: Vec<u32>,
    pub(super) bridges: Vec<u32>,
    pub(super) distances: Vec<f32>,
    pub(super) bounds: Vec<[f32; SKETCHED]>,
    pub(super) window: Vec<(f32, usize)>,
    pub(super) least: Vec<f32>,
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

/// The `ef` slots nearest to the target among those that `accept` takes, nearest first (Algorithm 5).
/// Slots it does not take are walked through. Fewer than `ef` come back only when every slot that
/// can be reached was looked at; none at all if that would take more than `budget` distances.
pub(crate) fn search<G: Graph>(
    graph: &G,
    target: &Target<'_>,
    ef: usize,
    budget: usize,
    accept: impl Fn(u32) -> bool,
) -> Option<Vec<Candidate>> {
    let Some(entry) = graph.entry() else { return Some(Vec::new()) };
    Scratch::with(|scratch| {
        let nearest = descend(graph, target, entry, 0, scratch);
        let beam = Beam { level: 0, ef, budget };
        search_layer(graph, target, &[nearest], beam, accept, |_| (), scratch)
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

/// Walks greedily from the entry, a slot and its layer, down to the layer above `to` (Algorithm 2 with
/// `ef` = 1); what it ends at is where the search of layer `to` starts.
pub(super) fn descend<G: Graph>(
    graph: &G,
    target: &Target<'_>,
    (slot, top): (u32, usize),
    to: usize,
    scratch: &mut Scratch,
) -> Candidate {
    let Scratch { links, distances, .. } = scratch;
    let len = graph.len();
    distances.clear();
    graph.distances(target, &[slot], distances);
    let mut nearest = Candidate { distance: distances[0], slot };
    for level in (to + 1..=top).rev() {
        loop {
            links.clear();
            read_links(graph, nearest.slot, level, len, links);
            graph.prefetch(links);
            distances.clear();
            graph.distances(target, links, distances);
            let met = links.iter().zip(&*distances);
            let met = met.map(|(&slot, &distance)| Candidate { distance, slot });
            let nearer = met.filter(|it| it.distance < nearest.distance);
            let Some(nearest_met) = nearer.min() else { break };
            nearest = nearest_met;
        }
    }
    nearest
}

/// Algorithm 2, with a filter on what may be returned; nothing if it would pass the budget. Calls
/// `see` with every slot that it compares, returned or not.
pub(super) fn search_layer<G: Graph>(
    graph: &G,
    target: &Target<'_>,
    entries: &[Candidate],
    Beam { level, ef, mut budget }: Beam,
    accept: impl Fn(u32) -> bool,
    mut see: impl FnMut(Candidate),
    scratch: &mut Scratch,
) -> Option<Vec<Candidate>> {
    let Scratch { visited, pool, links, ahead, distances, .. } = scratch;
    let len = graph.len();
    visited.reset(len);
    pool.reset(ef);
    let entries = entries.iter().copied().filter(|entry| visited.insert(entry.slot));
    pool.start(entries.inspect(|&entry| see(entry)), &accept);
    links.clear();
    loop {
        let next = pool.pop();
        if next.is_none() && links.is_empty() {
            break;
        }
        // What the next slot leads to is on its way from memory while what the one before led to is
        // compared: to wait for it is what a walk would take its time for.
        ahead.clear();
        if let Some(next) = next {
            read_links(graph, next, level, len, ahead);
            visited.insert_new(ahead);
            graph.prefetch(ahead);
        }
        if links.len() > budget {
            return None;
        }
        budget -= links.len();
        distances.clear();
        graph.distances(target, links, distances);
        for (&slot, &distance) in links.iter().zip(&*distances) {
            see(Candidate { distance, slot });
        }
        pool.add(links, distances, &accept);
        pool.added().for_each(|slot| graph.prefetch_links(slot, level));
        mem::swap(links, ahead);
    }
    Some(pool.accepted())
}

/// Appends the links of a slot to slots below `len`.
#[inline]
pub(super) fn read_links<G: Graph>(
    graph: &G,
    slot: u32,
    level: usize,
    len: usize,
    links: &mut Vec<u32>,
) {
    graph.for_each_link(slot, level, |link| {
        if (link as usize) < len {
            links.push(link);
        }
    });
}
