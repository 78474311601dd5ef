//! Taking nodes out of the graph.

use super::GraphMut;
use super::insert::nearest_to;
use crate::Config;

/// Relinks every live slot that has links to dead ones, so that no path leads through a dead slot:
/// it may choose from its live neighbours and the live ones within reach through dead neighbours.
///
/// The rule is that of FreshDiskANN (Singh et al. 2021, section 4.2, "Delete"), on every layer.
/// `levels` gives the highest layer of each slot. If the entry is dead, the highest live slot, if any,
/// takes its place.
pub(crate) fn repair<G: GraphMut>(
    graph: &G,
    config: &Config,
    levels: &[u8],
    live: impl Fn(u32) -> bool,
) {
    for (slot, &top) in (0u32..).zip(levels) {
        if !live(slot) {
            continue;
        }
        for level in 0..=usize::from(top) {
            relink(graph, config, slot, level, &live);
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
) {
    // A dead neighbour stands for its own neighbours, and so on; a chain of dead ones as long as
    // this is as good as the end of the graph.
    const REACH: usize = 512;
    let (mut alive, mut dead) = (Vec::new(), Vec::new());
    let mut sort = |link: u32, dead: &mut Vec<u32>| {
        let list = if live(link) { &mut alive } else { dead };
        if link != slot && !list.contains(&link) {
            list.push(link);
        }
    };
    graph.for_each_link(slot, level, |link| sort(link, &mut dead));
    let mut next = 0;
    while let Some(&through) = dead.get(next).filter(|_| next < REACH) {
        graph.for_each_link(through, level, |link| sort(link, &mut dead));
        next += 1;
    }
    if !dead.is_empty() {
        let links = nearest_to(graph, slot, alive, config.max_links(level));
        graph.links().set(slot, level, links);
    }
}
