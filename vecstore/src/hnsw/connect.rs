//! Bringing lost nodes back into the graph.

use super::{GraphMut, links_of};
use crate::Config;

/// So many slots are looked at to find one near by.
const FAR: usize = 1000;

/// Links to every accepted slot of the lowest layer that no path from the entry leads to: where all
/// that linked to a slot found better links, none is left. `accept` says which slots may be linked to.
pub(crate) fn connect<G: GraphMut>(graph: &G, config: &Config, accept: impl Fn(u32) -> bool) {
    let Some((entry, _)) = graph.entry() else { return };
    let mut reached = vec![false; graph.len()];
    spread(graph, &mut reached, entry);
    for slot in (0..graph.len() as u32).filter(|&slot| accept(slot)) {
        if reached[slot as usize] {
            continue;
        }
        if let Some(host) = host(graph, config, slot, &reached) {
            let mut links = links_of(graph, host, 0);
            links.push(slot);
            graph.links().set(host, 0, links);
            spread(graph, &mut reached, slot);
        }
    }
}

/// Marks what can be reached from a slot.
fn spread<G: GraphMut>(graph: &G, reached: &mut [bool], start: u32) {
    let mut open = vec![start];
    reached[start as usize] = true;
    while let Some(slot) = open.pop() {
        graph.for_each_link(slot, 0, |link| {
            if !std::mem::replace(&mut reached[link as usize], true) {
                open.push(link);
            }
        });
    }
}

/// A slot near by that can be reached and whose list has room for a link.
fn host<G: GraphMut>(graph: &G, config: &Config, slot: u32, reached: &[bool]) -> Option<u32> {
    let (mut met, mut next) = (vec![slot], 0);
    while let Some(&through) = met.get(next) {
        for link in links_of(graph, through, 0) {
            let has_room = || links_of(graph, link, 0).len() < config.max_links(0);
            if reached[link as usize] && has_room() {
                return Some(link);
            }
            if met.len() < FAR && !met.contains(&link) {
                met.push(link);
            }
        }
        next += 1;
    }
    None
}
