//! The candidates of a walk, nearest first.

use super::Candidate;

/// The best candidates so far, sorted, and which of them were expanded: the frontier of a walk and its
/// result at once. It keeps all that are nearer than the `ef`-th nearest of those that are accepted.
#[derive(Default)]
pub(super) struct Pool {
    entries: Vec<Entry>,
    ef: usize,
    /// How many of the entries are accepted.
    accepted: usize,
    /// All entries before this one are expanded.
    next: usize,
    /// Those that were added last, and before which entry each of them came.
    added: Vec<(Entry, usize)>,
}

#[derive(Clone, Copy)]
struct Entry {
    candidate: Candidate,
    accepted: bool,
    expanded: bool,
}

impl Pool {
    pub(super) fn reset(&mut self, ef: usize) {
        self.entries.clear();
        (self.ef, self.accepted, self.next) = (ef, 0, 0);
    }

    /// Adds candidates to an empty pool. A distance that is not a number, as of vectors so large that
    /// their product is none, counts as the farthest: the pool can be in order only without such.
    pub(super) fn start(
        &mut self,
        candidates: impl Iterator<Item = Candidate>,
        accept: impl Fn(u32) -> bool,
    ) {
        self.added.clear();
        self.added.extend(candidates.map(|Candidate { distance, slot }| {
            let distance = if distance.is_nan() { f32::INFINITY } else { distance };
            (Entry::new(Candidate { distance, slot }, &accept), 0)
        }));
        self.merge();
    }

    /// Adds those of some slots that are near enough.
    #[inline]
    pub(super) fn add(&mut self, slots: &[u32], distances: &[f32], accept: impl Fn(u32) -> bool) {
        let bound = self.bound();
        self.added.clear();
        for (&slot, &distance) in slots.iter().zip(distances) {
            if distance < bound {
                self.added.push((Entry::new(Candidate { distance, slot }, &accept), 0));
            }
        }
        self.merge();
    }

    /// The distance that a further candidate must stay below; any is welcome until `ef` are accepted.
    #[inline]
    fn bound(&self) -> f32 {
        match self.entries.last() {
            Some(last) if self.accepted >= self.ef => last.candidate.distance,
            _ => f32::INFINITY,
        }
    }

    /// Moves every entry at most once, to where it is with those added before it.
    fn merge(&mut self) {
        self.added.sort_unstable_by_key(|(entry, _)| entry.candidate);
        for (entry, place) in &mut self.added {
            let nearer = |other: &Entry| other.candidate.distance < entry.candidate.distance;
            *place = self.entries.partition_point(nearer);
        }
        let Some(&(_, first)) = self.added.first() else { return };
        self.next = self.next.min(first);
        let mut end = self.entries.len();
        self.entries.extend(self.added.iter().map(|&(entry, _)| entry));
        for (before, &(entry, place)) in self.added.iter().enumerate().rev() {
            self.entries.copy_within(place..end, place + before + 1);
            self.entries[place + before] = entry;
            end = place;
            self.accepted += usize::from(entry.accepted);
        }
        if self.accepted >= self.ef {
            self.shrink();
        }
    }

    /// Drops what lies behind the `ef`-th accepted candidate.
    fn shrink(&mut self) {
        while let Some(last) = self.entries.last() {
            if last.accepted && self.accepted == self.ef {
                break;
            }
            self.accepted -= usize::from(last.accepted);
            self.entries.pop();
        }
    }

    /// The slots that were added last.
    pub(super) fn added(&self) -> impl Iterator<Item = u32> {
        self.added.iter().map(|(entry, _)| entry.candidate.slot)
    }

    /// The nearest slot that was not expanded yet, which it is from now on.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<u32> {
        while let Some(entry) = self.entries.get_mut(self.next) {
            self.next += 1;
            if !entry.expanded {
                entry.expanded = true;
                return Some(entry.candidate.slot);
            }
        }
        None
    }

    /// The accepted candidates, nearest first.
    pub(super) fn accepted(&self) -> Vec<Candidate> {
        self.entries.iter().filter(|entry| entry.accepted).map(|entry| entry.candidate).collect()
    }
}

impl Entry {
    #[inline]
    fn new(candidate: Candidate, accept: impl Fn(u32) -> bool) -> Self {
        Self { candidate, accepted: accept(candidate.slot), expanded: false }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Slots are added in rounds and one is taken between them; the oracle keeps all and sorts.
        #[test]
        fn it_keeps_the_nearest(
            rounds in proptest::collection::vec(proptest::collection::vec(0u8..40, 0..30), 0..20),
            ef in 1..20usize,
            third in any::<bool>(),
        ) {
            let accept = |slot: u32| !third || slot.is_multiple_of(3);
            let mut pool = Pool::default();
            pool.reset(ef);
            // Every entry by distance, and whether it was expanded.
            let mut oracle: Vec<(Candidate, bool)> = Vec::new();
            let mut slot = 0;
            for round in rounds {
                let slots: Vec<u32> = (slot..).take(round.len()).collect();
                slot += round.len() as u32;
                let distances: Vec<f32> = round.iter().map(|&it| f32::from(it)).collect();
                pool.add(&slots, &distances, accept);
                let added = slots.iter().zip(&distances);
                oracle.extend(added.map(|(&slot, &distance)| (Candidate { distance, slot }, false)));
                oracle.sort_by(|(a, _), (b, _)| a.distance.total_cmp(&b.distance));
                let accepted = oracle.iter().filter(|(it, _)| accept(it.slot));
                let bound = accepted.clone().nth(ef - 1).map_or(f32::INFINITY, |(it, _)| it.distance);

                let expected = accepted.map(|(it, _)| it.distance).take(ef);
                let kept = pool.accepted();
                prop_assert!(kept.iter().map(|it| it.distance).eq(expected));
                prop_assert!(kept.iter().all(|it| accept(it.slot)));

                let unexpanded = oracle.iter().find(|(_, expanded)| !expanded);
                let nearest = unexpanded.map(|(it, _)| it.distance).filter(|&it| it < bound);
                match pool.pop() {
                    Some(slot) => {
                        let taken = oracle.iter_mut().find(|(it, _)| it.slot == slot).unwrap();
                        prop_assert!(!std::mem::replace(&mut taken.1, true));
                        prop_assert!(nearest.is_none_or(|nearest| taken.0.distance == nearest));
                        prop_assert!(taken.0.distance <= bound);
                    }
                    None => prop_assert!(nearest.is_none()),
                }
            }
        }
    }

    #[test]
    fn a_distance_that_is_not_a_number_is_the_farthest() {
        let mut pool = Pool::default();
        pool.reset(3);
        let start = [(f32::NAN, 0), (-f32::NAN, 1), (1.0, 2)];
        let start = start.map(|(distance, slot)| Candidate { distance, slot });
        pool.start(start.into_iter(), |_| true);
        pool.add(&[3, 4, 5], &[2.0, -f32::NAN, 0.5], |_| true);
        let kept: Vec<_> = pool.accepted().iter().map(|it| it.slot).collect();
        assert_eq!(kept, [5, 2, 3]);
    }
}
