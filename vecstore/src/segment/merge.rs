//! Joining a segment and the tails after it into the graph of the next segment.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::available_parallelism;

use super::Segment;
use super::coded::Coded;
use super::file_order::FileOrder;
use super::tag_graph::TagGraph;
use crate::codes::prefetch;
use crate::hnsw::{self, Graph, GraphMut, Links, NO_LINK, Target};
use crate::part::Part;
use crate::plan::SCAN_LIMIT;
use crate::row::Row;
use crate::tail::TailIndex;
use crate::{Config, Error, Result};

/// Vectors of fewer components are as short as a code, which fills a cache line.
const MIN_DIMENSION: usize = 32;

/// What the next segment is made of.
pub(crate) struct Sources<'a> {
    pub(crate) old: Option<&'a Segment>,
    /// Closed tails, oldest first.
    pub(crate) tails: &'a [Arc<TailIndex>],
    /// The records of a bulk load, which replace those with the same ids in the others.
    pub(crate) bulk: Option<&'a TailIndex>,
    /// The last change that is included.
    pub(crate) seq: u64,
    pub(crate) config: Config,
}

/// The records of the next segment and their graph, and the order in which they are written.
///
/// Its slots are those of the old segment, dead ones too, then the live ones of the tails.
pub(super) struct Merge<'a> {
    pub(super) config: Config,
    old: Option<&'a Segment>,
    /// Which slots of the old segment live on.
    survives: Vec<bool>,
    added: Vec<(&'a TailIndex, u32)>,
    /// The highest layer of each slot.
    levels: Vec<u8>,
    links: Links,
    /// What the graph is built on, unless it is small.
    pub(super) coded: Option<Coded>,
    /// The last change that is included.
    pub(super) seq: u64,
    /// So many work at it. Whoever loads in bulk waits for it; a checkpoint must not take the processor from
    /// readers.
    pub(super) threads: usize,
}

impl<'a> Merge<'a> {
    /// The graph of everything alive as of `seq`. The old segment is verified first: damage must not
    /// be written on under a new checksum.
    pub(super) fn new(sources: &Sources<'a>) -> Result<Self> {
        let &Sources { old, tails, bulk, seq, config } = sources;
        if let Some(old) = old {
            old.verify_pages()?;
        }
        let replaced = |id| bulk.is_some_and(|bulk| bulk.find(id, seq).is_some());
        let lives = |part: &dyn Part, slot| part.visible(slot, seq) && !replaced(part.id(slot));
        let survives = old
            .map_or(Vec::new(), |old| (0..old.len() as u32).map(|slot| lives(old, slot)).collect());
        let of_tails = tails.iter().flat_map(|tail| {
            let slots = (0..tail.len() as u32).filter(move |&slot| lives(&**tail, slot));
            slots.map(|slot| (&**tail, slot))
        });
        let of_bulk = bulk.into_iter().flat_map(|bulk| {
            let slots = (0..bulk.len() as u32).filter(move |&slot| bulk.visible(slot, seq));
            slots.map(move |slot| (bulk, slot))
        });
        let mut merge = Self {
            config,
            old,
            survives,
            added: of_tails.chain(of_bulk).collect(),
            levels: Vec::new(),
            links: Links::new(&config),
            coded: None,
            seq,
            threads: bulk.and(available_parallelism().ok()).map_or(1, usize::from),
        };
        if merge.len() > hnsw::MAX_SLOTS {
            return Err(Error::Full { limit: hnsw::MAX_SLOTS });
        }
        if merge.has_codes() {
            let row = |slot| merge.alive(slot).then(|| merge.row(slot).to_f32());
            let rows = (0..merge.len() as u32).map(row);
            merge.coded = Coded::new(&config, rows);
        }
        if let Some(old) = old {
            hnsw::take_over(&merge.links, old, |slot| old.level(slot));
        }
        merge.levels = (0..merge.len() as u32).map(|slot| merge.level_of(slot) as u8).collect();
        let (levels, linked) = (&merge.levels, merge.survives.len());
        hnsw::renew(&merge, &config, levels, linked, merge.threads, |slot| merge.alive(slot));
        Ok(merge)
    }

    /// Whether codes pay: the vectors are longer than a code, and so many that a graph is walked.
    fn has_codes(&self) -> bool {
        self.config.dimension >= MIN_DIMENSION && self.len() > SCAN_LIMIT
    }

    /// The highest layer that a slot has or is to have.
    fn level_of(&self, slot: u32) -> usize {
        match self.old {
            Some(old) if self.is_old(slot) => old.level(slot),
            _ => hnsw::level_of(self.id(slot), &self.config),
        }
    }

    /// The part that holds a slot, and its number there.
    fn place(&self, slot: u32) -> (&dyn Part, u32) {
        match self.old {
            Some(old) if self.is_old(slot) => (old, slot),
            _ => {
                let (tail, slot) = self.added[slot as usize - self.survives.len()];
                (tail, slot)
            }
        }
    }

    pub(super) fn alive(&self, slot: u32) -> bool {
        self.survives.get(slot as usize).is_none_or(|&survives| survives)
    }

    pub(super) fn id(&self, slot: u32) -> u64 {
        let (part, slot) = self.place(slot);
        part.id(slot)
    }

    pub(super) fn group(&self, slot: u32) -> Result<Option<&str>> {
        let (part, slot) = self.place(slot);
        part.group(slot)
    }

    pub(super) fn tags(&self, slot: u32) -> Result<Vec<&str>> {
        let (part, slot) = self.place(slot);
        part.tags(slot)
    }

    pub(super) fn payload(&self, slot: u32) -> Result<&[u8]> {
        let (part, slot) = self.place(slot);
        part.payload(slot)
    }

    /// The graph that a tag had in the old segment.
    pub(super) fn old_tag_graph(&self, tag: &str) -> Result<Option<TagGraph<'a>>> {
        self.old.map_or(Ok(None), |old| old.tag_graph(tag))
    }

    /// Whether a slot is one of the old segment.
    pub(super) fn is_old(&self, slot: u32) -> bool {
        (slot as usize) < self.survives.len()
    }

    pub(super) fn level(&self, slot: u32) -> usize {
        usize::from(self.levels[slot as usize])
    }

    /// The live slots in the order of the file: by descending layer, so that a layer is a prefix;
    /// within that so that what is near lies near, and a walk stays on few pages of memory. To that end
    /// every slot belongs to the nearest slot of the layer above, by steps in its own layer, and the
    /// slots that belong to one follow each other, in the order of those that they belong to.
    pub(super) fn order(&self) -> FileOrder {
        let top = self.entry().map_or(0, |(_, level)| level);
        let mut ordered = Vec::new();
        for level in (0..=top).rev() {
            ordered = self.with_next_layer(&ordered, level);
        }
        ordered.sort_by_key(|&slot| std::cmp::Reverse(self.level(slot)));
        FileOrder::new(ordered, self.len(), |slot| self.level(slot))
    }

    /// The slots of a layer, those of the layer above in the order given, each followed by the others
    /// that belong to it.
    fn with_next_layer(&self, above: &[u32], level: usize) -> Vec<u32> {
        let mut owners = vec![NO_LINK; self.len()];
        let mut met = Vec::new();
        let mut queue: VecDeque<u32> = above.iter().copied().collect();
        for (place, &slot) in (0..).zip(above) {
            owners[slot as usize] = place;
        }
        let all = (0..self.len() as u32).filter(|&it| self.alive(it) && self.level(it) >= level);
        for start in all {
            if queue.is_empty() && owners[start as usize] == NO_LINK {
                // No path leads here, so it belongs to the last one.
                owners[start as usize] = above.len() as u32;
                met.push(start);
                queue.push_back(start);
            }
            while let Some(slot) = queue.pop_front() {
                // Links of live slots lead to live slots only, once the graph is repaired.
                self.for_each_link(slot, level, |link| {
                    if owners[link as usize] == NO_LINK {
                        owners[link as usize] = owners[slot as usize];
                        met.push(link);
                        queue.push_back(link);
                    }
                });
            }
        }
        met.extend(above);
        // Stable: those above come first, then those that belong to them as they were met.
        met.rotate_right(above.len());
        met.sort_by_key(|&slot| owners[slot as usize]);
        met
    }
}

impl Graph for Merge<'_> {
    fn len(&self) -> usize {
        self.survives.len() + self.added.len()
    }

    fn entry(&self) -> Option<(u32, usize)> {
        self.links.entry()
    }

    #[inline]
    fn row(&self, slot: u32) -> Row<'_> {
        let (part, slot) = self.place(slot);
        part.row(slot)
    }

    #[inline]
    fn distance(&self, target: &Target<'_>, slot: u32) -> f32 {
        self.config.metric.distance(&target.row, self.row(slot))
    }

    fn target<'v>(&self, row: &'v [f32]) -> Target<'v> {
        Target { row: row.into(), code: self.coded.as_ref().map(|coded| coded.target(row)) }
    }

    fn distances(&self, target: &Target<'_>, slots: &[u32], distances: &mut Vec<f32>) {
        match (&target.code, &self.coded) {
            (Some(target), Some(coded)) => coded.distances(target, slots, distances),
            _ => self.distances_by_row(target, slots, distances),
        }
    }

    #[inline]
    fn for_each_link(&self, slot: u32, level: usize, visit: impl FnMut(u32)) {
        self.links.for_each(slot, level, visit);
    }

    #[inline]
    fn prefetch(&self, slots: &[u32]) {
        if let Some(coded) = &self.coded {
            slots.iter().for_each(|&slot| prefetch(coded.code(slot)));
        }
    }

    #[inline]
    fn prefetch_links(&self, slot: u32, level: usize) {
        self.links.prefetch(slot, level);
    }
}

impl GraphMut for Merge<'_> {
    fn target_of(&self, slot: u32) -> Target<'_> {
        match &self.coded {
            // Only codes are compared then, and to fetch the row takes longer than that.
            Some(coded) => Target { row: Cow::default(), code: Some(coded.target_of(slot)) },
            None => Target { row: self.row(slot).to_f32(), code: None },
        }
    }

    fn links(&self) -> &Links {
        &self.links
    }
}
