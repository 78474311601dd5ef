//! Making a new graph out of an old one.

use super::batch::insert_all;
use super::connect::connect;
use super::repair::repair;
use super::{Graph, GraphMut, Links};
use crate::Config;

/// Copies the links of a graph; `level` gives the highest layer of each slot.
pub(crate) fn take_over<G: Graph>(links: &Links, old: &G, level: impl Fn(u32) -> usize) {
    for slot in 0..old.len() as u32 {
        let top = level(slot);
        links.add(slot, top);
        for level in 0..=top {
            let mut list = Vec::new();
            old.for_each_link(slot, level, |link| list.push(link));
            links.set(slot, level, list);
        }
    }
    links.set_entry(old.entry());
}

/// Brings a graph up to date whose slots below `linked` are linked: takes the dead ones among them out
/// of it, then adds the others, by up to so many threads. `levels` gives the highest layer of each slot.
pub(crate) fn renew<G: GraphMut + Sync>(
    graph: &G,
    config: &Config,
    levels: &[u8],
    linked: usize,
    threads: usize,
    live: impl Fn(u32) -> bool + Sync,
) {
    if !(0..linked as u32).all(&live) {
        repair(graph, config, &levels[..linked], &live);
    }
    let added = linked as u32..graph.len() as u32;
    insert_all(graph, config, added, levels, threads, &live);
    connect(graph, config, &live);
}
