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
    let mut around = Around::default();
    for (slot, &top) in (0u32..).zip(levels) {
        if !live(slot) {
            continue;
        }
        for level in 0..=usize::from(top) {
            relink(graph, config, slot, level, &live, &mut around);
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
    around: &mut Around,
) {
    let limit = config.max_links(level);
    if !around.gather(graph, slot, level, live, CHOICE * limit) {
        return;
    }
    let mut choice = candidates(graph, slot, &around.choice);
    if choice.len() > NEAREST {
        let (_, _, farther) = choice.select_nth_unstable(NEAREST);
        let sample: Vec<_> = farther.iter().step_by(SAMPLE).copied().collect();
        choice.truncate(NEAREST);
        choice.extend(sample);
    }
    choice.sort_unstable();
    let mut near = candidates(graph, slot, &around.near);
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

/// What lies around one slot after another, in memory that is asked for once.
#[derive(Default)]
struct Around {
    /// The live neighbours.
    near: Vec<u32>,
    /// Live slots that dead ones lead to.
    choice: Vec<u32>,
    /// The dead neighbours, then the dead ones that these lead to.
    dead: Vec<u32>,
    met: Visited,
    links: Vec<u32>,
}

impl Around {
    /// Looks around a slot until there are `enough` to choose from; false if none of its neighbours is dead.
    fn gather<G: GraphMut>(
        &mut self,
        graph: &G,
        slot: u32,
        level: usize,
        live: &impl Fn(u32) -> bool,
        enough: usize,
    ) -> bool {
        let Self { near, choice, dead, met, links } = self;
        for list in [&mut *near, &mut *choice, &mut *dead] {
            list.clear();
        }
        met.reset(graph.len());
        met.insert(slot);
        let mut split_links = |through, alive: &mut _, dead: &mut _| {
            links.clear();
            graph.for_each_link(through, level, |link| links.push(link));
            met.insert_new(links);
            split(links, live, alive, dead);
        };
        split_links(slot, near, dead);
        let (neighbours, mut next) = (dead.len(), 0);
        while next < neighbours || choice.len() < enough && next < enough {
            let Some(&through) = dead.get(next) else { break };
            split_links(through, choice, dead);
            next += 1;
        }
        neighbours > 0
    }
}

/// Appends each slot to one of two lists. Nothing in it depends on which, so the processor has nothing to
/// guess wrong.
#[inline]
fn split(slots: &[u32], live: &impl Fn(u32) -> bool, alive: &mut Vec<u32>, dead: &mut Vec<u32>) {
    let (mut living, mut died) = (alive.len(), dead.len());
    alive.resize(living + slots.len(), 0);
    dead.resize(died + slots.len(), 0);
    for &slot in slots {
        (alive[living], dead[died]) = (slot, slot);
        let lives = usize::from(live(slot));
        living += lives;
        died += 1 - lives;
    }
    alive.truncate(living);
    dead.truncate(died);
}
