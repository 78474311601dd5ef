//! Making the graph of a tag.

use roaring::RoaringBitmap;

use super::file_order::FileOrder;
use super::merge::Merge;
use super::tag_graph::{Layout, TagGraph};
use crate::hnsw::{self, Graph, GraphMut, GrowingMembers, Links, Subgraph, look_around, take_over};
use crate::mix::mix;
use crate::plan::SCAN_LIMIT;
use crate::slot_set::SlotSet;

/// To compare fewer hardly takes longer than to walk.
const MIN_MEMBERS: u64 = 2 * SCAN_LIMIT as u64;

/// So many slots are looked at to learn whether a tag lies apart,
const SAMPLE: usize = 64;

/// and it does if it is far from so many of them.
const APART: usize = SAMPLE / 16;

/// The graph of the records with a tag, as it is written; empty if the tag needs none. `tagged` has the places
/// of these records in the file, `old` is the graph that the tag had in the old segment.
///
/// Qdrant links the records of each indexed value, too (<https://qdrant.tech/articles/filtrable-hnsw/>); here
/// that is done only where it helps: for a tag that many records have, and whose records lie apart from many
/// of the others, so that a walk among all does not come to them.
pub(super) fn tag_graph(
    merge: &Merge<'_>,
    order: &FileOrder,
    tagged: &RoaringBitmap,
    old: Option<&TagGraph<'_>>,
) -> Vec<u8> {
    if tagged.len() < MIN_MEMBERS {
        return Vec::new();
    }
    let tagged: Vec<u32> = tagged.iter().map(|place| order.slots[place as usize]).collect();
    let old =
        old.map(|old| (old, slots_of(old))).filter(|(_, slots)| are_those(merge, slots, &tagged));
    if old.is_none() && !lies_apart(merge, &tagged) {
        return Vec::new();
    }

    let links = Links::new(&merge.config);
    let (mut slots, mut added) = (Vec::new(), tagged);
    if let Some((old, old_slots)) = old {
        take_over(&links, old, |member| old.members.level(member));
        added.retain(|&slot| !merge.is_old(slot));
        slots = old_slots;
    }
    let linked = slots.len();
    // In no order of theirs: slots that lie near each other are not to come one after another.
    added.sort_unstable_by_key(|&slot| mix(slot.into()));
    slots.extend(added);

    let levels: Vec<u8> = slots.iter().map(|&slot| merge.level(slot) as u8).collect();
    let graph = Subgraph { whole: merge, members: GrowingMembers { slots, links } };
    let slots = &graph.members.slots;
    let lives = |member| merge.alive(slots[member as usize]);
    hnsw::renew(&graph, &merge.config, &levels, linked, merge.threads, lives);

    let place = |member: u32| order.places[slots[member as usize] as usize];
    let mut members: Vec<u32> = (0..slots.len() as u32).filter(|&member| lives(member)).collect();
    members.sort_unstable_by_key(|&member| place(member));
    let members = FileOrder::new(members, slots.len(), |it| usize::from(levels[it as usize]));
    let layout = Layout::new(&merge.config, members.layers);
    let places = members.slots.iter().map(|&member| place(member));
    layout.bytes(places, members.lists(&graph, &merge.config))
}

/// The slots of the old segment that are in a graph.
fn slots_of(old: &TagGraph<'_>) -> Vec<u32> {
    (0..old.len() as u32).map(|member| old.slot(member)).collect()
}

/// Whether slots of the old segment are those with a tag, dead ones too, as they are unless the file was
/// made to mislead.
fn are_those(merge: &Merge<'_>, slots: &[u32], tagged: &[u32]) -> bool {
    let mut living: Vec<u32> = tagged.iter().copied().filter(|&slot| merge.is_old(slot)).collect();
    living.sort_unstable();
    slots.is_sorted_by(|a, b| a < b)
        && slots.iter().copied().filter(|&slot| merge.alive(slot)).eq(living)
}

/// Whether a search for what is like one of the records would often not find the way to those that have a tag.
fn lies_apart(merge: &Merge<'_>, tagged: &[u32]) -> bool {
    let mut set = SlotSet::empty(merge.len());
    for &slot in tagged {
        set.insert(slot);
    }
    let all = 0..merge.len() as u32;
    let alive = all.filter(|&slot| merge.alive(slot)).collect::<Vec<_>>();
    let share = tagged.len() as f64 / alive.len() as f64;
    let sample = alive.iter().step_by(alive.len().div_ceil(SAMPLE));
    let far = sample.filter(|&&slot| {
        look_around(merge, &merge.target_of(slot), |slot| set.contains(slot)).is_far(share)
    });
    far.count() >= APART
}
