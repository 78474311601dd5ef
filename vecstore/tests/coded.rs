//! Segments with codes: searches that compare codes first find what a plain comparison finds.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use half::f16;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use vecstore::{Config, Filter, Metric, Query, Reader, Record, RowFormat, Store};

const METRICS: [Metric; 3] = [Metric::Cosine, Metric::InnerProduct, Metric::SquaredEuclidean];
const ROWS: [RowFormat; 2] = [RowFormat::F32, RowFormat::F16];
const DIMENSION: usize = 40;
const RECORDS: u64 = 3_000;
const K: usize = 10;

/// Vectors off the origin, of unequal lengths, some of them four times as long as others.
fn vector(random: &mut StdRng) -> Vec<f32> {
    let length = [0.5, 1.0, 2.0][random.random_range(0..3)];
    (0..DIMENSION).map(|_| length * (0.3 + random.random_range(-1.0f32..1.0))).collect()
}

/// A vector that is there several times over lies in a subspace.
fn record(id: u64, times: usize, random: &mut StdRng) -> Record {
    let tag = if id.is_multiple_of(3) { "third" } else { "other" };
    Record::new(id, vector(random).repeat(times))
        .with_tags([tag])
        .with_group(format!("group {}", id % 500))
}

/// A store whose segment was written twice: records were deleted, replaced and added after the first.
fn store(directory: &std::path::Path, config: Config, random: &mut StdRng) -> Vec<Record> {
    let times = config.dimension() / DIMENSION;
    let store = Store::create(directory, config).unwrap();
    let mut records: Vec<_> = (0..RECORDS).map(|id| record(id, times, random)).collect();
    store.insert_batch(&records).unwrap();
    store.checkpoint().unwrap();
    for id in (0..RECORDS).step_by(10) {
        store.delete(id).unwrap();
    }
    records.retain(|record| !record.id().is_multiple_of(10));
    let more: Vec<_> = (RECORDS - 100..RECORDS + 400).map(|id| record(id, times, random)).collect();
    store.insert_batch(&more).unwrap();
    records.retain(|record| record.id() < RECORDS - 100);
    records.extend(more);
    store.checkpoint().unwrap();
    records
}

/// A record whose vector is what rows of f16 keep of it.
fn rounded(record: &Record, metric: Metric) -> Record {
    let vector = record.vector();
    let length = match metric {
        Metric::Cosine => vector.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt(),
        Metric::InnerProduct | Metric::SquaredEuclidean => 1.0,
    };
    let kept = |&x: &f32| f16::from_f32((f64::from(x) / length) as f32).to_f32();
    Record::new(record.id(), vector.iter().map(kept).collect()).with_tags(record.tags())
}

/// Ids and scores of all accepted records, nearest first, by the definition of the metric.
fn nearest(
    records: &[Record],
    query: &[f32],
    metric: Metric,
    accept: impl Fn(&Record) -> bool,
) -> Vec<(u64, f64)> {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    };
    let score = |vector: &[f32]| match metric {
        Metric::InnerProduct => dot(query, vector),
        Metric::Cosine => dot(query, vector) / (dot(query, query) * dot(vector, vector)).sqrt(),
        Metric::SquaredEuclidean => {
            dot(query, query) - 2.0 * dot(query, vector) + dot(vector, vector)
        }
    };
    let accepted = records.iter().filter(|record| accept(record));
    let mut scores: Vec<_> = accepted.map(|it| (it.id(), score(it.vector()))).collect();
    let sign = if metric == Metric::SquaredEuclidean { 1.0 } else { -1.0 };
    scores.sort_by(|a, b| (sign * a.1).total_cmp(&(sign * b.1)));
    scores
}

#[test]
fn answers_are_those_of_a_plain_comparison() {
    for (metric, rows) in METRICS.iter().flat_map(|&it| ROWS.map(|rows| (it, rows))) {
        check_answers(Config::new(DIMENSION, metric).with_rows(rows));
    }
}

/// Codes then have as many components as the subspace, and what of a query lies outside changes nothing.
#[test]
fn answers_in_a_subspace_are_those_of_a_plain_comparison() {
    for metric in METRICS {
        check_answers(Config::new(4 * DIMENSION, metric));
    }
}

fn check_answers(config: Config) {
    let (metric, times) = (config.metric(), config.dimension() / DIMENSION);
    let directory = tempfile::tempdir().unwrap();
    let mut random = StdRng::seed_from_u64(4);
    let mut records = store(directory.path(), config, &mut random);
    if config.rows() == RowFormat::F16 {
        records = records.iter().map(|record| rounded(record, metric)).collect();
    }
    let reader = Reader::open(directory.path()).unwrap();
    reader.snapshot().verify().unwrap();
    let ids = |query: &Query<'_>| -> Vec<u64> {
        reader.search(query).unwrap().iter().map(|hit| hit.id).collect()
    };
    let third = Filter::tag("third");
    let (mut found, mut all) = (0, 0);
    for _ in 0..50 {
        let mut query = vector(&mut random).repeat(times);
        if times > 1 {
            let (first, rest) = query.split_at_mut(DIMENSION);
            for (component, other) in first.iter_mut().zip(rest) {
                let outside = random.random_range(-0.2..0.2);
                (*component, *other) = (*component + outside, *other - outside);
            }
        }
        // So few are accepted that each is compared: the answer is exact.
        let exact = nearest(&records, &query, metric, |record| record.tags() == ["third"]);
        let found_third = ids(&Query::new(&query, K).filter(&third));
        assert_eq!(found_third.len(), K);
        for (id, (nearest, score)) in found_third.iter().zip(&exact) {
            // Two may be so near to each other that a sum of f32 orders them in another way.
            let (_, found) = exact.iter().find(|(other, _)| other == id).unwrap();
            let off = (found - score).abs();
            assert!(off <= 1e-6 * (1.0 + score.abs()), "{metric}: {id}, not {nearest}: {off}");
        }

        let exact = nearest(&records, &query, metric, |_| true);
        let hits = reader.search(&Query::new(&query, K).ef(800)).unwrap();
        assert_eq!(hits.len(), K);
        for hit in &hits {
            let (_, score) = exact.iter().find(|&&(id, _)| id == hit.id).unwrap();
            let off = (f64::from(hit.score) - score).abs();
            assert!(off <= 1e-4 * (1.0 + score.abs()), "{metric}: {hit:?}, not {score}");
        }
        found += exact[..K].iter().filter(|(id, _)| hits.iter().any(|it| it.id == *id)).count();
        all += K;

        let bound = exact[20].1.midpoint(exact[21].1) as f32;
        let mut within = ids(&Query::within(&query, bound).ef(800));
        let expected: Vec<_> = exact[..21].iter().map(|&(id, _)| id).collect();
        found += within.iter().filter(|id| expected.contains(id)).count();
        all += expected.len();
        within.retain(|id| !expected.contains(id));
        assert!(within.is_empty(), "{metric}: {within:?} are farther than {bound}");
    }
    let recall = found as f64 / all as f64;
    assert!(recall > 0.98, "{metric}: {recall}");
}

/// Where as many are accepted as it takes longer to compare one by one than to walk, most are passed over by
/// their sketches.
#[test]
fn what_is_sifted_by_sketches_is_found() {
    for (metric, rows) in METRICS.iter().flat_map(|&it| ROWS.map(|rows| (it, rows))) {
        let mut random = StdRng::seed_from_u64(5);
        let records: Vec<_> = (0..12_000)
            .map(|id| {
                let vector = vector(&mut random);
                let side = if vector.iter().sum::<f32>() < 10.0 { "far" } else { "near" };
                Record::new(id, vector).with_tags([side]).with_group(format!("group {}", id % 500))
            })
            .collect();
        let directory = tempfile::tempdir().unwrap();
        let config = Config::new(DIMENSION, metric).with_rows(rows);
        let config = config.with_ef_construction(50);
        let store = Store::create(directory.path(), config).unwrap();
        let mut load = store.bulk_load();
        records.iter().for_each(|record| load.add(record).unwrap());
        load.commit().unwrap();
        for id in (0..12_000).step_by(7) {
            store.delete(id).unwrap();
        }

        let (far, mut found, mut all) = (Filter::tag("far"), 0, 0);
        for _ in 0..30 {
            let query: Vec<f32> = vector(&mut random).iter().map(|x| x + 2.0).collect();
            let alive = |record: &Record| !record.id().is_multiple_of(7);
            let exact = nearest(&records, &query, metric, |it| alive(it) && it.tags() == ["far"]);
            let search = Query::new(&query, K).ef(60).filter(&far);
            for (search, in_groups) in [(search, false), (search.distinct_groups(), true)] {
                let hits = store.search(&search).unwrap();
                assert_eq!(hits.len(), K);
                let mut expected = exact.clone();
                if in_groups {
                    let mut groups = HashSet::new();
                    expected.retain(|(id, _)| groups.insert(id % 500));
                }
                assert!(hits.iter().all(|hit| exact.iter().any(|&(id, _)| id == hit.id)));
                let nearest = &expected[..K];
                found += hits.iter().filter(|hit| nearest.iter().any(|it| it.0 == hit.id)).count();
                all += K;
            }
        }
        let recall = found as f64 / all as f64;
        assert!(recall > 0.95, "{metric}: {recall}");
    }
}
