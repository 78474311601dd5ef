//! How one part of a store is searched: by walking through its graph, or by comparing one by one.

use std::collections::HashSet;

use crate::filter::Node;
use crate::hnsw::{self, Candidate};
use crate::matcher::Matcher;
use crate::part::Part;
use crate::{Config, Error, Query, Result};

/// Up to this many vectors are compared one by one: faster than a graph, and exact.
const SCAN_LIMIT: usize = 2_000;

/// A walk without a filter computes about this many distances for each of the `ef` it keeps.
const DISTANCES_PER_EF: usize = 16;

/// How many slots are looked at to learn how many a filter accepts.
const SAMPLE: usize = 256;

/// How often a search that found too few tries again with four times the `ef`, before it compares
/// every vector.
const WIDENINGS: usize = 2;

/// A query whose vector is checked and prepared.
pub(crate) struct Prepared<'q> {
    vector: Box<[f32]>,
    pub(crate) k: usize,
    ef: usize,
    /// The farthest that a result may be.
    limit: Option<f32>,
    distinct_groups: bool,
    filter: Option<&'q Node<'q>>,
}

impl<'q> Prepared<'q> {
    pub(crate) fn new(query: &Query<'q>, config: &Config) -> Result<Self> {
        if query.k == 0 {
            return Err(Error::ZeroK);
        }
        let ef = if query.within.is_some() { query.ef.max(1) } else { query.ef.max(query.k) };
        Ok(Self {
            vector: config.metric.prepare(query.vector, config.dimension)?,
            k: query.k,
            ef,
            limit: query.within.map(|score| config.metric.distance_of(score)),
            distinct_groups: query.distinct_groups,
            filter: query.filter.map(|filter| &filter.0),
        })
    }

    /// The best records of one part, nearest first: at most k of them, or the best of each of at
    /// most k groups; fewer only if the part has no more.
    pub(crate) fn run<P: Part>(&self, part: &P, seq: u64) -> Result<Vec<Candidate>> {
        let everything = 0..part.len() as u32;
        let Some(filter) = self.filter else {
            let accept = |slot| part.visible(slot, seq);
            if part.len() <= SCAN_LIMIT {
                return self.scan(part, &accept, everything);
            }
            return self.walk(part, &accept, everything, usize::MAX);
        };
        let matcher = Matcher::new(filter, part)?;
        let accept = |slot| part.visible(slot, seq) && matcher.accepts(part, slot);
        match matcher.within() {
            Some(set) => self.filtered(part, &accept, set.iter(), set.len() as usize),
            None => self.filtered(part, &accept, everything, part.len()),
        }
    }

    /// Searches among the accepted ones of `count` slots, which hold all accepted ones.
    ///
    /// A walk passes through refused slots too: if a share p of n slots is accepted, it computes
    /// about 1/p times the distances of a walk without a filter, and many more where the accepted
    /// ones lie far from the query. Comparing each computes p n. The walk is tried where it promises
    /// to be cheaper, and given up for the comparison once it has cost as much.
    fn filtered<P: Part>(
        &self,
        part: &P,
        accept: &impl Fn(u32) -> bool,
        slots: impl Iterator<Item = u32> + Clone,
        count: usize,
    ) -> Result<Vec<Candidate>> {
        let step = count.div_ceil(SAMPLE).max(1);
        let accepted = slots.clone().step_by(step).filter(|&slot| accept(slot)).count() * step;
        let walk = (DISTANCES_PER_EF * self.ef.min(part.len())).saturating_mul(part.len());
        if accepted <= SCAN_LIMIT || accepted.saturating_mul(accepted) <= walk {
            return self.scan(part, accept, slots);
        }
        self.walk(part, accept, slots, accepted)
    }

    /// Walks through the graph; compares each of `slots`, which hold all accepted ones, if that
    /// finds too few or computes more than `budget` distances.
    fn walk<P: Part>(
        &self,
        part: &P,
        accept: &impl Fn(u32) -> bool,
        slots: impl Iterator<Item = u32>,
        budget: usize,
    ) -> Result<Vec<Candidate>> {
        let mut ef = self.ef;
        for _ in 0..=WIDENINGS {
            let Some(found) = hnsw::search(part, &self.vector, ef, budget, accept) else { break };
            let exhausted = found.len() < ef;
            let farthest = found.last().map(|found| found.distance);
            let beyond = self.limit.is_some_and(|limit| farthest.is_some_and(|it| it > limit));
            let best = self.pick(part, found)?;
            if beyond || best.len() == self.k {
                return Ok(best);
            }
            if exhausted {
                break;
            }
            ef = ef.saturating_mul(4);
        }
        self.scan(part, accept, slots)
    }

    /// Compares every accepted record.
    fn scan<P: Part>(
        &self,
        part: &P,
        accept: &impl Fn(u32) -> bool,
        slots: impl Iterator<Item = u32>,
    ) -> Result<Vec<Candidate>> {
        let distance = |slot| part.distance(&self.vector, part.row(slot));
        let accepted = slots.filter(|&slot| accept(slot));
        let mut candidates: Vec<_> =
            accepted.map(|slot| Candidate { distance: distance(slot), slot }).collect();
        if !self.distinct_groups && candidates.len() > self.k {
            candidates.select_nth_unstable(self.k - 1);
            candidates.truncate(self.k);
        }
        candidates.sort_unstable();
        self.pick(part, candidates)
    }

    /// The first k of sorted candidates that are near enough, or the first of each of k groups.
    fn pick<P: Part>(&self, part: &P, mut candidates: Vec<Candidate>) -> Result<Vec<Candidate>> {
        if let Some(limit) = self.limit {
            candidates.truncate(candidates.partition_point(|found| found.distance <= limit));
        }
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
    pub(crate) fn is_first(&mut self, group: Option<&'a str>, query: &Prepared<'_>) -> bool {
        !query.distinct_groups || group.is_none_or(|group| self.0.insert(group))
    }
}
