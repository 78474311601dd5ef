//! How the files of the newest version were made. Once committed they stay as they are; those of the
//! next version go into a folder of their own.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;
use serde_json::json;
use vecstore::{Config, Metric, Record, RowFormat, Store};

use crate::contents::{Contents, Entry, Expected, Large, Search};
use crate::{DIMENSION, Fixture};

/// The newest version of the format that is fixed.
pub(crate) const VERSION: u32 = 5;

/// `cargo test -p vecstore --test format -- --ignored make`
#[test]
#[ignore = "it makes the files that the other tests read, where there are none"]
fn make() {
    let Fixture { folder, config } = Fixture::of(VERSION);
    assert!(!folder.exists(), "{} is there: files of a version stay as they are", folder.display());

    // A checkpoint after which records were deleted and replaced, as there were before it.
    let mut model = Model::new(Store::create(folder.join("store"), config).unwrap());
    model.put((1..=40).chain([u64::MAX]));
    model.delete(7);
    model.delete(13);
    model.put([5, 21]);
    model.store.checkpoint().unwrap();
    let checkpoint = model.contents();
    model.put((41..=46).chain([3, 13, 42]));
    model.delete(8);
    model.delete(41);
    model.put([u64::MAX - 1]);
    let whole = model.contents();
    let records = std::mem::take(&mut model.records);
    drop(model);

    // The same records loaded into a store with the cosine metric, of which the segment is kept.
    let directory = tempfile::tempdir().unwrap();
    let store = Store::create(directory.path(), Config::new(DIMENSION, Metric::Cosine)).unwrap();
    let mut model = Model::new(store);
    let mut load = model.store.bulk_load();
    for (id, mut entry) in records {
        load.add(&entry.record()).unwrap();
        let length = dot(&entry.vector, &entry.vector).sqrt();
        entry.vector.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
        model.records.insert(id, entry);
    }
    load.commit().unwrap();
    model.changes = 1;
    let alone = model.contents();
    let segment = segment_of(&model.store);
    fs::write(folder.join("alone.seg"), segment).unwrap();
    write_json(&folder.join("expected.json"), &Expected { checkpoint, whole, alone });

    // So many records that there are codes, of their differences from the mean.
    let config = Config::new(32, Metric::SquaredEuclidean).with_m(4);
    let config = config.with_ef_construction(100).with_rows(RowFormat::F16);
    make_large(&folder, "coded", config, 2_100, None);

    // The same in a space of which the vectors fill half.
    let config = Config::new(80, Metric::SquaredEuclidean).with_m(4);
    let config = config.with_ef_construction(100).with_rows(RowFormat::F16);
    make_large(&folder, "flat", config, 2_100, None);

    // So many with a tag, which lie so far from the others, that the tag has a graph.
    let config = Config::new(8, Metric::SquaredEuclidean).with_m(2).with_rows(RowFormat::F16);
    make_large(&folder, "tagged", config, 4_600, Some("most"));
}

/// A segment of many records and searches with a filter, in files with a name.
fn make_large(folder: &Path, name: &str, config: Config, records: u64, tag: Option<&str>) {
    let directory = tempfile::tempdir().unwrap();
    let mut model = Model::new(Store::create(directory.path(), config).unwrap());
    let mut load = model.store.bulk_load();
    for id in 0..records {
        let vector = Large::vector(id, config.dimension(), tag.is_some());
        let tags = tag.filter(|_| Large::is_tagged(id)).map(Into::into);
        let tags = tags.into_iter().collect();
        let entry = Entry { id, vector, group: None, tags, payload: None };
        load.add(&entry.record()).unwrap();
        model.records.insert(id, entry);
    }
    load.commit().unwrap();
    let searches = (0..20).map(|_| model.search(false, tag)).collect();
    fs::write(folder.join(format!("{name}.seg")), segment_of(&model.store)).unwrap();
    let large = Large { dimension: config.dimension(), records, searches };
    write_json(&folder.join(format!("{name}.json")), &large);
}

/// A segment, which must be one of the version that is being fixed.
fn segment_of(store: &Store) -> Vec<u8> {
    let segment = store.snapshot().segment().unwrap().to_vec();
    assert_eq!(segment[8..12], VERSION.to_le_bytes());
    segment
}

fn write_json(path: &Path, contents: &impl Serialize) {
    let json = serde_json::to_string_pretty(contents).unwrap();
    fs::write(path, json + "\n").unwrap();
}

/// A store, and what should be in it.
struct Model {
    store: Store,
    records: BTreeMap<u64, Entry>,
    changes: u64,
    random: StdRng,
}

impl Model {
    fn new(store: Store) -> Self {
        let random = StdRng::seed_from_u64(1);
        Self { store, records: BTreeMap::new(), changes: 0, random }
    }

    fn put(&mut self, ids: impl IntoIterator<Item = u64>) {
        for id in ids {
            let entry = self.entry(id);
            self.store.insert(&entry.record()).unwrap();
            self.records.insert(id, entry);
            self.changes += 1;
        }
    }

    fn delete(&mut self, id: u64) {
        assert!(self.store.delete(id).unwrap() && self.records.remove(&id).is_some());
        self.changes += 1;
    }

    fn entry(&mut self, id: u64) -> Entry {
        let group = match id % 4 {
            0 => None,
            1 => Some("Ада"),
            2 => Some("Bob"),
            _ => Some("a group with a longer name"),
        };
        let tags: &[&str] = match id % 3 {
            0 => &[],
            1 => &["few"],
            _ => &["few", "with a space"],
        };
        let payload = match id % 5 {
            0 => None,
            1 => Some(json!("text")),
            2 if id > 40 => Some(json!("more than one part of the log holds ".repeat(150))),
            _ => {
                Some(json!({ "file": format!("{id}.jpg"), "sizes": [id % 10, 0.5], "none": null }))
            }
        };
        Entry {
            id,
            vector: self.vector(),
            group: group.map(Into::into),
            tags: tags.iter().map(|&tag| tag.into()).collect(),
            payload,
        }
    }

    /// Of numbers with few digits, so that `expected.json` can be read.
    fn vector(&mut self) -> Vec<f32> {
        (0..self.store.config().dimension())
            .map(|_| self.random.random_range(-32..=32) as f32 / 16.0)
            .collect()
    }

    fn contents(&mut self) -> Contents {
        let mut searches = Vec::new();
        for distinct_groups in [false, true] {
            for tag in [None, Some("few"), Some("with a space"), Some("nowhere")] {
                searches.push(self.search(distinct_groups, tag));
            }
        }
        let records = self.records.values().cloned().collect();
        Contents { last_change: self.changes, records, searches }
    }

    fn search(&mut self, distinct_groups: bool, tag: Option<&str>) -> Search {
        let (query, k) = (self.vector(), 10);
        let cosine = self.store.config().metric() == Metric::Cosine;
        let score = |vector: &[f32]| {
            if cosine {
                dot(&query, vector) / dot(&query, &query).sqrt()
            } else {
                dot(&query, &query) - 2.0 * dot(&query, vector) + dot(vector, vector)
            }
        };
        let mut found: Vec<(f64, &Entry)> = self
            .records
            .values()
            .filter(|entry| tag.is_none_or(|tag| entry.tags.iter().any(|other| other == tag)))
            .map(|entry| (score(&entry.vector), entry))
            .collect();
        found.sort_by(|(a, _), (b, _)| if cosine { b.total_cmp(a) } else { a.total_cmp(b) });
        if distinct_groups {
            let mut met = HashSet::new();
            found.retain(|(_, entry)| entry.group.as_ref().is_none_or(|group| met.insert(group)));
        }
        found.truncate(k + 1);
        // So near to each other that rounding could order them in another way.
        let unclear = |pair: &[(f64, &Entry)]| (pair[0].0 - pair[1].0).abs() < 1e-5;
        if found.windows(2).any(unclear) {
            return self.search(distinct_groups, tag);
        }
        found.truncate(k);
        let hits = found.into_iter().map(|(score, entry)| (entry.id, score)).collect();
        Search { query, k, distinct_groups, tag: tag.map(Into::into), hits }
    }
}

impl Entry {
    fn record(&self) -> Record {
        let mut record = Record::new(self.id, self.vector.clone()).with_tags(&self.tags);
        if let Some(group) = &self.group {
            record = record.with_group(group);
        }
        match &self.payload {
            Some(payload) => record.with_payload(payload).unwrap(),
            None => record,
        }
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}
