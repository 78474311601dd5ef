//! What is in the files, as `expected.json` says it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vecstore::{Filter, Hit, Query, Record, Snapshot};

#[derive(Serialize, Deserialize)]
pub(crate) struct Expected {
    /// The segment of the store, which readers see.
    pub(crate) checkpoint: Contents,
    /// Its segment and its tail.
    pub(crate) whole: Contents,
    /// The segment file alone, from another store, with the cosine metric.
    pub(crate) alone: Contents,
}

/// A segment of many records. What they are is told by their ids.
#[derive(Serialize, Deserialize)]
pub(crate) struct Large {
    pub(crate) dimension: usize,
    pub(crate) records: u64,
    pub(crate) searches: Vec<Search>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Contents {
    pub(crate) last_change: u64,
    /// In ascending order of their ids.
    pub(crate) records: Vec<Entry>,
    pub(crate) searches: Vec<Search>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: u64,
    pub(crate) vector: Vec<f32>,
    pub(crate) group: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) payload: Option<Value>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Search {
    pub(crate) query: Vec<f32>,
    pub(crate) k: usize,
    pub(crate) distinct_groups: bool,
    pub(crate) tag: Option<String>,
    /// Ids and scores, nearest first.
    pub(crate) hits: Vec<(u64, f64)>,
}

impl Contents {
    /// Compares all that a snapshot gives with what it should.
    pub(crate) fn check(&self, snapshot: &Snapshot) {
        assert_eq!(
            (snapshot.last_change(), snapshot.len()),
            (self.last_change, self.records.len())
        );
        snapshot.verify().unwrap();
        let mut records: Vec<Record> = snapshot.iter().map(Result::unwrap).collect();
        records.sort_by_key(Record::id);
        let entries: Vec<Entry> = records.iter().map(Entry::of).collect();
        assert_eq!(entries, self.records);
        for record in &records {
            assert_eq!(snapshot.get(record.id()).unwrap().as_ref(), Some(record));
        }
        for search in &self.searches {
            search.check(snapshot);
        }
    }
}

impl Large {
    pub(crate) fn check(&self, snapshot: &Snapshot) {
        assert_eq!(snapshot.len() as u64, self.records);
        snapshot.verify().unwrap();
        for id in 0..self.records {
            let record = snapshot.get(id).unwrap().unwrap();
            let vector = Self::vector(id, self.dimension, self.has_tag());
            assert_eq!(record.vector(), vector);
            assert_eq!(!record.tags().is_empty(), self.has_tag() && Self::is_tagged(id));
        }
        for search in &self.searches {
            search.check(snapshot);
        }
    }

    fn has_tag(&self) -> bool {
        self.searches.iter().any(|search| search.tag.is_some())
    }

    /// Whether a record has the tag, if there is one.
    pub(crate) fn is_tagged(id: u64) -> bool {
        !id.is_multiple_of(9)
    }

    /// Multiples of 1/16 between -2 and 2: bits of the finaliser of SplitMix64 of a number for each
    /// component. Where there is a tag, those without it lie 100 from the others. The second half of many
    /// components is like the first.
    pub(crate) fn vector(id: u64, dimension: usize, has_tag: bool) -> Vec<f32> {
        let apart = if has_tag && !Self::is_tagged(id) { 100.0 } else { 0.0 };
        let different = if dimension > 64 { dimension / 2 } else { dimension };
        let component = |place: usize| {
            let place = place % different;
            let number =
                (id << 16 | place as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let number = (number ^ number >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let number = (number ^ number >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((number ^ number >> 31) % 65) as f32 / 16.0 - 2.0 + apart
        };
        (0..dimension).map(component).collect()
    }
}

impl Entry {
    fn of(record: &Record) -> Self {
        Self {
            id: record.id(),
            vector: record.vector().to_vec(),
            group: record.group().map(Into::into),
            tags: record.tags().to_vec(),
            payload: record.payload().unwrap(),
        }
    }
}

impl Search {
    /// Whether a record is among the hits.
    pub(crate) fn finds(&self, id: u64) -> bool {
        self.hits.iter().any(|&(hit, _)| hit == id)
    }

    pub(crate) fn hits(&self, snapshot: &Snapshot, ef: usize) -> Vec<Hit> {
        let filter = self.tag.as_ref().map(Filter::tag);
        let mut query = Query::new(&self.query, self.k).ef(ef);
        if self.distinct_groups {
            query = query.distinct_groups();
        }
        if let Some(filter) = &filter {
            query = query.filter(filter);
        }
        snapshot.search(&query).unwrap()
    }

    fn check(&self, snapshot: &Snapshot) {
        // So high that all are compared, also where there are many.
        let hits = self.hits(snapshot, 3_000);
        let ids = |(id, _): &(u64, f64)| *id;
        assert_eq!(
            hits.iter().map(|hit| hit.id).collect::<Vec<_>>(),
            self.hits.iter().map(ids).collect::<Vec<_>>()
        );
        for (hit, (_, score)) in hits.iter().zip(&self.hits) {
            assert!((f64::from(hit.score) - score).abs() < 1e-5, "{hit:?}, not {score}");
        }
    }
}
