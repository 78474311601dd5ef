//! Bringing new records into the tails' graphs, off the way of the writes.

use std::sync::atomic::Ordering::Relaxed;

use super::{Shared, Store, lock, start};
use crate::Result;
use crate::hnsw::Graph;
use crate::plan::SCAN_LIMIT;

/// So many new records are compared one by one at most before a thread begins to link them.
const MAX_UNLINKED: usize = 1_000;

/// How many records are linked before the thread looks what else there is to do.
const AT_ONCE: usize = 64;

impl Store {
    /// Called before a write: starts a thread that links what was written, if that is much.
    pub(super) fn keep_linked(&self) -> Result<()> {
        if !self.shared.is_due(MAX_UNLINKED) {
            return Ok(());
        }
        start(&mut lock(&self.linker), "vecstore link", &self.shared, Shared::link)
    }
}

impl Shared {
    /// Whether some tail that is too large to be compared as a whole has `count` records that are not
    /// linked.
    fn is_due(&self, count: usize) -> bool {
        let view = self.view.load();
        view.tails.iter().any(|tail| tail.len() > SCAN_LIMIT && tail.len() - tail.linked() >= count)
    }

    /// Links until nothing is due.
    fn link(&self) {
        while self.is_due(1) && !self.closing.load(Relaxed) {
            for tail in &self.view.load_full().tails {
                if tail.len() > SCAN_LIMIT {
                    tail.link(AT_ONCE);
                }
            }
        }
    }
}
