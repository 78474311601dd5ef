//! What is in the files, as `expected.json` says it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vecstore::{Filter, Query, Record, Snapshot};

#[derive(Serialize, Deserialize)]
pub(crate) struct Expected {
    /// The segment of the store, which readers see.
    pub(crate) checkpoint: Contents,
    /// Its segment and its tail.
    pub(crate) whole: Contents,
    /// The segment file alone, from another store, with the cosine metric.
    pub(crate) alone: Contents,
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
    fn check(&self, snapshot: &Snapshot) {
        let filter = self.tag.as_ref().map(Filter::tag);
        let mut query = Query::new(&self.query, self.k);
        if self.distinct_groups {
            query = query.distinct_groups();
        }
        if let Some(filter) = &filter {
            query = query.filter(filter);
        }
        let hits = snapshot.search(&query).unwrap();
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
