//! The links of a growing graph.

use std::sync::atomic::{
    AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};

use super::{Chunked, MAX_LEVELS};
use crate::Config;

/// Marks the end of a list of links that is shorter than its place.
pub(crate) const NO_LINK: u32 = u32::MAX;

const NO_ENTRY: u64 = u64::MAX;

/// The links of a growing graph: one list of at most `max_links(level)` slots for each slot and layer.
///
/// One thread writes at a time; any number read meanwhile. A reader may see a list while it is being
/// replaced: a mixture of old and new links, each of them valid, which costs a search nothing.
pub(crate) struct Links {
    /// One list per layer; an item of layer `l` exists for slots that reach layer `l`.
    layers: Box<[Chunked<AtomicU32>]>,
    entry: AtomicU64,
}

impl Links {
    pub(crate) fn new(config: &Config) -> Self {
        let layer = |level| Chunked::new(config.max_links(level), || AtomicU32::new(NO_LINK));
        Self {
            layers: (0..MAX_LEVELS).map(layer).collect(),
            entry: AtomicU64::new(NO_ENTRY),
        }
    }

    pub(crate) fn entry(&self) -> Option<(u32, usize)> {
        let entry = self.entry.load(Acquire);
        (entry != NO_ENTRY).then_some((entry as u32, (entry >> 32) as usize))
    }

    pub(crate) fn set_entry(&self, slot: u32, level: usize) {
        self.entry
            .store(u64::from(slot) | (level as u64) << 32, Release);
    }

    #[inline]
    pub(crate) fn for_each(&self, slot: u32, level: usize, mut visit: impl FnMut(u32)) {
        for link in self.layers[level].get(slot as usize).unwrap_or_default() {
            match link.load(Relaxed) {
                NO_LINK => break,
                link => visit(link),
            }
        }
    }

    /// Replaces the list of a slot; `links` must not be longer than the layer allows.
    pub(crate) fn set(&self, slot: u32, level: usize, links: impl IntoIterator<Item = u32>) {
        let mut links = links.into_iter();
        for place in self.layers[level].ensure(slot as usize) {
            place.store(links.next().unwrap_or(NO_LINK), Relaxed);
        }
        debug_assert!(links.next().is_none(), "more links than the layer allows");
    }
}
