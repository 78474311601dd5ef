//! A store as of one moment.

use std::sync::Arc;

use crate::part::{Groups, Part, Prepared};
use crate::record::Payload;
use crate::segment::Segment;
use crate::tail::TailIndex;
use crate::{Config, Hit, Query, Record, Result};

/// A store as of one moment. Later writes do not change what it returns, and reading never waits
/// for a write.
///
/// A clone is the same moment, and cheap. While a snapshot exists, the disk space of its segment is
/// not given back.
#[derive(Clone)]
pub struct Snapshot(pub(crate) Arc<View>);

/// The parts of a store, and up to which change they are to be read.
pub(crate) struct View {
    pub(crate) config: Config,
    pub(crate) segment: Option<Arc<Segment>>,
    /// Oldest first; the last one is being written to.
    pub(crate) tails: Vec<Arc<TailIndex>>,
    pub(crate) seq: u64,
    /// The number of records as of `seq`.
    pub(crate) len: usize,
}

impl Snapshot {
    /// The number of records.
    pub fn len(&self) -> usize {
        self.0.len
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What was fixed when the store was created.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The records nearest to the query's vector, nearest first.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroK`](crate::Error::ZeroK); [`Error::WrongDimension`](crate::Error::WrongDimension),
    /// [`Error::NotFinite`](crate::Error::NotFinite) and [`Error::ZeroVector`](crate::Error::ZeroVector)
    /// for the vector; [`Error::Corrupt`](crate::Error::Corrupt) where damage to the segment is met.
    pub fn search(&self, query: &Query<'_>) -> Result<Vec<Hit>> {
        let View { config, segment, tails, seq, .. } = &*self.0;
        let query = Prepared::new(query, config)?;
        let mut found: Vec<(f32, &dyn Part, u32)> = Vec::new();
        if let Some(segment) = segment {
            let best = query.run(&**segment, *seq)?;
            found.extend(
                best.iter().map(|best| (best.distance, &**segment as &dyn Part, best.slot)),
            );
        }
        for tail in tails {
            let best = query.run(&**tail, *seq)?;
            found.extend(best.iter().map(|best| (best.distance, &**tail as &dyn Part, best.slot)));
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut groups, mut hits) =
            (Groups::default(), Vec::with_capacity(query.k.min(found.len())));
        for (distance, part, slot) in found {
            if hits.len() == query.k {
                break;
            }
            let group = part.group(slot)?;
            if groups.is_first(group, &query) {
                hits.push(Hit {
                    id: part.id(slot),
                    score: config.metric.score(distance),
                    group: group.map(Into::into),
                    payload: Payload(part.payload(slot)?.into()),
                });
            }
        }
        Ok(hits)
    }

    /// The record with an id.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`](crate::Error::Corrupt) where damage to the segment is met.
    pub fn get(&self, id: u64) -> Result<Option<Record>> {
        let Some((part, slot)) = self.find(id) else {
            return Ok(None);
        };
        Ok(Some(Record {
            id,
            vector: part.row(slot).to_vec(),
            group: part.group(slot)?.map(Into::into),
            payload: Payload(part.payload(slot)?.into()),
        }))
    }

    /// Whether there is a record with an id.
    pub fn contains(&self, id: u64) -> bool {
        self.find(id).is_some()
    }

    fn find(&self, id: u64) -> Option<(&dyn Part, u32)> {
        let View { segment, tails, seq, .. } = &*self.0;
        let in_tail = |tail: &Arc<TailIndex>| tail.find(id, *seq);
        for tail in tails.iter().rev() {
            if let Some(slot) = in_tail(tail) {
                return Some((&**tail, slot));
            }
        }
        let segment = segment.as_deref()?;
        Some((segment, segment.find(id, *seq)?))
    }
}

impl View {
    /// Ends the life of a record at `seq`, wherever it is; true if there was one.
    pub(crate) fn kill(&self, id: u64, seq: u64) -> bool {
        self.tails.iter().any(|tail| tail.kill(id, seq))
            || self.segment.as_ref().is_some_and(|segment| segment.kill(id, seq))
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("seq", &self.0.seq)
            .field("len", &self.0.len)
            .finish_non_exhaustive()
    }
}
