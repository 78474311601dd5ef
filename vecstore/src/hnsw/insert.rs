//! Adding a node to the graph (Algorithms 1 and 4).

use super::search::{Beam, Scratch, descend, search_layer};
use super::{Candidate, GraphMut, MAX_LEVELS};
use crate::Config;

/// The highest layer that a record reaches: exponentially distributed with the paper's mL = 1/ln(M).
/// It depends on the id alone, so that the same inserts give the same graph.
pub(crate) fn level_of(id: u64, config: &Config) -> usize {
    // The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) makes 64 random-looking bits.
    let mut bits = id.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^= bits >> 31;
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
    graph.links().add(slot, level);
    let Some(entry) = graph.entry() else {
        graph.links().set_entry(Some((slot, level)));
        return;
    };
    let (row, (_, top)) = (graph.row(slot), entry);
    Scratch::with(|scratch| {
        let mut entries = descend(graph, row, entry, level, scratch);
        for level in (0..=level.min(top)).rev() {
            let accept = |other| other != slot && accept(other);
            let beam = Beam { level, ef: config.ef_construction, budget: usize::MAX };
            let found = search_layer(graph, row, &entries, beam, accept, |_| (), scratch);
            let found = found.unwrap_or_default();
            let neighbours = select(graph, Vec::new(), &found, config.m);
            graph.links().set(slot, level, neighbours.iter().map(|neighbour| neighbour.slot));
            for neighbour in neighbours {
                link_back(graph, config, neighbour, slot, level);
            }
            // A layer whose nodes are all refused is passed through where it was entered.
            if !found.is_empty() {
                entries = found;
            }
        }
    });
    if level > top {
        graph.links().set_entry(Some((slot, level)));
    }
}

/// Adds a link from `neighbour` to `slot`; where its list is full, the best of all are kept.
fn link_back<G: GraphMut>(
    graph: &G,
    config: &Config,
    neighbour: Candidate,
    slot: u32,
    level: usize,
) {
    let limit = config.max_links(level);
    let mut links = Vec::with_capacity(limit + 1);
    graph.for_each_link(neighbour.slot, level, |link| links.push(link));
    links.push(slot);
    if links.len() > limit {
        links = nearest_to(graph, neighbour.slot, links, limit);
    }
    graph.links().set(neighbour.slot, level, links);
}

/// The links that `slot` keeps out of `others`.
fn nearest_to<G: GraphMut>(graph: &G, slot: u32, others: Vec<u32>, limit: usize) -> Vec<u32> {
    let mut candidates = candidates(graph, slot, others);
    candidates.sort_unstable();
    select(graph, Vec::new(), &candidates, limit).iter().map(|kept| kept.slot).collect()
}

/// Slots and their distances from one slot.
pub(super) fn candidates<G: GraphMut>(graph: &G, slot: u32, others: Vec<u32>) -> Vec<Candidate> {
    let row = graph.row(slot);
    let candidate = |slot| Candidate { distance: graph.distance(row, graph.row(slot)), slot };
    others.into_iter().map(candidate).collect()
}

/// Algorithm 4: adds candidates, nearest first, to those that are `kept` if they are nearer to the
/// base than to any one kept before, so that the links lead in different directions.
pub(super) fn select<G: GraphMut>(
    graph: &G,
    mut kept: Vec<Candidate>,
    candidates: &[Candidate],
    limit: usize,
) -> Vec<Candidate> {
    for &candidate in candidates {
        if kept.len() >= limit {
            break;
        }
        let row = graph.row(candidate.slot);
        if kept.iter().all(|kept| graph.distance(row, graph.row(kept.slot)) > candidate.distance) {
            kept.push(candidate);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metric;

    #[test]
    fn levels_follow_the_papers_distribution() {
        let config = Config::new(4, Metric::Cosine).with_m(16);
        let count = |level| (0..100_000).filter(|&id| level_of(id, &config) >= level).count();
        assert!((5_900..6_600).contains(&count(1)), "{}", count(1)); // 1/16 of them
        assert!((320..460).contains(&count(2)), "{}", count(2)); // 1/256
    }
}
