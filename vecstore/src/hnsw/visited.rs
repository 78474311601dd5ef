//! The set of slots that one search has seen.

/// A set of slots, a bit for each. What it was is undone, not cleared as a whole, so that a search costs
/// what it sees and not what there is.
#[derive(Default)]
pub(crate) struct Visited {
    words: Vec<u64>,
    seen: Vec<u32>,
}

impl Visited {
    /// Empties the set, and makes room for slots below `limit`.
    pub(crate) fn reset(&mut self, limit: usize) {
        for &slot in &self.seen {
            self.words[slot as usize / 64] = 0;
        }
        self.seen.clear();
        let words = limit.div_ceil(64);
        if words > self.words.len() {
            self.words.resize(words, 0);
        }
    }

    /// Adds a slot, which must be below the limit; true if it was not there yet.
    #[inline]
    pub(crate) fn insert(&mut self, slot: u32) -> bool {
        let added = self.mark(slot);
        if added {
            self.seen.push(slot);
        }
        added
    }

    /// Adds slots, which must be below the limit, and takes those that were there already out of the
    /// list. Nothing in it depends on which these are, so the processor has nothing to guess wrong.
    #[inline]
    pub(crate) fn insert_new(&mut self, slots: &mut Vec<u32>) {
        let mut new = 0;
        for place in 0..slots.len() {
            let slot = slots[place];
            slots[new] = slot;
            new += usize::from(self.mark(slot));
        }
        slots.truncate(new);
        self.seen.extend_from_slice(slots);
    }

    #[inline]
    fn mark(&mut self, slot: u32) -> bool {
        let (word, bit) = (&mut self.words[slot as usize / 64], 1 << (slot % 64));
        let added = *word & bit == 0;
        *word |= bit;
        added
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set(searches in proptest::collection::vec(
            (1usize..3000, proptest::collection::vec(0u32..3000, 0..300)), 0..5,
        )) {
            let mut set = Visited::default();
            for (limit, slots) in searches {
                set.reset(limit);
                let mut oracle = HashSet::new();
                let mut slots: Vec<_> =
                    slots.into_iter().filter(|&slot| (slot as usize) < limit).collect();
                let at_once = slots.split_off(slots.len() / 2);
                for slot in slots {
                    prop_assert_eq!(set.insert(slot), oracle.insert(slot));
                }
                let mut new = at_once.clone();
                set.insert_new(&mut new);
                let expected: Vec<_> =
                    at_once.into_iter().filter(|&slot| oracle.insert(slot)).collect();
                prop_assert_eq!(new, expected);
            }
        }
    }
}
