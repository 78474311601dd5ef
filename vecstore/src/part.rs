//! What a segment and a tail have in common: records that can be searched as of a sequence number.

use std::collections::HashSet;

use crate::hnsw::{self, Candidate, Graph};
use crate::{Error, Query, Result};

/// Up to this many vectors are compared one by one: faster than a graph, and exact.
const SCAN_LIMIT: usize = 2_000;

/// How often a search that found too few distinct groups tries again with four times the `ef`,
/// before it compares every vector.
const WIDENINGS: usize = 2;

/// A graph whose slots hold records, each alive over a span of sequence numbers.
pub(crate) trait Part: Graph {
    /// Whether the record in a slot exists as of `seq`.
    fn visible(&self, slot: u32, seq: u64) -> bool;

    /// The slot that holds the record with an id as of `seq`.
    fn find(&self, id: u64, seq: u64) -> Option<u32>;

    /// Ends the life of the record with an id at `seq`; true if there was one.
    fn kill(&self, id: u64, seq: u64) -> bool;

    fn id(&self, slot: u32) -> u64;

    fn group(&self, slot: u32) -> Result<Option<&str>>;

    /// JSON; empty if the record has no payload.
    fn payload(&self, slot: u32) -> Result<&[u8]>;
}

/// A query whose vector is checked and prepared.
pub(crate) struct Prepared {
    vector: Box<[f32]>,
    pub(crate) k: usize,
    ef: usize,
    distinct_groups: bool,
}

impl Prepared {
    pub(crate) fn new(query: &Query<'_>, config: &crate::Config) -> Result<Self> {
        if query.k == 0 {
            return Err(Error::ZeroK);
        }
        let vector = config.metric.prepare(query.vector, config.dimension)?;
        let Query { k, ef, distinct_groups, .. } = *query;
        Ok(Self { vector, k, ef: ef.max(k), distinct_groups })
    }

    /// The best records of one part, nearest first: at most k of them, or the best of each of at
    /// most k groups; fewer only if the part has no more.
    pub(crate) fn run<P: Part>(&self, part: &P, seq: u64) -> Result<Vec<Candidate>> {
        if part.len() <= SCAN_LIMIT {
            return self.scan(part, seq);
        }
        let mut ef = self.ef;
        for _ in 0..=WIDENINGS {
            let found = hnsw::search(part, &self.vector, ef, |slot| part.visible(slot, seq));
            let exhausted = found.len() < ef;
            let best = self.pick(part, found)?;
            if best.len() == self.k {
                return Ok(best);
            }
            if exhausted {
                break;
            }
            ef = ef.saturating_mul(4);
        }
        self.scan(part, seq)
    }

    /// Compares every record.
    fn scan<P: Part>(&self, part: &P, seq: u64) -> Result<Vec<Candidate>> {
        let mut candidates: Vec<_> = (0..part.len() as u32)
            .filter(|&slot| part.visible(slot, seq))
            .map(|slot| Candidate { distance: part.distance(&self.vector, part.row(slot)), slot })
            .collect();
        if !self.distinct_groups && candidates.len() > self.k {
            candidates.select_nth_unstable(self.k - 1);
            candidates.truncate(self.k);
        }
        candidates.sort_unstable();
        self.pick(part, candidates)
    }

    /// The first k of sorted candidates, or the first of each of the first k groups.
    fn pick<P: Part>(&self, part: &P, mut candidates: Vec<Candidate>) -> Result<Vec<Candidate>> {
        if self.distinct_groups {
            let mut groups = Groups::default();
            let mut best = Vec::with_capacity(self.k.min(candidates.len()));
            for candidate in candidates {
                if best.len() == self.k {
                    break;
                }
                if groups.is_first(part.group(candidate.slot)?, self) {
                    best.push(candidate);
                }
            }
            return Ok(best);
        }
        candidates.truncate(self.k);
        Ok(candidates)
    }
}

/// The groups met on a walk through sorted results.
#[derive(Default)]
pub(crate) struct Groups<'a>(HashSet<&'a str>);

impl<'a> Groups<'a> {
    /// Whether a result of this group is to be taken: if the query asks for distinct groups, only
    /// the first of each. A record without a group is a group of its own.
    pub(crate) fn is_first(&mut self, group: Option<&'a str>, query: &Prepared) -> bool {
        !query.distinct_groups || group.is_none_or(|group| self.0.insert(group))
    }
}
