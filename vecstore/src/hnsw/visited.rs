//! The set of slots that one search has seen.

/// A hash set of slots whose memory follows the number of slots seen, not the size of the graph,
/// so that a reader stays small however large its segment is.
#[derive(Default)]
pub(crate) struct Visited {
    /// Open addressing with linear probing; 0 is an empty place, `slot + 1` a taken one.
    places: Vec<u32>,
    len: usize,
}

impl Visited {
    /// Empties the set and makes room for about `expected` slots.
    pub(crate) fn reset(&mut self, expected: usize) {
        let places = (2 * expected).next_power_of_two().max(256);
        self.len = 0;
        self.places.clear();
        self.places.resize(places, 0);
        self.places.shrink_to(4 * places);
    }

    /// Adds a slot; true if it was not there yet.
    #[inline]
    pub(crate) fn insert(&mut self, slot: u32) -> bool {
        if 2 * (self.len + 1) > self.places.len() {
            self.grow();
        }
        let added = Self::add(&mut self.places, slot + 1);
        self.len += usize::from(added);
        added
    }

    fn add(places: &mut [u32], key: u32) -> bool {
        let mask = places.len() - 1;
        // Fibonacci hashing (Knuth, TAOCP volume 3, section 6.4): the high bits are well mixed.
        let mut place = (key.wrapping_mul(0x9E37_79B9) >> (32 - places.len().ilog2())) as usize;
        loop {
            match places[place & mask] {
                0 => {
                    places[place & mask] = key;
                    return true;
                }
                taken if taken == key => return false,
                _ => place += 1,
            }
        }
    }

    #[cold]
    fn grow(&mut self) {
        let mut places = vec![0; 4 * self.places.len().max(64)];
        for &key in self.places.iter().filter(|&&key| key != 0) {
            Self::add(&mut places, key);
        }
        self.places = places;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set(slots in proptest::collection::vec(0u32..5000, 0..3000), far in any::<bool>()) {
            let (mut set, mut oracle) = (Visited::default(), HashSet::new());
            set.reset(10);
            for slot in slots {
                let slot = if far { slot.wrapping_mul(800_000) % (u32::MAX - 1) } else { slot };
                prop_assert_eq!(set.insert(slot), oracle.insert(slot));
            }
            set.reset(10);
            prop_assert!(set.insert(3));
        }
    }
}
