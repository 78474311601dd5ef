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
}

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

    /// The distance that a further candidate must stay below; any is welcome until `ef` are accepted.
    #[inline]
    pub(super) fn bound(&self) -> f32 {
        match self.entries.last() {
            Some(last) if self.accepted >= self.ef => last.candidate.distance,
            _ => f32::INFINITY,
        }
    }

    /// Adds a candidate that is nearer than the bound.
    #[inline]
    pub(super) fn push(&mut self, candidate: Candidate, accepted: bool) {
        let place =
            self.entries.partition_point(|entry| entry.candidate.distance < candidate.distance);
        self.entries.insert(place, Entry { candidate, accepted, expanded: false });
        self.next = self.next.min(place);
        if accepted {
            self.accepted += 1;
            if self.accepted >= self.ef {
                self.shrink();
            }
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

    /// The nearest candidate that was not expanded yet, which it is from now on.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Candidate> {
        while let Some(entry) = self.entries.get_mut(self.next) {
            self.next += 1;
            if !entry.expanded {
                entry.expanded = true;
                return Some(entry.candidate);
            }
        }
        None
    }

    /// What [`pop`](Self::pop) would give, unless something nearer is added before.
    #[inline]
    pub(super) fn peek(&self) -> Option<Candidate> {
        let rest = self.entries.get(self.next..)?;
        rest.iter().find(|entry| !entry.expanded).map(|entry| entry.candidate)
    }

    /// The accepted candidates, nearest first.
    pub(super) fn accepted(&self) -> Vec<Candidate> {
        self.entries.iter().filter(|entry| entry.accepted).map(|entry| entry.candidate).collect()
    }
}
