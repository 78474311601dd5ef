//! Taking nodes out of the graph.

use super::insert::{candidates, select};
use super::visited::Visited;
use super::{GraphMut, links_of};
use crate::Config;

/// About so many times the links that a slot may have are looked at to replace those it lost.
const CHOICE: usize = 10;

/// Of them so many of the nearest are considered, and of the others one in [`SAMPLE`]: most of these
/// would be refused, but a graph needs the few that are not.
const NEAREST: usize = 16;
const SAMPLE: usize = 4;

/// Gives every live slot that has links to dead ones others in their place, so that no path leads
/// through a dead slot.
///
/// As in FreshDiskANN (Singh et al. 2021, section 4.2, "Delete") a dead neighbour stands for its own
/// neighbours. Unlike there, the links to live slots stay, dead neighbours of dead ones stand for
/// theirs as long as there is little to choose from, and new links lead both ways: when half of all
/// slots die, recall is as good as that of a new graph only so. `levels` gives the highest layer of
/// each slot. If the entry is dead, the highest live slot, if any, takes its place.
pub(crate) fn repair<G: GraphMut>(
    graph: &G,
    config: &Config,
    levels: &[u8],
    live: impl Fn(u32) -> bool,
) {
    let mut met = Visited::default();
    for (slot, &top) in (0u32..).zip(levels) {
        if !live(slot) {
            continue;
        }
        for level in 0..=usize::from(top) {
            relink(graph, config, slot, level, &live, &mut met);
        }
    }
    if graph.entry().is_some_and(|(slot, _)| !live(slot)) {
        let alive = (0u32..).zip(levels).filter(|&(slot, _)| live(slot));
        let highest = alive.max_by_key(|&(_, level)| level);
        graph.links().set_entry(highest.map(|(slot, &level)| (slot, usize::from(level))));
    }
}

fn relink<G: GraphMut>(
    graph: &G,
    config: &Config,
    slot: u32,
    level: usize,
    live: &impl Fn(u32) -> bool,
    met: &mut Visited,
) {
    let limit = config.max_links(level);
    let links = links_of(graph, slot, level);
    let (near, mut dead): (Vec<_>, Vec<_>) = links.iter().partition(|&&link| live(link));
    if dead.is_empty() {
        return;
    }
    met.reset(graph.len());
    met.insert(slot);
    for link in links {
        met.insert(link);
    }
    let (mut choice, mut next, neighbours) = (Vec::new(), 0, dead.len());
    while next < neighbours || choice.len() < CHOICE * limit && next < CHOICE * limit {
        let Some(&through) = dead.get(next) else { break };
        graph.for_each_link(through, level, |link| {
            if met.insert(link) {
                if live(link) { &mut choice } else { &mut dead }.push(link);
            }
        });
        next += 1;
    }
    let mut choice = candidates(graph, slot, choice);
    if choice.len() > NEAREST {
        let (_, _, farther) = choice.select_nth_unstable(NEAREST);
        let sample: Vec<_> = farther.iter().step_by(SAMPLE).copied().collect();
        choice.truncate(NEAREST);
        choice.extend(sample);
    }
    choice.sort_unstable();
    let mut near = candidates(graph, slot, near);
    // What is near to the slot is the first to refuse others.
    near.sort_unstable();
    let stay = near.len();
    let kept = select(graph, config.metric, near, &choice, limit);
    graph.links().set(slot, level, kept.iter().map(|kept| kept.slot));
    for added in &kept[stay..] {
        let mut back = links_of(graph, added.slot, level);
        if back.len() < limit && !back.contains(&slot) {
            back.push(slot);
            graph.links().set(added.slot, level, back);
        }
    }
}
