//! Walking on the slots that a filter accepts.

use std::cmp::Reverse;

use super::search::{Beam, Best, Scratch, descend, search_layer};
use super::{Candidate, Graph};

/// How many candidates the look around the query keeps.
const PROBE: usize = 25;

/// What a look around the query found.
pub(crate) struct Neighbourhood {
    /// How many slots were looked at.
    pub(crate) seen: usize,
    /// The accepted ones among them.
    pub(crate) accepted: Vec<Candidate>,
}

/// Walks to the query through all slots, and notes which of those it passes are accepted.
pub(crate) fn look_around<G: Graph>(
    graph: &G,
    query: &[f32],
    accept: impl Fn(u32) -> bool,
) -> Neighbourhood {
    let mut found = Neighbourhood { seen: 0, accepted: Vec::new() };
    let Some(entry) = graph.entry() else { return found };
    Scratch::with(|scratch| {
        let nearest = descend(graph, query, entry, 0, scratch);
        let beam = Beam { level: 0, ef: PROBE, budget: usize::MAX };
        let see = |candidate: Candidate| {
            found.seen += 1;
            if accept(candidate.slot) {
                found.accepted.push(candidate);
            }
        };
        search_layer(graph, query, &nearest, beam, |_| true, see, scratch);
    });
    found
}

/// The `ef` slots nearest to the query among those that `accept` takes, nearest first, found by a
/// walk from `starts` on accepted slots alone. Where fewer than `degree` neighbours of a slot are
/// accepted, its refused neighbours are bridges to theirs.
///
/// That is ACORN-1 (Patel et al. 2024, arXiv 2403.04871, section 5.2), which takes all neighbours of
/// neighbours; to stop at the degree of the unfiltered graph costs half and finds as much.
pub(crate) fn search_accepted<G: Graph>(
    graph: &G,
    query: &[f32],
    ef: usize,
    starts: &[Candidate],
    degree: usize,
    accept: impl Fn(u32) -> bool,
) -> Vec<Candidate> {
    Scratch::with(|Scratch { visited, frontier, links, bridges }| {
        let mut best = Best::new(ef);
        let len = graph.len();
        visited.reset(16 * ef.min(len));
        frontier.clear();
        for &start in starts {
            visited.insert(start.slot);
            frontier.push(Reverse(start));
            best.push(start);
        }
        while let Some(Reverse(nearest)) = frontier.pop() {
            if best.farthest().is_some_and(|farthest| nearest.distance > farthest) {
                break;
            }
            links.clear();
            bridges.clear();
            let mut accepted = 0;
            graph.for_each_link(nearest.slot, 0, |link| {
                if !accept(link) {
                    bridges.push(link);
                    return;
                }
                accepted += 1;
                if visited.insert(link) {
                    links.push(link);
                }
            });
            for &bridge in &*bridges {
                if accepted >= degree {
                    break;
                }
                // What lies behind a bridge that was crossed before is visited.
                if (bridge as usize) < len && visited.insert(bridge) {
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
            for &slot in &*links {
                let candidate =
                    Candidate { distance: graph.distance(query, graph.row(slot)), slot };
                if best.farthest().is_none_or(|farthest| candidate.distance < farthest) {
                    frontier.push(Reverse(candidate));
                    best.push(candidate);
                }
            }
        }
        best.into_sorted()
    })
}
