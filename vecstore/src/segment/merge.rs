//! Joining a segment and the tails after it into the graph of the next segment.

use std::sync::Arc;

use super::Segment;
use crate::hnsw::{self, Graph, GraphMut, Links};
use crate::part::Part;
use crate::tail::TailIndex;
use crate::{Config, Error, Result};

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
    /// The last change that is included.
    pub(super) seq: u64,
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
            seq,
        };
        if merge.len() > hnsw::MAX_SLOTS {
            return Err(Error::Full { limit: hnsw::MAX_SLOTS });
        }
        merge.take_over_old_links();
        if merge.survives.contains(&false) {
            hnsw::repair(&merge, &config, &merge.levels, |slot| merge.alive(slot));
        }
        merge.insert_added();
        Ok(merge)
    }

    fn take_over_old_links(&mut self) {
        let Some(old) = self.old else { return };
        for slot in 0..old.len() as u32 {
            let top = old.level(slot);
            self.links.add(slot, top);
            for level in 0..=top {
                let mut links = Vec::new();
                old.for_each_link(slot, level, |link| links.push(link));
                self.links.set(slot, level, links);
            }
            self.levels.push(top as u8);
        }
        self.links.set_entry(old.entry());
    }

    fn insert_added(&mut self) {
        for slot in self.survives.len() as u32..self.len() as u32 {
            let level = hnsw::level_of(self.id(slot), &self.config);
            self.levels.push(level as u8);
            hnsw::insert(self, &self.config, slot, level, |slot| self.alive(slot));
        }
    }

    /// The part that holds a slot, and its number there.
    fn place(&self, slot: u32) -> (&dyn Part, u32) {
        match self.old {
            Some(old) if (slot as usize) < self.survives.len() => (old, slot),
            _ => {
                let (tail, slot) = self.added[slot as usize - self.survives.len()];
                (tail, slot)
            }
        }
    }

    fn alive(&self, slot: u32) -> bool {
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

    pub(super) fn level(&self, slot: u32) -> usize {
        usize::from(self.levels[slot as usize])
    }

    /// The live slots in the order of the file: by descending layer, so that a layer is a prefix;
    /// within that breadth-first from the entry, so that neighbours lie near each other.
    pub(super) fn order(&self) -> Vec<u32> {
        let mut met = vec![false; self.len()];
        let mut order = Vec::with_capacity(self.len());
        let starts = self.entry().map(|(slot, _)| slot).into_iter().chain(0..self.len() as u32);
        for start in starts.filter(|&slot| self.alive(slot)) {
            let mut next = order.len();
            let mut meet = |slot: u32, order: &mut Vec<u32>| {
                if !std::mem::replace(&mut met[slot as usize], true) {
                    order.push(slot);
                }
            };
            meet(start, &mut order);
            while let Some(&slot) = order.get(next) {
                // Links of live slots lead to live slots only, once the graph is repaired.
                self.for_each_link(slot, 0, |link| meet(link, &mut order));
                next += 1;
            }
        }
        order.sort_by_key(|&slot| std::cmp::Reverse(self.level(slot)));
        order
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
    fn row(&self, slot: u32) -> &[f32] {
        let (part, slot) = self.place(slot);
        part.row(slot)
    }

    #[inline]
    fn distance(&self, a: &[f32], b: &[f32]) -> f32 {
        self.config.metric.distance(a, b)
    }

    #[inline]
    fn for_each_link(&self, slot: u32, level: usize, visit: impl FnMut(u32)) {
        self.links.for_each(slot, level, visit);
    }
}

impl GraphMut for Merge<'_> {
    fn links(&self) -> &Links {
        &self.links
    }
}
