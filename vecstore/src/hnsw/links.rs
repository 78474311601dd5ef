//! The links of a growing graph.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::Chunked;
use crate::Config;
use crate::codes::prefetch;

/// Marks the end of a list of links that is shorter than its place.
pub(crate) const NO_LINK: u32 = u32::MAX;

const NO_ENTRY: u64 = u64::MAX;

/// The links of a growing graph: for each slot and each layer that it reaches, a list of at most
/// `max_links(level)` slots.
///
/// One thread at a time writes a list; any number read it meanwhile. A reader may see a list while it is
/// being replaced: a mixture of old and new links, each of them valid, which costs a search nothing.
pub(crate) struct Links {
    m: usize,
    lowest: Chunked<AtomicU32>,
    /// The lists of layers 1, 2, ... of the few slots that reach them, one after another.
    upper: Chunked<OnceLock<Box<[AtomicU32]>>>,
    entry: AtomicU64,
}

impl Links {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            m: config.m,
            lowest: Chunked::new(config.max_links(0), no_link),
            upper: Chunked::new(1, OnceLock::new),
            entry: AtomicU64::new(NO_ENTRY),
        }
    }

    pub(crate) fn entry(&self) -> Option<(u32, usize)> {
        let entry = self.entry.load(Ordering::Acquire);
        (entry != NO_ENTRY).then_some((entry as u32, (entry >> 32) as usize))
    }

    pub(crate) fn set_entry(&self, entry: Option<(u32, usize)>) {
        let packed = entry.map(|(slot, level)| u64::from(slot) | (level as u64) << 32);
        self.entry.store(packed.unwrap_or(NO_ENTRY), Ordering::Release);
    }

    /// Makes room for the lists of a slot on all layers up to `top`.
    pub(crate) fn add(&self, slot: u32, top: usize) {
        self.lowest.ensure(slot as usize);
        let upper = self.upper.ensure(slot as usize);
        if top > 0 {
            upper[0].get_or_init(|| (0..top * self.m).map(|_| no_link()).collect());
        }
    }

    /// The list of a slot that was [`add`](Self::add)ed up to `level` or higher.
    #[inline]
    fn list(&self, slot: u32, level: usize) -> &[AtomicU32] {
        let list = match level {
            0 => self.lowest.get(slot as usize),
            _ => self
                .upper
                .get(slot as usize)
                .and_then(|upper| upper[0].get()?.chunks_exact(self.m).nth(level - 1)),
        };
        list.unwrap_or_default()
    }

    #[inline]
    pub(crate) fn for_each(&self, slot: u32, level: usize, mut visit: impl FnMut(u32)) {
        for link in self.list(slot, level) {
            match link.load(Ordering::Relaxed) {
                NO_LINK => break,
                link => visit(link),
            }
        }
    }

    /// Says that the list of a slot will be asked for soon.
    #[inline]
    pub(crate) fn prefetch(&self, slot: u32, level: usize) {
        prefetch(self.list(slot, level));
    }

    /// Replaces the list of a slot; `links` must not be longer than the layer allows.
    pub(crate) fn set(&self, slot: u32, level: usize, links: impl IntoIterator<Item = u32>) {
        let mut links = links.into_iter();
        for place in self.list(slot, level) {
            place.store(links.next().unwrap_or(NO_LINK), Ordering::Relaxed);
        }
        debug_assert!(links.next().is_none(), "more links than the layer allows");
    }
}

fn no_link() -> AtomicU32 {
    AtomicU32::new(NO_LINK)
}
