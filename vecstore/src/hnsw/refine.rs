//! From distances by code to those of the vectors themselves.

use std::collections::BinaryHeap;

use super::{Candidate, Graph, Target};

/// How far a distance by code is from the true one at most, in standard deviations, for a vector that
/// matters: in a walk, which is not exact anyway, and where all are compared.
const WALK_MARGIN: f32 = 2.0;
const SCAN_MARGIN: f32 = 4.0;

/// So many vectors are on their way from memory at once.
const BATCH: usize = 8;

/// So many slots are compared at once.
const AT_ONCE: usize = 64;

/// The nearest of candidates that were found by code, by the vectors themselves, nearest first: `needed`
/// of them, if there are as many.
pub(crate) fn refine<G: Graph>(
    graph: &G,
    target: &Target<'_>,
    found: Vec<Candidate>,
    needed: usize,
) -> Vec<Candidate> {
    nearest(graph, target, &found, needed, WALK_MARGIN)
}

/// Compares slots one by one. The nearest of them, nearest first: `needed` of them, if there are as
/// many; those that are farther than `limit` may be missing.
pub(crate) fn scan<G: Graph>(
    graph: &G,
    target: &Target<'_>,
    slots: impl Iterator<Item = u32>,
    needed: usize,
    limit: Option<f32>,
) -> Vec<Candidate> {
    let mut scanned = Scanned::new(target, needed, limit);
    scanned.compare(graph, target, slots);
    scanned.finish(graph, target)
}

/// Those that are nearest, by their codes alone, among all that were compared so far: the `needed` nearest,
/// and all that codes do not tell from these.
pub(super) struct Scanned {
    needed: usize,
    /// Twice as far as a distance by code is from the true one.
    margin: f32,
    limit: f32,
    found: Vec<Candidate>,
    /// What is farther is not among them.
    bound: f32,
    /// So many are kept before what is farther is looked for.
    room: usize,
    batch: Vec<u32>,
    distances: Vec<f32>,
}

impl Scanned {
    pub(super) fn new(target: &Target<'_>, needed: usize, limit: Option<f32>) -> Self {
        let margin = target.code.as_ref().map_or(0.0, |code| SCAN_MARGIN * code.deviation);
        let limit = limit.map_or(f32::INFINITY, |limit| limit + margin);
        Self {
            needed,
            margin: 2.0 * margin,
            limit,
            found: Vec::new(),
            bound: limit,
            room: needed.saturating_add(AT_ONCE),
            batch: Vec::with_capacity(AT_ONCE),
            distances: Vec::with_capacity(AT_ONCE),
        }
    }

    pub(super) fn compare<G: Graph>(
        &mut self,
        graph: &G,
        target: &Target<'_>,
        mut slots: impl Iterator<Item = u32>,
    ) {
        loop {
            self.batch.clear();
            self.batch.extend(slots.by_ref().take(AT_ONCE));
            if self.batch.is_empty() {
                break;
            }
            graph.prefetch(&self.batch);
            self.distances.clear();
            graph.distances(target, &self.batch, &mut self.distances);
            let candidates = self.batch.iter().zip(&self.distances);
            let candidates = candidates.map(|(&slot, &distance)| Candidate { distance, slot });
            self.found.extend(candidates.filter(|it| is_within(it.distance, self.bound)));
            if self.found.len() >= self.room {
                self.bound();
                self.room = self.room.max(self.found.len().saturating_mul(2));
            }
        }
    }

    /// Drops what is farther than the bound that the nearest so far give, and gives the bound.
    pub(super) fn bound(&mut self) -> f32 {
        if (1..self.found.len()).contains(&self.needed) {
            let (_, last, _) = self.found.select_nth_unstable(self.needed - 1);
            self.bound = self.limit.min(last.distance + self.margin);
            self.found.retain(|it| is_within(it.distance, self.bound));
        }
        self.bound
    }

    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// The nearest, by the vectors themselves.
    pub(super) fn finish<G: Graph>(mut self, graph: &G, target: &Target<'_>) -> Vec<Candidate> {
        self.bound();
        self.found.sort_unstable();
        nearest(graph, target, &self.found, self.needed, SCAN_MARGIN)
    }
}

/// Whether a distance is no farther than a bound, or is none, as of vectors so large that their product
/// is not a number: they are found, too, behind all others.
fn is_within(distance: f32, bound: f32) -> bool {
    distance <= bound || distance.is_nan()
}

/// Compares candidates, those that are nearest by code first, until no further one can be among the
/// `needed` nearest.
fn nearest<G: Graph>(
    graph: &G,
    target: &Target<'_>,
    found: &[Candidate],
    needed: usize,
    margin: f32,
) -> Vec<Candidate> {
    let Some(code) = &target.code else { return found[..needed.min(found.len())].to_vec() };
    let margin = margin * code.deviation;
    let mut best = BinaryHeap::new();
    for batch in found.chunks(BATCH) {
        let is_full = best.len() >= needed;
        let farthest = best.peek().filter(|_| is_full);
        if farthest.is_some_and(|it: &Candidate| batch[0].distance > it.distance + margin) {
            break;
        }
        for candidate in batch {
            graph.row(candidate.slot).prefetch();
        }
        for &Candidate { slot, .. } in batch {
            best.push(Candidate { distance: graph.distance(target, slot), slot });
            if best.len() > needed {
                best.pop();
            }
        }
    }
    best.into_sorted_vec()
}
