//! Adding a node to the graph (Algorithms 1 and 4).

use super::search::{Beam, Scratch, descend, search_layer};
use super::{Candidate, GraphMut, MAX_LEVELS, Target, links_of};
use crate::mix::{GOLDEN, mix};
use crate::{Config, Metric};

/// A candidate is refused where one that is kept is nearer to it than the base is by more than this
/// factor, between squares of distances. A few more links, and recall is higher for the same time.
const ALPHA: f32 = 1.03;

/// So many candidates are compared at once with one that is kept.
const AT_ONCE: usize = 32;

/// The highest layer that a record reaches: exponentially distributed with the paper's mL = 1/ln(M).
/// It depends on the id alone, so that the same inserts give the same graph.
pub(crate) fn level_of(id: u64, config: &Config) -> usize {
    let bits = mix(id.wrapping_add(GOLDEN));
    let uniform = ((bits >> 11) + 1) as f64 / (1u64 << 53) as f64;
    ((-uniform.ln() / (config.m as f64).ln()) as usize).min(MAX_LEVELS - 1)
}

/// Links a slot, whose row is already in the graph, on all layers up to `level` (Algorithm 1).
/// `accept` says which slots may be linked to.
pub(crate) fn insert<G: GraphMut>(
    graph: &G,
    config: &Config,
    slot: u32,
    level: usize,
    accept: impl Fn(u32) -> bool,
) {
    let neighbours = neighbours(graph, config, slot, level, accept);
    add(graph, slot, level, &neighbours);
    for (level, neighbours) in neighbours {
        for neighbour in neighbours {
            link_back(graph, config, neighbour, level, [slot]);
        }
    }
}

/// What a slot that is not in the graph yet is to have links to, on each layer up to `level` that the
/// graph has.
pub(super) fn neighbours<G: GraphMut>(
    graph: &G,
    config: &Config,
    slot: u32,
    level: usize,
    accept: impl Fn(u32) -> bool,
) -> Vec<(usize, Vec<u32>)> {
    let Some(entry) = graph.entry() else { return Vec::new() };
    let (target, (_, top)) = (&graph.target_of(slot), entry);
    Scratch::with(|scratch| {
        let mut entries = vec![descend(graph, target, entry, level, scratch)];
        let layers = (0..=level.min(top)).rev().map(|level| {
            let beam = Beam { level, ef: config.ef_construction, budget: usize::MAX };
            let found = search_layer(graph, target, &entries, beam, &accept, |_| (), scratch);
            let found = found.unwrap_or_default();
            let chosen = select(graph, config.metric, Vec::new(), &found, config.m);
            // A layer whose nodes are all refused is passed through where it was entered.
            if !found.is_empty() {
                entries = found;
            }
            (level, chosen.iter().map(|chosen| chosen.slot).collect())
        });
        layers.collect()
    })
}

/// Gives a new slot its links, and makes it the entry if it reaches a layer that is new.
pub(super) fn add<G: GraphMut>(
    graph: &G,
    slot: u32,
    level: usize,
    neighbours: &[(usize, Vec<u32>)],
) {
    graph.links().add(slot, level);
    for (level, neighbours) in neighbours {
        graph.links().set(slot, *level, neighbours.iter().copied());
    }
    if graph.entry().is_none_or(|(_, top)| level > top) {
        graph.links().set_entry(Some((slot, level)));
    }
}

/// Adds links from a slot to new ones; where its list is full, the best of all are kept.
pub(super) fn link_back<G: GraphMut>(
    graph: &G,
    config: &Config,
    from: u32,
    level: usize,
    new: impl IntoIterator<Item = u32>,
) {
    let limit = config.max_links(level);
    let mut links = links_of(graph, from, level);
    links.extend(new);
    if links.len() > limit {
        links = nearest_to(graph, config.metric, from, links, limit);
    }
    graph.links().set(from, level, links);
}

/// The links that `slot` keeps out of `others`.
fn nearest_to<G: GraphMut>(
    graph: &G,
    metric: Metric,
    slot: u32,
    others: Vec<u32>,
    limit: usize,
) -> Vec<u32> {
    let mut candidates = candidates(graph, slot, &others);
    candidates.sort_unstable();
    select(graph, metric, Vec::new(), &candidates, limit).iter().map(|kept| kept.slot).collect()
}

/// Slots and their distances from one slot.
pub(super) fn candidates<G: GraphMut>(graph: &G, slot: u32, others: &[u32]) -> Vec<Candidate> {
    let mut distances = Vec::with_capacity(others.len());
    graph.prefetch(others);
    graph.distances(&graph.target_of(slot), others, &mut distances);
    let candidates = others.iter().zip(distances);
    candidates.map(|(&slot, distance)| Candidate { distance, slot }).collect()
}

/// Algorithm 4: adds candidates, nearest first, to those that are `kept` if they are nearer to the
/// base than to any one kept before, so that the links lead in different directions. How much nearer is
/// relaxed by [`ALPHA`], as in DiskANN (S. J. Subramanya et al., NeurIPS 2019, Algorithm 2).
pub(super) fn select<G: GraphMut>(
    graph: &G,
    metric: Metric,
    mut kept: Vec<Candidate>,
    candidates: &[Candidate],
    limit: usize,
) -> Vec<Candidate> {
    let mut targets: Vec<_> = kept.iter().map(|kept| graph.target_of(kept.slot)).collect();
    let (mut slots, mut distances) = (Vec::new(), Vec::new());
    // Removes the candidates that are nearer to one that is kept than to the base.
    let mut refuse = |kept: &Target<'_>, candidates: &mut Vec<Candidate>| {
        slots.clear();
        slots.extend(candidates.iter().map(|candidate| candidate.slot));
        distances.clear();
        graph.distances(kept, &slots, &mut distances);
        let mut distances = distances.iter();
        candidates.retain(|candidate| {
            distances.next().is_some_and(|&it| metric.scaled(it, ALPHA) > candidate.distance)
        });
    };
    for some in candidates.chunks(AT_ONCE) {
        if kept.len() >= limit {
            break;
        }
        let mut left = some.to_vec();
        targets.iter().for_each(|target| refuse(target, &mut left));
        while kept.len() < limit && !left.is_empty() {
            let nearest = left.remove(0);
            let target = graph.target_of(nearest.slot);
            refuse(&target, &mut left);
            kept.push(nearest);
            targets.push(target);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_follow_the_papers_distribution() {
        let config = Config::new(4, Metric::Cosine).with_m(16);
        let count = |level| (0..100_000).filter(|&id| level_of(id, &config) >= level).count();
        assert!((5_900..6_600).contains(&count(1)), "{}", count(1)); // 1/16 of them
        assert!((320..460).contains(&count(2)), "{}", count(2)); // 1/256
    }
}
