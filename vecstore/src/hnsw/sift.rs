//! Comparing many slots, of which most are passed over by their sketches.

use super::refine::Scanned;
use super::search::Scratch;
use super::{Candidate, Graph, Target};
use crate::codes::{SKETCHED, SketchTarget};
use crate::slot_set::{SlotSet, ones};

/// So many blocks are looked at, at once: their bounds stay in the cache of the processor.
const WINDOW: usize = 1024;

/// So many slots of a window, and one for each that is needed, are compared first, to learn how near the
/// nearest are.
const FIRST: usize = 64;

/// The `needed` nearest of those of `slots` that `accept` takes, nearest first; a few are missed. None if
/// there are not as many, or if the graph keeps no codes.
pub(crate) fn sift<G: Graph>(
    graph: &G,
    target: &Target<'_>,
    slots: &SlotSet,
    needed: usize,
    accept: impl Fn(u32) -> bool,
) -> Option<Vec<Candidate>> {
    let sketch = SketchTarget::new(target.code.as_ref()?);
    let mut scanned = Scanned::new(target, needed, None);
    let mut blocks = slots.blocks();
    Scratch::with(|Scratch { bounds, window, least, .. }| {
        bounds.resize(WINDOW, [0.0; SKETCHED]);
        loop {
            window.clear();
            window.extend(bounds.iter_mut().zip(blocks.by_ref()).map(
                |(bounds, (block, accepted))| {
                    (graph.bounds(&sketch, block, accepted, bounds), block)
                },
            ));
            if window.is_empty() {
                break;
            }
            let between = |low: f32, high: f32| {
                let near =
                    window.iter().zip(&*bounds).filter(move |((least, _), _)| *least <= high);
                let slots = near.flat_map(move |(&(_, block), bounds)| {
                    let near = not_above(bounds, high) & !not_above(bounds, low);
                    ones(near.into()).map(move |place| (block * SKETCHED) as u32 + place)
                });
                slots.filter(|&slot| accept(slot))
            };
            least.clear();
            least.extend(window.iter().map(|&(least, _)| least));
            let count = FIRST.saturating_add(needed).min(least.len() / 2);
            let (_, &mut first, _) = least.select_nth_unstable_by(count, f32::total_cmp);
            let first = first.min(scanned.bound());
            scanned.compare(graph, target, between(f32::NEG_INFINITY, first));
            let last = scanned.bound();
            scanned.compare(graph, target, between(first, last));
        }
    });
    (scanned.len() >= needed).then(|| scanned.finish(graph, target))
}

/// Which of some bounds are not above a limit, the first in the lowest bit.
fn not_above(bounds: &[f32; SKETCHED], limit: f32) -> u32 {
    let bits = bounds.iter().enumerate();
    bits.fold(0, |bits, (place, &bound)| bits | if bound <= limit { 1 << place } else { 0 })
}
