//! Bringing new records into the tails' graphs, off the way of the writes.

use std::sync::atomic::Ordering::Relaxed;

use super::{Shared, Store, start};
use crate::hnsw::Graph;
use crate::plan::SCAN_LIMIT;
use crate::snapshot::View;

/// Searches compare fewer new records than these one by one; for more, a thread begins to link them.
const MAX_UNLINKED: usize = 1_000;

/// How many records are linked before the thread looks what else there is to do.
const AT_ONCE: usize = 64;

impl Store {
    /// Called before a search: starts a thread that links what was written, if that is much. Writes do
    /// not, since a checkpoint links all of it anyway: a store that nobody searches links nothing twice.
    pub(super) fn keep_linked(&self, view: &View) {
        if !is_due(view, MAX_UNLINKED) {
            return;
        }
        // Whoever holds it is starting the thread.
        if let Ok(mut linker) = self.linker.try_lock() {
            // Without the thread a search takes longer, and the next one tries again.
            let _ = start(&mut linker, "vecstore link", &self.shared, Shared::link);
        }
    }
}

impl Shared {
    /// Links until nothing is due.
    fn link(&self) {
        while is_due(&self.view.load(), 1) && !self.closing.load(Relaxed) {
            for tail in &self.view.load_full().tails {
                if tail.len() > SCAN_LIMIT {
                    tail.link(AT_ONCE);
                }
            }
        }
    }
}

/// Whether some tail that is too large to be compared as a whole has `count` records that are not
/// linked.
fn is_due(view: &View, count: usize) -> bool {
    view.tails.iter().any(|tail| tail.len() > SCAN_LIMIT && tail.linked() + count <= tail.len())
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::mix::mix;
    use crate::{Config, Durability, Metric, Query, Record};

    #[test]
    fn what_is_searched_gets_linked() {
        let vector = |id: u64| (0..8).map(|place| mix(8 * id + place) as u32 as f32).collect();
        let directory = tempfile::tempdir().unwrap();
        let store =
            Store::create(directory.path().join("store"), Config::new(8, Metric::SquaredEuclidean));
        let store = store.unwrap().with_durability(Durability::OnFlush);
        let linked = || store.shared.view.load().tails[0].linked();
        let records: Vec<_> = (0..4000).map(|id| Record::new(id, vector(id))).collect();
        store.insert_batch(&records).unwrap();
        store.insert_batch(&records[..1]).unwrap();
        assert_eq!(linked(), 0);

        let begun = Instant::now();
        while linked() <= 4000 {
            let query: Vec<_> = vector(7);
            assert_eq!(store.search(&Query::new(&query, 1)).unwrap()[0].id, 7);
            assert!(begun.elapsed() < Duration::from_secs(60), "{} are linked", linked());
            sleep(Duration::from_millis(1));
        }
    }
}
