//! Walking on the slots that a filter accepts.

use super::search::{Beam, Scratch, descend, read_links, search_layer};
use super::{Candidate, Graph, Target};

/// How many candidates the look around the query keeps.
const PROBE: usize = 25;

/// The links of so many bridges are on their way from memory at once.
const AHEAD: usize = 8;

/// A walk on accepted slots finds its way where at least this part of the share of all slots that a
/// filter accepts is accepted near the query, too.
const LOCAL_SHARE: f64 = 0.25;

/// What a look around the query found.
pub(crate) struct Neighbourhood {
    /// How many slots were looked at.
    pub(crate) seen: usize,
    /// The accepted ones among them.
    pub(crate) accepted: Vec<Candidate>,
}

impl Neighbourhood {
    /// The share of the slots that are accepted.
    pub(crate) fn share(&self) -> f64 {
        self.accepted.len() as f64 / self.seen as f64
    }

    /// Whether the query lies where so few are accepted that a walk on them does not find its way, if a
    /// share of all slots is accepted.
    pub(crate) fn is_far(&self, share_of_all: f64) -> bool {
        self.share() < LOCAL_SHARE * share_of_all
    }
}

/// Walks to the query through all slots, and notes which of those it passes are accepted.
pub(crate) fn look_around<G: Graph>(
    graph: &G,
    target: &Target<'_>,
    accept: impl Fn(u32) -> bool,
) -> Neighbourhood {
    let mut found = Neighbourhood { seen: 0, accepted: Vec::new() };
    let Some(entry) = graph.entry() else { return found };
    Scratch::with(|scratch| {
        let nearest = descend(graph, target, entry, 0, scratch);
        let beam = Beam { level: 0, ef: PROBE, budget: usize::MAX };
        let see = |candidate: Candidate| {
            found.seen += 1;
            if accept(candidate.slot) {
                found.accepted.push(candidate);
            }
        };
        search_layer(graph, target, &[nearest], beam, |_| true, see, scratch);
    });
    found
}

/// The `ef` slots nearest to the query among those that `accept` takes, nearest first, found by a
/// walk from `starts` on accepted slots alone. Where fewer than `degree` neighbours of a slot are
/// accepted, its refused neighbours are bridges to theirs.
///
/// That is ACORN-1 (Patel et al. 2024, arXiv 2403.04871, section 5.2), which takes all neighbours of
/// neighbours; to stop at `degree` costs half and finds nearly as much.
pub(crate) fn search_accepted<G: Graph>(
    graph: &G,
    target: &Target<'_>,
    ef: usize,
    starts: &[Candidate],
    degree: usize,
    accept: impl Fn(u32) -> bool,
) -> Vec<Candidate> {
    Scratch::with(|Scratch { visited, pool, links, bridges, distances, .. }| {
        let len = graph.len();
        visited.reset(len);
        pool.reset(ef);
        let starts = starts.iter().copied().filter(|start| visited.insert(start.slot));
        pool.start(starts, |_| true);
        while let Some(nearest) = pool.pop() {
            links.clear();
            read_links(graph, nearest, 0, len, links);
            split(links, bridges, &accept);
            let mut accepted = links.len();
            if accepted < degree {
                let likely = &bridges[..bridges.len().min(AHEAD)];
                likely.iter().for_each(|&bridge| graph.prefetch_links(bridge, 0));
            }
            visited.insert_new(links);
            for &bridge in &*bridges {
                if accepted >= degree {
                    break;
                }
                // What lies behind a bridge that was crossed before is visited.
                if visited.insert(bridge) {
                    graph.for_each_link(bridge, 0, |link| {
                        if accept(link) {
                            accepted += 1;
                            if visited.insert(link) {
                                links.push(link);
                            }
                        }
                    });
                }
            }
            graph.prefetch(links);
            distances.clear();
            graph.distances(target, links, distances);
            pool.add(links, distances, |_| true);
            pool.added().for_each(|slot| graph.prefetch_links(slot, 0));
        }
        pool.accepted()
    })
}

/// Moves the slots that are not accepted into another list. No branch depends on which these are.
fn split(slots: &mut Vec<u32>, refused: &mut Vec<u32>, accept: impl Fn(u32) -> bool) {
    refused.resize(slots.len(), 0);
    let (mut accepted_count, mut refused_count) = (0, 0);
    for place in 0..slots.len() {
        let slot = slots[place];
        let accepted = accept(slot);
        slots[accepted_count] = slot;
        refused[refused_count] = slot;
        accepted_count += usize::from(accepted);
        refused_count += usize::from(!accepted);
    }
    slots.truncate(accepted_count);
    refused.truncate(refused_count);
}
