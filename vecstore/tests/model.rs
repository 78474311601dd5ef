//! The store against a plain model: a map, searched by the definition of the metric.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use proptest::prelude::*;
use vecstore::{
    Config, Durability, Filter, Hit, Metric, Query, Reader, Record, RecordRef, Snapshot, Store,
};

const DIMENSION: usize = 4;

#[derive(Debug, Clone)]
struct Item {
    vector: Vec<f32>,
    group: Option<String>,
    tags: Vec<&'static str>,
    payload: Option<u32>,
}

type Model = BTreeMap<u64, Item>;

#[derive(Debug, Clone)]
enum Step {
    Insert(Vec<(u64, Item)>),
    BulkLoad(Vec<(u64, Item)>),
    Delete(u64),
    Search { vector: Vec<f32>, k: usize, distinct_groups: bool, choice: Choice },
    Within { vector: Vec<f32>, score: f32, choice: Choice },
    Checkpoint,
    Reopen(Durability),
}

/// A filter, in a form that can be shown and checked.
#[derive(Debug, Clone)]
enum Choice {
    Tag(&'static str),
    All(Vec<Choice>),
    Any(Vec<Choice>),
    Not(Box<Choice>),
    OddPayload,
}

impl Choice {
    fn filter(&self) -> Filter<'static> {
        match self {
            Self::Tag(tag) => Filter::tag(*tag),
            Self::All(choices) => choices
                .iter()
                .fold(Filter::all([""; 0]), |filter, choice| filter.and(choice.filter())),
            Self::Any(choices) => choices
                .iter()
                .fold(Filter::any([""; 0]), |filter, choice| filter.or(choice.filter())),
            Self::Not(choice) => choice.filter().not(),
            Self::OddPayload => Filter::by(&|record: &RecordRef<'_>| {
                record.payload::<u32>().unwrap().is_some_and(|payload| payload % 2 == 1)
            }),
        }
    }

    fn accepts(&self, item: &Item) -> bool {
        match self {
            Self::Tag(tag) => item.tags.contains(tag),
            Self::All(choices) => choices.iter().all(|choice| choice.accepts(item)),
            Self::Any(choices) => choices.iter().any(|choice| choice.accepts(item)),
            Self::Not(choice) => !choice.accepts(item),
            Self::OddPayload => item.payload.is_some_and(|payload| payload % 2 == 1),
        }
    }
}

fn tag() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("a"), Just("b"), Just(""), Just("ы")]
}

fn choice() -> impl Strategy<Value = Choice> {
    let leaf = prop_oneof![3 => tag().prop_map(Choice::Tag), 1 => Just(Choice::OddPayload)];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let several = || proptest::collection::vec(inner.clone(), 0..3);
        prop_oneof![
            several().prop_map(Choice::All),
            several().prop_map(Choice::Any),
            inner.clone().prop_map(|choice| Choice::Not(Box::new(choice))),
        ]
    })
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
    let tags = proptest::collection::vec(tag(), 0..4);
    (vector(), group, tags, any::<Option<u32>>()).prop_map(|(vector, group, tags, payload)| Item {
        vector,
        group,
        tags,
        payload,
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => proptest::collection::vec((id(), item()), 0..8).prop_map(Step::Insert),
        1 => proptest::collection::vec((id(), item()), 0..8).prop_map(Step::BulkLoad),
        3 => id().prop_map(Step::Delete),
        4 => (vector(), 1..12usize, any::<bool>(), choice()).prop_map(
            |(vector, k, distinct_groups, choice)| Step::Search { vector, k, distinct_groups, choice },
        ),
        2 => (vector(), -5.0f32..20.0, choice())
            .prop_map(|(vector, score, choice)| Step::Within { vector, score, choice }),
        1 => Just(Step::Checkpoint),
        1 => prop_oneof![Just(Durability::EachWrite), Just(Durability::OnFlush)]
            .prop_map(Step::Reopen),
    ]
}

fn metric() -> impl Strategy<Value = Metric> {
    prop_oneof![Just(Metric::Cosine), Just(Metric::InnerProduct), Just(Metric::SquaredEuclidean)]
}

fn record(id: u64, item: &Item) -> Record {
    let mut record = Record::new(id, item.vector.clone()).with_tags(item.tags.clone());
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

/// What is asked, and what the answer must be like.
struct Question<'a> {
    metric: Metric,
    vector: &'a [f32],
    k: usize,
    within: Option<f32>,
    distinct_groups: bool,
    choice: Option<&'a Choice>,
}

impl Question<'_> {
    fn check(&self, snapshot: &Snapshot, model: &Model) -> Result<(), TestCaseError> {
        let filter = self.choice.map(Choice::filter);
        let mut query = match self.within {
            Some(score) => Query::within(self.vector, score),
            None => Query::new(self.vector, self.k),
        };
        if self.distinct_groups {
            query = query.distinct_groups();
        }
        if let Some(filter) = &filter {
            query = query.filter(filter);
        }
        self.check_hits(&snapshot.search(&query).unwrap(), model)
    }

    /// Checks hits against all items of the model. Equal scores may come in any order, so it is the
    /// scores that are compared, and each hit against its own item.
    fn check_hits(&self, hits: &[Hit], model: &Model) -> Result<(), TestCaseError> {
        let score = |item: &Item| score(self.metric, self.vector, &item.vector);
        // Multiplied by this, a higher score is nearer for every metric.
        let sign = if self.metric == Metric::SquaredEuclidean { -1.0 } else { 1.0 };
        let mut expected: Vec<(f32, Option<&str>)> = model
            .values()
            .filter(|item| self.choice.is_none_or(|choice| choice.accepts(item)))
            .map(|item| (score(item), item.group.as_deref()))
            .filter(|(score, _)| self.within.is_none_or(|within| sign * (score - within) >= 0.0))
            .collect();
        expected.sort_by(|a, b| (sign * b.0).total_cmp(&(sign * a.0)));
        let mut groups = HashSet::new();
        expected.retain(|(_, group)| {
            !self.distinct_groups || group.is_none_or(|group| groups.insert(group))
        });
        expected.truncate(self.k);

        prop_assert_eq!(hits.len(), expected.len());
        let (mut ids, mut groups) = (HashSet::new(), HashSet::new());
        for (hit, (expected, _)) in hits.iter().zip(expected) {
            prop_assert!((hit.score - expected).abs() < 1e-4, "{} is not {}", hit.score, expected);
            let item = &model[&hit.id];
            prop_assert!((hit.score - score(item)).abs() < 1e-4);
            prop_assert_eq!(&hit.group, &item.group);
            prop_assert_eq!(hit.payload::<u32>().unwrap(), item.payload);
            prop_assert!(self.choice.is_none_or(|choice| choice.accepts(item)));
            prop_assert!(ids.insert(hit.id));
            if let Some(group) = hit.group.as_ref().filter(|_| self.distinct_groups) {
                prop_assert!(groups.insert(group));
            }
        }
        Ok(())
    }
}

/// Checks that a snapshot holds just what the model does.
fn check_all(snapshot: &Snapshot, model: &Model, metric: Metric) -> Result<(), TestCaseError> {
    prop_assert_eq!(snapshot.len(), model.len());
    let mut ids: Vec<_> = snapshot.iter().map(|record| record.unwrap().id()).collect();
    ids.sort_unstable();
    prop_assert!(ids.iter().eq(model.keys()));
    for id in (0..20).chain([u64::MAX]) {
        let found = snapshot.get(id).unwrap();
        prop_assert_eq!(found.is_some(), snapshot.contains(id).unwrap());
        let payload = model.get(&id).and_then(|item| item.payload);
        prop_assert_eq!(snapshot.payload::<u32>(id).unwrap(), payload);
        match (found, model.get(&id)) {
            (None, None) => {}
            (Some(found), Some(item)) => {
                prop_assert_eq!(found.id(), id);
                prop_assert_eq!(found.group(), item.group.as_deref());
                let tags: std::collections::BTreeSet<_> = item.tags.iter().copied().collect();
                prop_assert!(found.tags().iter().map(String::as_str).eq(tags));
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
            Step::BulkLoad(items) => {
                let mut load = store.bulk_load();
                for (id, item) in &items {
                    load.add(&record(*id, item)).unwrap();
                }
                load.commit().unwrap();
                if !items.is_empty() {
                    model.extend(items);
                    reader.refresh().unwrap();
                    checkpointed.clone_from(&model);
                }
            }
            Step::Delete(id) => {
                prop_assert_eq!(store.delete(id).unwrap(), model.remove(&id).is_some());
            }
            Step::Search { vector, k, distinct_groups, choice } => {
                let vector = &vector;
                for choice in [None, Some(&choice)] {
                    let question =
                        Question { metric, vector, k, within: None, distinct_groups, choice };
                    question.check(&store.snapshot(), &model)?;
                    question.check(&reader.snapshot(), &checkpointed)?;
                }
            }
            Step::Within { vector, score, choice } => {
                // Off the grid of the scores that occur, where rounding would decide.
                let (vector, within) = (&vector, Some(score + 1e-3));
                let (k, distinct_groups, choice) = (usize::MAX, false, Some(&choice));
                let question = Question { metric, vector, k, within, distinct_groups, choice };
                question.check(&store.snapshot(), &model)?;
                question.check(&reader.snapshot(), &checkpointed)?;
            }
            Step::Checkpoint => {
                store.checkpoint().unwrap();
                check_all(&reader.snapshot(), &checkpointed, metric)?;
                reader.refresh().unwrap();
                checkpointed.clone_from(&model);
                check_all(&reader.snapshot(), &checkpointed, metric)?;
                prop_assert_eq!(reader.snapshot().verify().unwrap().vectors, model.len());
                check_all(&earlier.0, &earlier.1, metric)?;
                earlier = (store.snapshot(), model.clone());
            }
            Step::Reopen(durability) => {
                drop(store);
                store = Store::open(path).unwrap().with_durability(durability);
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
