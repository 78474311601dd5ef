//! How one part of a store is searched: by walking through its graph, or by comparing one by one.

use std::collections::HashSet;

use crate::codes::SKETCHED;
use crate::filter::Node;
use crate::hnsw::{self, Candidate, Graph, Target};
use crate::matcher::Matcher;
use crate::part::Part;
use crate::segment::TagGraph;
use crate::slot_set::SlotSet;
use crate::{Config, Error, Query, Result};

/// Up to this many vectors are compared one by one: faster than a graph, and exact.
pub(crate) const SCAN_LIMIT: usize = 2_000;

/// A walk without a filter computes about this many distances for each of the `ef` it keeps.
const DISTANCES_PER_EF: usize = 16;

/// To compare this many vectors, one after another, takes as long as a distance on a walk does.
const SCANNED_PER_WALKED: usize = 4;

/// And to pass over this many by their sketches.
const SIFTED_PER_WALKED: usize = 16;

/// How many slots are looked at to learn how many a filter accepts.
const SAMPLE: usize = 256;

/// How often a search that found too few tries again with four times the `ef`, before it compares
/// every vector.
const WIDENINGS: usize = 2;

/// Where k groups are wanted, so many times k records are looked at, and where these hold fewer groups
/// so many times more.
const MEMBERS: usize = 16;

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
        let visible = |slot| part.visible(slot, seq);
        let target = part.target(&self.vector);
        let target = &target;
        let Some(filter) = self.filter else {
            return self.among(part, target, &visible, None);
        };
        let graph = smallest_graph(part, filter)?;
        match Matcher::new(filter, part)? {
            Matcher::Set(set) => {
                let accept = |slot| set.contains(slot) && visible(slot);
                match self.in_graph(part, target, &accept, graph)? {
                    Some(found) => Ok(found),
                    None => self.among(part, target, &accept, Some(&set)),
                }
            }
            matcher => {
                let accept = |slot| visible(slot) && matcher.accepts(part, slot);
                match self.in_graph(part, target, &accept, graph)? {
                    Some(found) => Ok(found),
                    None => self.among(part, target, &accept, Some(&matcher.within(part))),
                }
            }
        }
    }

    /// The best of the accepted records, by a walk through the graph of a tag that they all have; nothing if
    /// there is none, if they are few in it, or if it is faster to compare each.
    fn in_graph<P: Part>(
        &self,
        part: &P,
        target: &Target<'_>,
        accept: &impl Fn(u32) -> bool,
        graph: Option<TagGraph<'_>>,
    ) -> Result<Option<Vec<Candidate>>> {
        let Some(graph) = graph else { return Ok(None) };
        let step = graph.len().div_ceil(SAMPLE);
        let members = (0..graph.len() as u32).step_by(step);
        let accepted = members.filter(|&member| accept(graph.slot(member))).count() * step;
        // The query may lie far from all of them, where a walk has to look wider.
        let wider = |ef: usize| ef.saturating_add(ef / 3);
        if 2 * accepted < graph.len() || scanning(accepted) <= wider(self.walking() / 2) {
            return Ok(None);
        }
        self.walk(part, |ef| graph.search(target, wider(ef), accept), target)
    }

    /// The best of the accepted records, which `slots` hold, if a filter accepts them.
    fn among<P: Part>(
        &self,
        part: &P,
        target: &Target<'_>,
        accept: &impl Fn(u32) -> bool,
        slots: Option<&SlotSet>,
    ) -> Result<Vec<Candidate>> {
        // Records are linked meanwhile. Those that are not yet are compared one by one.
        let linked = Some(part.linked() as u32).filter(|&linked| linked as usize > SCAN_LIMIT);
        let linked = linked.unwrap_or_default();
        let mut found = Vec::new();
        if linked > 0 {
            let accept = |slot| slot < linked && accept(slot);
            found = match slots {
                Some(slots) => self.filtered(part, target, &accept, slots)?,
                None => self.unfiltered(part, target, &accept, linked as usize)?,
            };
        }
        let rest = linked..part.len() as u32;
        if rest.is_empty() {
            return Ok(found);
        }
        found.extend(self.scan(part, target, accept, rest)?);
        found.sort_unstable();
        self.pick(part, found)
    }

    /// Searches among the slots below `linked`, of which all are accepted that live.
    fn unfiltered<P: Part>(
        &self,
        part: &P,
        target: &Target<'_>,
        accept: &impl Fn(u32) -> bool,
        linked: usize,
    ) -> Result<Vec<Candidate>> {
        let step = linked.div_ceil(SAMPLE);
        let living = (0..linked as u32).step_by(step).filter(|&slot| accept(slot)).count() * step;
        let all = || SlotSet::full(linked);
        if 2 * living < linked {
            // The dead are in the way, like those that a filter refuses.
            return self.filtered(part, target, accept, &all());
        }
        // Without a filter a walk takes half as long.
        if 2 * scanning(linked) <= self.walking() {
            return self.scan(part, target, accept, 0..linked as u32);
        }
        if self.sifting(part, linked) <= self.walking() / 2 {
            return self.compare(part, target, accept, &all());
        }
        let walk = |ef| hnsw::search(part, target, ef, usize::MAX, accept);
        match self.walk(part, walk, target)? {
            Some(found) => Ok(found),
            None => self.compare(part, target, accept, &all()),
        }
    }

    /// Searches among the accepted ones of `slots`, which hold all accepted ones.
    ///
    /// There are four ways. To compare each takes as long as there are many. To sift them by their
    /// sketches takes a quarter of that, and misses few. To walk on accepted slots alone takes hardly longer
    /// than a walk without a filter, but does not find its way where the query lies among slots that are
    /// refused. To walk through refused slots, too, always finds its way, and computes about 1/p times the
    /// distances of a walk without a filter where a share p is accepted around the query. It is given up
    /// once it has cost as much as to compare each.
    fn filtered<P: Part>(
        &self,
        part: &P,
        target: &Target<'_>,
        accept: &impl Fn(u32) -> bool,
        slots: &SlotSet,
    ) -> Result<Vec<Candidate>> {
        let step = slots.len().div_ceil(SAMPLE).max(1);
        let accepted = slots.sample(step).filter(|&slot| accept(slot)).count() * step;
        let scanning = scanning(accepted);
        if scanning <= self.walking() {
            return self.scan(part, target, accept, slots.iter());
        }
        let comparing = scanning.min(self.sifting(part, SKETCHED * slots.blocks().count()));
        if comparing <= self.walking() {
            return self.compare(part, target, accept, slots);
        }
        let around = hnsw::look_around(part, target, accept);
        let found = if !around.is_far(accepted as f64 / part.len() as f64) {
            // About as many neighbours of a slot are accepted where a third of all are.
            let degree = part.config().m * 3 / 8;
            let starts = &around.accepted;
            let walk = |ef| Some(hnsw::search_accepted(part, target, ef, starts, degree, accept));
            self.walk(part, walk, target)?
        } else if self.walking() as f64 / around.share() < comparing as f64 {
            let walk = |ef| hnsw::search(part, target, ef, comparing, accept);
            self.walk(part, walk, target)?
        } else {
            None
        };
        match found {
            Some(found) => Ok(found),
            None => self.compare(part, target, accept, slots),
        }
    }

    /// What a walk without a filter takes, in distances.
    fn walking(&self) -> usize {
        DISTANCES_PER_EF.saturating_mul(self.ef)
    }

    /// What it takes to sift so many vectors by their sketches; not where all within a limit are wanted.
    fn sifting<P: Part>(&self, part: &P, vectors: usize) -> usize {
        let sifts = part.has_sketches() && self.limit.is_none();
        if sifts { vectors / SIFTED_PER_WALKED } else { usize::MAX }
    }

    /// Searches the graph by `walk`, which gets the number of candidates to keep; nothing if that finds
    /// too few or gives up.
    fn walk<P: Part>(
        &self,
        part: &P,
        walk: impl Fn(usize) -> Option<Vec<Candidate>>,
        target: &Target<'_>,
    ) -> Result<Option<Vec<Candidate>>> {
        let mut ef = self.ef;
        for _ in 0..=WIDENINGS {
            let Some(found) = walk(ef) else { break };
            let exhausted = found.len() < ef;
            let found = hnsw::refine(part, target, found, self.needed());
            let farthest = found.last().map(|found| found.distance);
            let beyond = self.limit.is_some_and(|limit| farthest.is_some_and(|it| it > limit));
            let best = self.pick(part, found)?;
            if beyond || best.len() == self.k {
                return Ok(Some(best));
            }
            if exhausted {
                break;
            }
            ef = ef.saturating_mul(4);
        }
        Ok(None)
    }

    /// Compares every accepted record of `slots`, which hold all accepted ones, or passes over most of them
    /// by their sketches.
    fn compare<P: Part>(
        &self,
        part: &P,
        target: &Target<'_>,
        accept: &impl Fn(u32) -> bool,
        slots: &SlotSet,
    ) -> Result<Vec<Candidate>> {
        if self.sifting(part, slots.len()) < scanning(slots.len())
            && let Some(found) = hnsw::sift(part, target, slots, self.first_needed(), accept)
        {
            let best = self.pick(part, found)?;
            if best.len() == self.k {
                return Ok(best);
            }
        }
        self.scan(part, target, accept, slots.iter())
    }

    /// Compares every accepted record.
    fn scan<P: Part>(
        &self,
        part: &P,
        target: &Target<'_>,
        accept: &impl Fn(u32) -> bool,
        slots: impl Iterator<Item = u32> + Clone,
    ) -> Result<Vec<Candidate>> {
        let mut needed = self.first_needed();
        loop {
            let accepted = slots.clone().filter(|&slot| accept(slot));
            let found = hnsw::scan(part, target, accepted, needed, self.limit);
            let all = found.len() < needed;
            let best = self.pick(part, found)?;
            if all || best.len() == self.k {
                return Ok(best);
            }
            needed = needed.saturating_mul(MEMBERS);
        }
    }

    /// How many of the nearest records are looked at first where records are compared one by one: how many
    /// of them hold k groups is not known.
    fn first_needed(&self) -> usize {
        if self.distinct_groups { self.k.saturating_mul(MEMBERS) } else { self.needed() }
    }

    /// How many of the nearest records are looked at.
    fn needed(&self) -> usize {
        if self.distinct_groups || self.limit.is_some() { usize::MAX } else { self.k }
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

/// The smallest graph of a tag that all have which a filter accepts.
fn smallest_graph<'p, P: Part>(part: &'p P, filter: &Node<'_>) -> Result<Option<TagGraph<'p>>> {
    match filter {
        Node::Tag(tag) => part.tag_graph(tag),
        Node::Any(nodes) if let [only] = &nodes[..] => smallest_graph(part, only),
        Node::All(nodes) => {
            let graphs = nodes.iter().map(|node| smallest_graph(part, node));
            let graphs = graphs.collect::<Result<Vec<_>>>()?;
            Ok(graphs.into_iter().flatten().min_by_key(Graph::len))
        }
        Node::Any(_) | Node::Not(_) | Node::By(_) => Ok(None),
    }
}

/// What it takes to compare so many vectors one by one, in distances of a walk.
fn scanning(vectors: usize) -> usize {
    if vectors <= SCAN_LIMIT { 0 } else { vectors / SCANNED_PER_WALKED }
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
