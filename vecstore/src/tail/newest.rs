//! Which slot holds the newest record of an id.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU32, AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};

use arc_swap::ArcSwap;

const FREE: u32 = u32::MAX;

/// A hash table from ids to slots. One thread writes at a time; any number read meanwhile and never
/// wait, not even while it grows. It holds slots alone: whoever asks says which id a slot has.
pub(super) struct Newest {
    /// Open addressing with linear probing; at least half of the places are free.
    places: ArcSwap<Box<[AtomicU32]>>,
    len: AtomicUsize,
    hasher: RandomState,
}

impl Newest {
    pub(super) fn new() -> Self {
        Self {
            places: ArcSwap::from_pointee(free(64)),
            len: AtomicUsize::new(0),
            hasher: RandomState::new(),
        }
    }

    pub(super) fn get(&self, id: u64, id_of: impl Fn(u32) -> u64) -> Option<u32> {
        let places = self.places.load();
        let slot = self.place(&places, id, id_of).load(Acquire);
        (slot != FREE).then_some(slot)
    }

    /// Makes `slot` the newest of an id.
    pub(super) fn set(&self, id: u64, slot: u32, id_of: impl Fn(u32) -> u64) {
        let places = self.places.load();
        let place = self.place(&places, id, &id_of);
        if place.load(Relaxed) != FREE {
            return place.store(slot, Release);
        }
        let len = self.len.fetch_add(1, Relaxed) + 1;
        if 2 * len <= places.len() {
            return place.store(slot, Release);
        }
        // Who reads the old table meanwhile finds in it all that was there when it began.
        let larger = free(4 * places.len());
        let taken = places.iter().map(|place| place.load(Relaxed)).filter(|&slot| slot != FREE);
        for slot in taken.chain([slot]) {
            self.place(&larger, id_of(slot), &id_of).store(slot, Relaxed);
        }
        self.places.store(Arc::new(larger));
    }

    /// The place of an id: where its slot is, or the free one where it would be.
    fn place<'p>(
        &self,
        places: &'p [AtomicU32],
        id: u64,
        id_of: impl Fn(u32) -> u64,
    ) -> &'p AtomicU32 {
        let mask = places.len() - 1;
        let mut at = self.hasher.hash_one(id) as usize;
        loop {
            let place = &places[at & mask];
            let slot = place.load(Acquire);
            if slot == FREE || id_of(slot) == id {
                return place;
            }
            at += 1;
        }
    }
}

/// A table of `count` places, a power of two.
fn free(count: usize) -> Box<[AtomicU32]> {
    (0..count).map(|_| AtomicU32::new(FREE)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map(ids in proptest::collection::vec(0u64..500, 0..2000)) {
            let (newest, mut oracle) = (Newest::new(), HashMap::new());
            let id_of = |slot: u32| ids[slot as usize];
            for (slot, &id) in (0..).zip(&ids) {
                prop_assert_eq!(newest.get(id, id_of), oracle.get(&id).copied());
                newest.set(id, slot, id_of);
                oracle.insert(id, slot);
            }
            for id in 0..600 {
                prop_assert_eq!(newest.get(id, id_of), oracle.get(&id).copied());
            }
        }
    }
}
