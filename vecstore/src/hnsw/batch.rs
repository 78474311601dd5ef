//! Adding many nodes to the graph, by several threads.

use std::ops::Range;
use std::panic;
use std::thread;

use super::GraphMut;
use super::insert::{add, link_back, neighbours};
use crate::Config;

/// For so many slots that are in the graph one is added at once: few enough that they hardly miss the
/// links that they do not get to each other.
const LINKED_PER_NEW: usize = 32;

/// Links slots, whose rows are already in the graph, on all layers up to those that `levels` gives.
/// `accept` says which slots may be linked to.
///
/// Slots come in batches, as in ParlayANN (M. D. Manohar et al., PPoPP 2024, section 3.1): those of one
/// look for their neighbours in the graph as it is, then these get links back, each by one thread. So
/// the graph does not depend on the number of threads.
pub(crate) fn insert_all<G: GraphMut + Sync>(
    graph: &G,
    config: &Config,
    mut slots: Range<u32>,
    levels: &[u8],
    threads: usize,
    accept: impl Fn(u32) -> bool + Sync,
) {
    let level = |slot| usize::from(levels[slot as usize]);
    while !slots.is_empty() {
        // A slot that reaches a new layer comes alone, since others are linked to it there.
        let top = graph.entry().map(|(_, top)| top);
        let few = slots.clone().take(slots.start as usize / LINKED_PER_NEW);
        let count = few.take_while(|&slot| Some(level(slot)) <= top).count().max(1);
        let batch: Vec<u32> = slots.by_ref().take(count).collect();

        let find = |&slot: &u32| neighbours(graph, config, slot, level(slot), &accept);
        let found = map(&batch, threads, find);
        let mut back = Vec::new();
        for (slot, layers) in batch.into_iter().zip(found) {
            add(graph, slot, level(slot), &layers);
            for (level, neighbours) in layers {
                back.extend(neighbours.into_iter().map(|neighbour| (neighbour, level, slot)));
            }
        }
        back.sort_unstable();
        let same_list = |a: &(u32, usize, u32), b: &(u32, usize, u32)| (a.0, a.1) == (b.0, b.1);
        let lists: Vec<_> = back.chunk_by(same_list).collect();
        map(&lists, threads, |list| {
            let (from, level, _) = list[0];
            link_back(graph, config, from, level, list.iter().map(|&(_, _, slot)| slot));
        });
    }
}

/// What `work` makes of items, in their order, by up to so many threads.
fn map<T: Sync, R: Send>(items: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let work_on = |items: &[T]| items.iter().map(&work).collect::<Vec<_>>();
    let mut parts = items.chunks(items.len().div_ceil(threads).max(1));
    let first = parts.next().unwrap_or_default();
    thread::scope(|scope| {
        let others: Vec<_> = parts.map(|part| scope.spawn(|| work_on(part))).collect();
        let mut results = work_on(first);
        for other in others {
            results.extend(other.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
        }
        results
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hnsw::{Graph, level_of, links_of};
    use crate::mix::mix;
    use crate::tail::{Op, TailIndex};
    use crate::{Metric, Record};

    #[test]
    fn the_graph_does_not_depend_on_the_number_of_threads() {
        let config = Config::new(8, Metric::Cosine).with_m(4).with_ef_construction(20);
        let levels: Vec<u8> = (0..2000).map(|id| level_of(id, &config) as u8).collect();
        let built = |threads| {
            let graph = TailIndex::new(config);
            for id in 0..2000 {
                let component = |place| mix(8 * id + place) as u32 as f32 - 2e9;
                let record = Record::new(id, (0..8).map(component).collect::<Vec<_>>());
                graph.add(0, Op::put(&record, &config).unwrap()).unwrap();
            }
            insert_all(&graph, &config, 0..2000, &levels, threads, |_| true);
            let lists = (0..2000).flat_map(|slot| {
                let levels = 0..=usize::from(levels[slot as usize]);
                levels.map(|level| links_of(&graph, slot, level)).collect::<Vec<_>>()
            });
            (graph.entry(), lists.collect::<Vec<_>>())
        };
        let (entry, lists) = built(1);
        assert!(entry.is_some_and(|(_, level)| level > 2));
        assert!(lists.iter().filter(|list| list.is_empty()).count() < 10);
        assert_eq!(built(3), (entry, lists));
    }
}
