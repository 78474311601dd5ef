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
    let margin = target.code.as_ref().map_or(0.0, |code| SCAN_MARGIN * code.deviation);
    let limit = limit.map_or(f32::INFINITY, |limit| limit + margin);
    let found = nearest_by_code(graph, target, slots, needed, 2.0 * margin, limit);
    nearest(graph, target, &found, needed, SCAN_MARGIN)
}

/// Of the slots that are no farther than `limit` by their codes alone the `count` nearest, and all that
/// are by `margin` farther at most, nearest first.
fn nearest_by_code<G: Graph>(
    graph: &G,
    target: &Target<'_>,
    mut slots: impl Iterator<Item = u32>,
    count: usize,
    margin: f32,
    limit: f32,
) -> Vec<Candidate> {
    let (mut batch, mut distances) = (Vec::with_capacity(AT_ONCE), Vec::with_capacity(AT_ONCE));
    let (mut found, mut bound, mut room) = (Vec::new(), limit, count.saturating_add(AT_ONCE));
    // Drops what is farther than the bound that the nearest so far give.
    let shrink = |found: &mut Vec<Candidate>| {
        if !(1..found.len()).contains(&count) {
            return limit;
        }
        let (_, last, _) = found.select_nth_unstable(count - 1);
        let bound = limit.min(last.distance + margin);
        found.retain(|candidate| is_within(candidate.distance, bound));
        bound
    };
    loop {
        batch.clear();
        batch.extend(slots.by_ref().take(AT_ONCE));
        if batch.is_empty() {
            break;
        }
        graph.prefetch(&batch);
        distances.clear();
        graph.distances(target, &batch, &mut distances);
        let candidates = batch.iter().zip(&distances);
        let candidates = candidates.map(|(&slot, &distance)| Candidate { distance, slot });
        found.extend(candidates.filter(|candidate| is_within(candidate.distance, bound)));
        if found.len() >= room {
            bound = shrink(&mut found);
            room = room.max(found.len().saturating_mul(2));
        }
    }
    shrink(&mut found);
    found.sort_unstable();
    found
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
