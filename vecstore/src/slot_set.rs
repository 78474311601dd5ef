//! A set of slots of one part.

/// A set of slots below a limit, one bit for each: to ask whether a slot is in it takes a nanosecond,
/// and a filtered walk asks thousands of times.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SlotSet {
    limit: usize,
    words: Vec<u64>,
}

impl SlotSet {
    /// No slots, of those below `limit`.
    pub(crate) fn empty(limit: usize) -> Self {
        Self { limit, words: vec![0; limit.div_ceil(64)] }
    }

    /// All slots below `limit`.
    pub(crate) fn full(limit: usize) -> Self {
        let mut set = Self { limit, words: vec![u64::MAX; limit.div_ceil(64)] };
        set.clear_beyond();
        set
    }

    #[inline]
    pub(crate) fn contains(&self, slot: u32) -> bool {
        self.words.get(slot as usize / 64).is_some_and(|word| word & 1 << (slot % 64) != 0)
    }

    /// Adds a slot; false if it is not below the limit.
    pub(crate) fn insert(&mut self, slot: u32) -> bool {
        let fits = (slot as usize) < self.limit;
        if fits {
            self.words[slot as usize / 64] |= 1 << (slot % 64);
        }
        fits
    }

    pub(crate) fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Keeps the slots that are in both sets.
    pub(crate) fn intersect(mut self, other: &Self) -> Self {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
        self
    }

    /// Adds the slots of another set.
    pub(crate) fn unite(mut self, other: &Self) -> Self {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
        self
    }

    /// The slots below the limit that are not in the set.
    pub(crate) fn complement(mut self) -> Self {
        self.words.iter_mut().for_each(|word| *word = !*word);
        self.clear_beyond();
        self
    }

    /// The slots in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + Clone + '_ {
        let words = (0u32..).zip(&self.words);
        words.flat_map(|(number, &word)| ones(word).map(move |place| 64 * number + place))
    }

    /// Which of each 32 slots are in the set, the first in the lowest bit; blocks without any are left out.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (usize, u32)> + '_ {
        let halves = self.words.iter().flat_map(|&word| [word as u32, (word >> 32) as u32]);
        halves.enumerate().filter(|&(_, slots)| slots != 0)
    }

    /// Every `step`-th slot.
    pub(crate) fn sample(&self, step: usize) -> impl Iterator<Item = u32> + '_ {
        let mut skip = 0;
        (0u32..).zip(&self.words).flat_map(move |(number, &word)| {
            let (mut word, mut found) = (word, Vec::new());
            let mut left = word.count_ones() as usize;
            while skip < left {
                (0..skip).for_each(|_| word &= word - 1);
                found.push(64 * number + word.trailing_zeros());
                left -= skip;
                skip = step;
            }
            skip -= left;
            found
        })
    }

    fn clear_beyond(&mut self) {
        if let Some(last) = self.words.last_mut().filter(|_| !self.limit.is_multiple_of(64)) {
            *last &= (1 << (self.limit % 64)) - 1;
        }
    }

    /// Reads a roaring bitmap in the portable format (<https://github.com/RoaringBitmap/RoaringFormatSpec>)
    /// of slots below `limit`. Going from the file to bits directly takes a tenth of the time of
    /// building a roaring bitmap first.
    pub(crate) fn from_roaring(bytes: &[u8], limit: usize) -> Option<Self> {
        const WITHOUT_RUNS: u32 = 12346;
        const WITH_RUNS: u32 = 12347;
        let mut bytes = Bytes(bytes);
        let cookie = bytes.u32()?;
        let (count, runs) = match cookie {
            WITHOUT_RUNS => (bytes.u32()? as usize, None),
            _ if cookie & 0xFFFF == WITH_RUNS => {
                let count = (cookie >> 16) as usize + 1;
                (count, Some(bytes.take(count.div_ceil(8))?))
            }
            _ => return None,
        };
        let mut descriptions = Bytes(bytes.take(count.checked_mul(4)?)?);
        if runs.is_none() || count >= 4 {
            bytes.take(4 * count)?; // where each container starts; they follow one another
        }
        let mut set = Self::empty(limit);
        for container in 0..count {
            let first = u32::from(descriptions.u16()?) << 16;
            let len = usize::from(descriptions.u16()?) + 1;
            if runs.is_some_and(|runs| runs[container / 8] & 1 << (container % 8) != 0) {
                for _ in 0..bytes.u16()? {
                    let (start, more) = (first + u32::from(bytes.u16()?), u32::from(bytes.u16()?));
                    set.insert_range(start, start.checked_add(more)?)?;
                }
            } else if len > 4096 {
                let at = first as usize / 64;
                for word in at..at + 1024 {
                    let bits = bytes.u64()?;
                    match set.words.get_mut(word) {
                        Some(word) => *word = bits,
                        None if bits == 0 => {}
                        None => return None,
                    }
                }
            } else {
                for _ in 0..len {
                    set.insert(first + u32::from(bytes.u16()?)).then_some(())?;
                }
            }
        }
        let last = set.words.last().copied();
        set.clear_beyond();
        (set.words.last().copied() == last).then_some(set)
    }

    fn insert_range(&mut self, first: u32, last: u32) -> Option<()> {
        ((last as usize) < self.limit).then_some(())?;
        let (low, high) = (first as usize / 64, last as usize / 64);
        let (from, to) = (u64::MAX << (first % 64), u64::MAX >> (63 - last % 64));
        for word in low..=high {
            let from = if word == low { from } else { u64::MAX };
            let to = if word == high { to } else { u64::MAX };
            self.words[word] |= from & to;
        }
        Some(())
    }
}

/// The places of the bits that are set, the lowest first.
#[inline]
pub(crate) fn ones(bits: u64) -> impl Iterator<Item = u32> + Clone {
    let rest = |bits: &u64| Some(bits & (bits - 1)).filter(|&bits| bits != 0);
    std::iter::successors(Some(bits).filter(|&bits| bits != 0), rest).map(u64::trailing_zeros)
}

/// Little-endian numbers, one after another.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use roaring::RoaringBitmap;

    use super::*;

    /// Slots below 200,000: scattered ones, and runs, so that every kind of container occurs.
    fn slots() -> impl Strategy<Value = BTreeSet<u32>> {
        let scattered = proptest::collection::btree_set(0u32..200_000, 0..200);
        let runs = proptest::collection::vec((0u32..190_000, 0u32..10_000, 1u32..4), 0..4);
        (scattered, runs).prop_map(|(mut slots, runs)| {
            for (start, len, step) in runs {
                slots.extend((start..start + len).step_by(step as usize));
            }
            slots
        })
    }

    fn set(slots: &BTreeSet<u32>) -> SlotSet {
        let mut set = SlotSet::empty(200_000);
        assert!(slots.iter().all(|&slot| set.insert(slot)));
        set
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_is_a_set(a in slots(), b in slots(), step in 1usize..500) {
            let (x, y) = (set(&a), set(&b));
            prop_assert_eq!(x.len(), a.len());
            prop_assert!(x.iter().eq(a.iter().copied()));
            prop_assert!(x.sample(step).eq(a.iter().copied().step_by(step)));
            prop_assert!((0..200_100).all(|slot| x.contains(slot) == a.contains(&slot)));
            prop_assert!(x.clone().intersect(&y).iter().eq(a.intersection(&b).copied()));
            prop_assert!(x.clone().unite(&y).iter().eq(a.union(&b).copied()));
            let all = SlotSet::full(200_000);
            prop_assert_eq!(all.len(), 200_000);
            prop_assert!(all.iter().filter(|&slot| !x.contains(slot)).eq(x.clone().complement().iter()));
        }

        #[test]
        fn it_reads_what_the_roaring_crate_writes(slots in slots(), runs in any::<bool>()) {
            let mut bitmap: RoaringBitmap = slots.iter().copied().collect();
            if runs {
                bitmap.optimize();
            }
            let mut bytes = Vec::new();
            bitmap.serialize_into(&mut bytes).unwrap();
            prop_assert_eq!(SlotSet::from_roaring(&bytes, 200_000), Some(set(&slots)));
            let most = slots.last().map_or(0, |&last| last as usize);
            prop_assert_eq!(SlotSet::from_roaring(&bytes, most).is_some(), slots.is_empty());
            for len in 0..bytes.len().min(40) {
                prop_assert_eq!(SlotSet::from_roaring(&bytes[..len], 200_000), None);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            SlotSet::from_roaring(&bytes, 1000);
            if let [first, second, ..] = &mut bytes[..] {
                (*first, *second) = (0x3B, 0x30); // the cookie of a bitmap with runs
            }
            SlotSet::from_roaring(&bytes, 1000);
        }
    }
}
