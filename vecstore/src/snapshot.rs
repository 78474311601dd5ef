//! A store as of one moment.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::part::Part;
use crate::plan::{Groups, Prepared};
use crate::record::{Payload, parse_payload};
use crate::segment::Segment;
use crate::tail::TailIndex;
use crate::{Config, Hit, Query, Record, Result, Verification};

/// A store as of one moment. Later writes do not change what it returns, and reading never waits
/// for a write.
///
/// A clone is the same moment, and cheap. While a snapshot exists, the disk space of its segment is
/// not given back.
#[derive(Clone)]
pub struct Snapshot(pub(crate) Arc<View>);

/// The parts of a store, and up to which change they are to be read.
#[derive(Clone)]
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

    /// The number of the last change that the snapshot includes, 0 if there was none. Each record
    /// inserted, each deletion, and each bulk load as a whole counts one.
    pub fn last_change(&self) -> u64 {
        self.0.seq
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
        let mut found = Vec::new();
        if let Some(segment) = segment {
            gather(&mut found, &query, &**segment, *seq)?;
        }
        for tail in tails {
            gather(&mut found, &query, &**tail, *seq)?;
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
        self.0.intact()?;
        Ok(hits)
    }

    /// The record with an id.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`](crate::Error::Corrupt) where damage to the segment is met.
    pub fn get(&self, id: u64) -> Result<Option<Record>> {
        let record = self.find(id).map(|(part, slot)| self.record(part, slot));
        self.0.intact()?;
        record.transpose()
    }

    /// The payload of the record with an id, read where it lies, without its vector; `None` if there
    /// is no such record or it has no payload.
    ///
    /// # Errors
    ///
    /// [`Error::Payload`](crate::Error::Payload) if it does not fit `T`;
    /// [`Error::Corrupt`](crate::Error::Corrupt) where damage to the segment is met.
    pub fn payload<T: DeserializeOwned>(&self, id: u64) -> Result<Option<T>> {
        let payload = self.find(id).map(|(part, slot)| part.payload(slot)).transpose()?;
        self.0.intact()?;
        payload.map_or(Ok(None), parse_payload)
    }

    /// Whether there is a record with an id.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`](crate::Error::Corrupt) where damage to the segment is met.
    pub fn contains(&self, id: u64) -> Result<bool> {
        let found = self.find(id).is_some();
        self.0.intact()?;
        Ok(found)
    }

    /// All records, in no particular order.
    ///
    /// # Errors
    ///
    /// An item is [`Error::Corrupt`](crate::Error::Corrupt) where damage to the segment is met.
    pub fn iter(&self) -> impl Iterator<Item = Result<Record>> + '_ {
        let seq = self.0.seq;
        self.0.parts().flat_map(move |part| {
            let visible = (0..part.len() as u32).filter(move |&slot| part.visible(slot, seq));
            visible.map(move |slot| self.record(part, slot))
        })
    }

    /// The segment file of the last checkpoint: bytes that [`Reader::open_segment`](crate::Reader::open_segment)
    /// opens wherever they are written to. Nothing if the store was never checkpointed; what was
    /// written since is not in it.
    pub fn segment(&self) -> Option<&[u8]> {
        self.0.segment.as_ref().map(|segment| segment.file())
    }

    /// Checks the whole segment: all checksums, and that ids, vectors, groups, payloads and the
    /// graph make sense together. Reads the whole file.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`](crate::Error::Corrupt), saying what is wrong and where.
    pub fn verify(&self) -> Result<Verification> {
        match &self.0.segment {
            Some(segment) => segment.verify(),
            None => Ok(Verification { vectors: 0, links: 0, unreachable: 0, tag_graphs: 0 }),
        }
    }

    fn record(&self, part: &dyn Part, slot: u32) -> Result<Record> {
        let record = Record {
            id: part.id(slot),
            vector: part.row(slot).to_f32().into_owned(),
            group: part.group(slot)?.map(Into::into),
            tags: part.tags(slot)?.into_iter().map(Into::into).collect(),
            payload: Payload(part.payload(slot)?.into()),
        };
        part.intact()?;
        Ok(record)
    }

    fn find(&self, id: u64) -> Option<(&dyn Part, u32)> {
        self.0.parts().find_map(|part| Some((part, part.find(id, self.0.seq)?)))
    }
}

impl View {
    /// Fails if damage to the segment was met: answers may then be incomplete.
    pub(crate) fn intact(&self) -> Result<()> {
        self.segment.as_ref().map_or(Ok(()), |segment| segment.intact())
    }

    /// The parts, newest first. A record is visible in one of them at most.
    fn parts(&self) -> impl Iterator<Item = &dyn Part> {
        let tails = self.tails.iter().rev().map(|tail| &**tail as &dyn Part);
        tails.chain(self.segment.iter().map(|segment| &**segment as &dyn Part))
    }

    /// The memory that the records of the tails take, dead ones too.
    pub(crate) fn in_tails(&self) -> usize {
        self.tails.iter().map(|tail| tail.bytes()).sum()
    }

    /// Ends the life of a record at `seq`, wherever it is; true if there was one.
    pub(crate) fn kill(&self, id: u64, seq: u64) -> bool {
        self.parts().any(|part| part.kill(id, seq))
    }
}

/// Adds the best records of one part to what was found in others: distance, part and slot.
fn gather<'a, P: Part>(
    found: &mut Vec<(f32, &'a dyn Part, u32)>,
    query: &Prepared<'_>,
    part: &'a P,
    seq: u64,
) -> Result<()> {
    let best = query.run(part, seq)?;
    found.extend(best.iter().map(|best| (best.distance, part as &dyn Part, best.slot)));
    Ok(())
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("seq", &self.0.seq)
            .field("len", &self.0.len)
            .finish_non_exhaustive()
    }
}
