//! A tag whose records lie apart from the others gets a graph of its own, which every checkpoint keeps up
//! to date: searches far from the tag find its nearest records, also after many of them came and went.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use vecstore::{Config, Filter, Metric, Query, Reader, Record, Snapshot, Store};

const DIMENSION: usize = 32;
const CENTRES: usize = 40;
const K: usize = 10;

/// Records around some centres. Those at low ones are tagged `low`, whatever their id is; every second
/// record is tagged `even`, wherever it lies.
struct World {
    random: StdRng,
    centres: Vec<Vec<f32>>,
    records: BTreeMap<u64, Record>,
}

impl World {
    fn new() -> Self {
        let mut random = StdRng::seed_from_u64(7);
        let centre = |_| (0..DIMENSION).map(|_| random.random_range(-1.0..1.0)).collect();
        let centres = (0..CENTRES).map(centre).collect();
        Self { random, centres, records: BTreeMap::new() }
    }

    fn vector(&mut self, centre: usize) -> Vec<f32> {
        let centre = &self.centres[centre];
        centre.iter().map(|it| it + self.random.random_range(-0.7f32..0.7)).collect()
    }

    fn record(&mut self, id: u64) -> Record {
        let centre = self.random.random_range(0..CENTRES);
        let vector = self.vector(centre);
        let tags = [(vector[0] < 0.0, "low"), (id.is_multiple_of(2), "even")];
        let tags = tags.into_iter().filter_map(|(has, tag)| has.then_some(tag));
        Record::new(id, vector).with_tags(tags).with_group(format!("group {}", id % 3_000))
    }

    /// New records with these ids.
    fn put(&mut self, ids: impl Iterator<Item = u64>) -> Vec<Record> {
        let records: Vec<_> = ids.map(|id| self.record(id)).collect();
        self.records.extend(records.iter().map(|record| (record.id(), record.clone())));
        records
    }

    fn load(&mut self, store: &Store, ids: impl Iterator<Item = u64>) {
        let mut load = store.bulk_load();
        for record in self.put(ids) {
            load.add(&record).unwrap();
        }
        load.commit().unwrap();
    }

    fn insert(&mut self, store: &Store, ids: impl Iterator<Item = u64>) {
        store.insert_batch(&self.put(ids)).unwrap();
    }

    fn delete(&mut self, store: &Store, of: impl Fn(&Record) -> bool) {
        let ids: Vec<u64> =
            self.records.values().filter(|record| of(record)).map(Record::id).collect();
        for id in ids {
            assert!(store.delete(id).unwrap());
            self.records.remove(&id);
        }
    }

    /// Queries at the highest centres, where few or none are tagged `low`.
    fn queries(&mut self) -> Vec<Vec<f32>> {
        let mut centres: Vec<usize> = (0..CENTRES).collect();
        centres.sort_by(|&a, &b| self.centres[b][0].total_cmp(&self.centres[a][0]));
        (0..60).map(|number| self.vector(centres[number % 6])).collect()
    }

    /// Compares searches with a comparison of all records, and gives the share of what they found.
    fn recall(
        &mut self,
        snapshot: &Snapshot,
        filter: &Filter<'_>,
        accepts: impl Fn(&Record) -> bool,
    ) -> f64 {
        let (mut found, mut wanted) = (0, 0);
        for query in self.queries() {
            let distance = |record: &Record| {
                query.iter().zip(record.vector()).map(|(a, b)| (a - b).powi(2)).sum::<f32>()
            };
            let accepted = self.records.values().filter(|record| accepts(record));
            let mut nearest: Vec<_> = accepted.map(|it| (distance(it), it.id())).collect();
            nearest.sort_by(|a, b| a.0.total_cmp(&b.0));
            nearest.truncate(K);
            let hits = snapshot.search(&Query::new(&query, K).filter(filter)).unwrap();
            assert_eq!(hits.len(), nearest.len(), "k results whenever k match");
            assert!(hits.iter().all(|hit| accepts(&self.records[&hit.id])));
            found += hits.iter().filter(|hit| nearest.iter().any(|it| it.1 == hit.id)).count();
            wanted += nearest.len();
        }
        found as f64 / wanted as f64
    }
}

fn is(tag: &str) -> impl Fn(&Record) -> bool {
    move |record| record.tags().iter().any(|other| other == tag)
}

fn graphs(store: &Store) -> usize {
    store.snapshot().verify().unwrap().tag_graphs
}

fn created(directory: &std::path::Path) -> Store {
    Store::create(directory, Config::new(DIMENSION, Metric::SquaredEuclidean)).unwrap()
}

#[test]
fn a_tag_that_lies_apart_has_a_graph_through_all_checkpoints() {
    let directory = tempfile::tempdir().unwrap();
    let store = created(directory.path());
    let mut world = World::new();
    world.load(&store, 0..16_000);
    assert_eq!(graphs(&store), 1, "of `low`, and not of `even`");
    let low = Filter::tag("low");
    assert!(world.recall(&store.snapshot(), &low, is("low")) > 0.95);

    // A third goes, others get new places and tags, more come: before a checkpoint and after it.
    for round in 0..3 {
        world.delete(&store, |record| record.id() % 3 == round);
        world.insert(&store, (20_000 * round)..(20_000 * round + 6_000));
        assert!(world.recall(&store.snapshot(), &low, is("low")) > 0.95);
        store.checkpoint().unwrap();
        assert_eq!(graphs(&store), 1);
        let recall = world.recall(&store.snapshot(), &low, is("low"));
        assert!(recall > 0.95, "{recall} after round {round}");
    }

    // A bulk load replaces records of the graph, too.
    world.load(&store, 20_000..24_000);
    assert_eq!(graphs(&store), 1);
    let reader = Reader::open(directory.path()).unwrap();
    assert!(world.recall(&reader.snapshot(), &low, is("low")) > 0.95);

    // Too few are left for a graph.
    world.delete(&store, |record| is("low")(record) && record.id() % 8 != 0);
    assert!(world.recall(&store.snapshot(), &low, is("low")) > 0.95);
    store.checkpoint().unwrap();
    assert_eq!(graphs(&store), 0);
    assert!(world.recall(&store.snapshot(), &low, is("low")) > 0.95);
}

/// A filter, and the records that it accepts.
type Case<'a> = (Filter<'a>, &'a dyn Fn(&Record) -> bool);

#[test]
fn filters_that_hold_such_a_tag() {
    let directory = tempfile::tempdir().unwrap();
    let store = created(directory.path());
    let mut world = World::new();
    // A checkpoint makes the graph, too.
    world.insert(&store, 0..16_000);
    store.checkpoint().unwrap();
    assert_eq!(graphs(&store), 1);
    let snapshot = store.snapshot();

    let (low, even) = (is("low"), is("even"));
    let small = |record: &vecstore::RecordRef<'_>| record.id() < 12_000;
    let filters: [Case<'_>; 6] = [
        (Filter::any(["low"]), &low),
        (Filter::all(["low", "even"]), &|it| low(it) && even(it)),
        (Filter::any(["low", "even"]), &|it| low(it) || even(it)),
        (Filter::tag("low").and(Filter::tag("even").not()), &|it| low(it) && !even(it)),
        (Filter::tag("low").not(), &|it| !low(it)),
        (Filter::by(&small).and(Filter::tag("low")), &|it| low(it) && it.id() < 12_000),
    ];
    for (filter, accepts) in &filters {
        let recall = world.recall(&snapshot, filter, accepts);
        assert!(recall > 0.95, "{recall}: {filter:?}");
    }

    let filter = Filter::tag("low");
    for query in world.queries() {
        // The best of each group, and all within a distance.
        let hits =
            snapshot.search(&Query::new(&query, K).filter(&filter).distinct_groups()).unwrap();
        let mut groups: Vec<_> = hits.iter().map(|hit| world.records[&hit.id].group()).collect();
        groups.sort_unstable();
        groups.dedup();
        assert_eq!(groups.len(), K);
        let within =
            snapshot.search(&Query::within(&query, hits[K - 1].score).filter(&filter)).unwrap();
        assert!(within.len() >= K);
        assert!(
            within.iter().all(|hit| low(&world.records[&hit.id]) && hit.score <= hits[K - 1].score)
        );
    }
}
