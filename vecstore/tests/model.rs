//! The store against a plain model: a map, searched by the definition of the metric.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use proptest::prelude::*;
use vecstore::{Config, Hit, Metric, Query, Reader, Record, Snapshot, Store};

const DIMENSION: usize = 4;

#[derive(Debug, Clone)]
struct Item {
    vector: Vec<f32>,
    group: Option<String>,
    payload: Option<u32>,
}

type Model = BTreeMap<u64, Item>;

#[derive(Debug, Clone)]
enum Step {
    Insert(Vec<(u64, Item)>),
    Delete(u64),
    Search { vector: Vec<f32>, k: usize, distinct_groups: bool },
    Checkpoint,
    Reopen,
}

fn vector() -> impl Strategy<Value = Vec<f32>> {
    // Few different directions, so that equal distances occur.
    proptest::collection::vec((-3..=3i8).prop_map(f32::from), DIMENSION)
        .prop_filter("no direction", |vector| vector.iter().any(|&x| x != 0.0))
}

fn id() -> impl Strategy<Value = u64> {
    prop_oneof![0..20u64, Just(u64::MAX)]
}

fn item() -> impl Strategy<Value = Item> {
    let group =
        proptest::option::of(prop_oneof!["[abc]", Just(String::new()), Just("é".to_owned())]);
    (vector(), group, any::<Option<u32>>()).prop_map(|(vector, group, payload)| Item {
        vector,
        group,
        payload,
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => proptest::collection::vec((id(), item()), 0..8).prop_map(Step::Insert),
        3 => id().prop_map(Step::Delete),
        4 => (vector(), 1..12usize, any::<bool>())
            .prop_map(|(vector, k, distinct_groups)| Step::Search { vector, k, distinct_groups }),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Reopen),
    ]
}

fn metric() -> impl Strategy<Value = Metric> {
    prop_oneof![Just(Metric::Cosine), Just(Metric::InnerProduct), Just(Metric::SquaredEuclidean)]
}

fn record(id: u64, item: &Item) -> Record {
    let mut record = Record::new(id, item.vector.clone());
    if let Some(group) = &item.group {
        record = record.with_group(group);
    }
    if let Some(payload) = item.payload {
        record = record.with_payload(&payload).unwrap();
    }
    record
}

fn score(metric: Metric, a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    match metric {
        Metric::Cosine => dot(a, b) / (dot(a, a) * dot(b, b)).sqrt(),
        Metric::InnerProduct => dot(a, b),
        Metric::SquaredEuclidean => a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum(),
    }
}

/// Checks hits against all items of the model. Equal scores may come in any order, so it is the
/// scores that are compared, and each hit against its own item.
fn check_hits(
    hits: &[Hit],
    model: &Model,
    metric: Metric,
    query: &[f32],
    k: usize,
    distinct: bool,
) -> Result<(), TestCaseError> {
    let mut expected: Vec<(f32, Option<&str>)> = model
        .values()
        .map(|item| (score(metric, query, &item.vector), item.group.as_deref()))
        .collect();
    expected.sort_by(|a, b| match metric {
        Metric::SquaredEuclidean => a.0.total_cmp(&b.0),
        Metric::Cosine | Metric::InnerProduct => b.0.total_cmp(&a.0),
    });
    let mut groups = HashSet::new();
    expected.retain(|(_, group)| !distinct || group.is_none_or(|group| groups.insert(group)));
    expected.truncate(k);

    prop_assert_eq!(hits.len(), expected.len());
    let (mut ids, mut groups) = (HashSet::new(), HashSet::new());
    for (hit, (expected, _)) in hits.iter().zip(expected) {
        prop_assert!((hit.score - expected).abs() < 1e-4, "{} is not {}", hit.score, expected);
        let item = &model[&hit.id];
        prop_assert!((hit.score - score(metric, query, &item.vector)).abs() < 1e-4);
        prop_assert_eq!(&hit.group, &item.group);
        prop_assert_eq!(hit.payload::<u32>().unwrap(), item.payload);
        prop_assert!(ids.insert(hit.id));
        if let Some(group) = hit.group.as_ref().filter(|_| distinct) {
            prop_assert!(groups.insert(group));
        }
    }
    Ok(())
}

/// Checks that a snapshot holds just what the model does.
fn check_all(snapshot: &Snapshot, model: &Model, metric: Metric) -> Result<(), TestCaseError> {
    prop_assert_eq!(snapshot.len(), model.len());
    for id in (0..20).chain([u64::MAX]) {
        let found = snapshot.get(id).unwrap();
        prop_assert_eq!(found.is_some(), snapshot.contains(id));
        match (found, model.get(&id)) {
            (None, None) => {}
            (Some(found), Some(item)) => {
                prop_assert_eq!(found.id(), id);
                prop_assert_eq!(found.group(), item.group.as_deref());
                prop_assert_eq!(found.payload::<u32>().unwrap(), item.payload);
                let norm = match metric {
                    Metric::Cosine => item.vector.iter().map(|x| x * x).sum::<f32>().sqrt(),
                    Metric::InnerProduct | Metric::SquaredEuclidean => 1.0,
                };
                for (found, expected) in found.vector().iter().zip(&item.vector) {
                    prop_assert!((found - expected / norm).abs() < 1e-6);
                }
            }
            (found, expected) => prop_assert!(false, "{found:?} is not {expected:?}"),
        }
    }
    Ok(())
}

fn run(path: &Path, metric: Metric, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut store = Store::create(path, Config::new(DIMENSION, metric)).unwrap();
    let mut model = Model::new();
    // What a reader of another process sees, and a snapshot that must never change.
    let (mut checkpointed, reader) = (Model::new(), Reader::open(path).unwrap());
    let mut earlier = (store.snapshot(), model.clone());
    for step in steps {
        match step {
            Step::Insert(items) => {
                let records: Vec<_> = items.iter().map(|(id, item)| record(*id, item)).collect();
                store.insert_batch(&records).unwrap();
                model.extend(items);
            }
            Step::Delete(id) => {
                prop_assert_eq!(store.delete(id).unwrap(), model.remove(&id).is_some());
            }
            Step::Search { vector, k, distinct_groups } => {
                let query = Query::new(&vector, k);
                let query = if distinct_groups { query.distinct_groups() } else { query };
                let hits = store.search(&query).unwrap();
                check_hits(&hits, &model, metric, &vector, k, distinct_groups)?;
                let hits = reader.search(&query).unwrap();
                check_hits(&hits, &checkpointed, metric, &vector, k, distinct_groups)?;
            }
            Step::Checkpoint => {
                store.checkpoint().unwrap();
                check_all(&reader.snapshot(), &checkpointed, metric)?;
                reader.refresh().unwrap();
                checkpointed.clone_from(&model);
                check_all(&reader.snapshot(), &checkpointed, metric)?;
                check_all(&earlier.0, &earlier.1, metric)?;
                earlier = (store.snapshot(), model.clone());
            }
            Step::Reopen => {
                drop(store);
                store = Store::open(path).unwrap();
            }
        }
        check_all(&store.snapshot(), &model, metric)?;
    }
    check_all(&earlier.0, &earlier.1, metric)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_store_is_a_map_that_can_be_searched(
        metric in metric(),
        steps in proptest::collection::vec(step(), 1..30),
    ) {
        let directory = tempfile::tempdir().unwrap();
        run(directory.path(), metric, steps)?;
    }
}
