//! Recall of the graph against exact search, from the tail, from a segment, and after deletions.
#![allow(clippy::unwrap_used)]

use benches::{Vectors, clustered, exact, recall};
use vecstore::{Config, Filter, Metric, Query, Reader, Record, RecordRef, Snapshot, Store};

const K: usize = 10;

/// The store of all vectors, numbered from 0.
fn store_of(base: &Vectors, metric: Metric, directory: &tempfile::TempDir) -> Store {
    let store = Store::create(directory.path(), Config::new(base.dimension, metric)).unwrap();
    let records: Vec<_> =
        (0..).zip(base.iter()).map(|(id, v)| Record::new(id, v.to_vec())).collect();
    for batch in records.chunks(1000) {
        store.insert_batch(batch).unwrap();
    }
    store
}

/// The share of all vectors that no walk through the graph comes to.
fn unreachable(store: &Store) -> f64 {
    let verified = store.snapshot().verify().unwrap();
    verified.unreachable as f64 / verified.vectors as f64
}

fn recall_of(snapshot: &Snapshot, queries: &Vectors, truth: &[Vec<u64>]) -> f64 {
    let found = queries.iter().map(|query| {
        let hits = snapshot.search(&Query::new(query, K).ef(100)).unwrap();
        assert_eq!(hits.len(), K);
        hits.iter().map(|hit| hit.id).collect()
    });
    recall(truth, &found.collect::<Vec<_>>())
}

#[test]
fn of_20_000_clustered_vectors() {
    let mut base = clustered(20_200, 128, 20, 1);
    let queries = base.split_off(20_000);
    for metric in [Metric::Cosine, Metric::SquaredEuclidean, Metric::InnerProduct] {
        let truth = exact(&base, &queries, metric, K);
        let directory = tempfile::tempdir().unwrap();
        let store = store_of(&base, metric, &directory);
        let before = recall_of(&store.snapshot(), &queries, &truth);
        store.checkpoint().unwrap();
        let after =
            recall_of(&Reader::open(directory.path()).unwrap().snapshot(), &queries, &truth);
        println!(
            "{metric}: recall@10 at ef 100: {before:.4} as written, {after:.4} from one segment"
        );
        assert!(before >= 0.98 && after >= 0.98, "{metric}: {before}, {after}");
    }
}

#[test]
fn of_what_is_left_after_deleting_half() {
    let mut base = clustered(10_200, 64, 100, 2);
    let queries = base.split_off(10_000);
    let directory = tempfile::tempdir().unwrap();
    let store = store_of(&base, Metric::Cosine, &directory);
    store.checkpoint().unwrap();
    // Writers that wait at the same time share their trips to the disk.
    std::thread::scope(|threads| {
        for thread in 0..16 {
            let store = &store;
            threads.spawn(move || {
                for id in (1..10_000).step_by(2).skip(thread).step_by(16) {
                    assert!(store.delete(id).unwrap());
                }
            });
        }
    });
    assert_eq!(store.len(), 5_000);
    let left: Vec<f32> = base.iter().step_by(2).flatten().copied().collect();
    let mut truth = exact(&Vectors::new(64, left), &queries, Metric::Cosine, K);
    truth.iter_mut().flatten().for_each(|number| *number *= 2);

    let before = recall_of(&store.snapshot(), &queries, &truth);
    store.checkpoint().unwrap();
    let after = recall_of(&store.snapshot(), &queries, &truth);
    let lost = unreachable(&store);
    println!(
        "half deleted: recall@10 at ef 100: {before:.4} at once, {after:.4} after the checkpoint, \
         unreachable {lost:.4}"
    );
    assert!(before >= 0.98 && after >= 0.98 && lost < 0.002, "{before}, {after}, {lost}");
}

#[test]
fn of_what_replaced_everything() {
    let mut base = clustered(6_100, 32, 50, 3);
    let queries = base.split_off(6_000);
    let mut replaced = base.split_off(3_000);
    std::mem::swap(&mut base, &mut replaced);
    let truth = exact(&base, &queries, Metric::SquaredEuclidean, K);
    let directory = tempfile::tempdir().unwrap();
    let store = store_of(&replaced, Metric::SquaredEuclidean, &directory);
    store.checkpoint().unwrap();
    let records: Vec<_> =
        (0..).zip(base.iter()).map(|(id, v)| Record::new(id, v.to_vec())).collect();
    store.insert_batch(&records).unwrap();
    let before = recall_of(&store.snapshot(), &queries, &truth);
    store.checkpoint().unwrap();
    let after = recall_of(&store.snapshot(), &queries, &truth);
    println!(
        "all replaced: recall@10 at ef 100: {before:.4} at once, {after:.4} after the checkpoint"
    );
    assert!(before >= 0.98 && after >= 0.98, "{before}, {after}");
    assert_eq!(store.len(), 3_000);
}

#[test]
fn of_distinct_groups() {
    let mut base = clustered(10_100, 32, 50, 4);
    let queries = base.split_off(10_000);
    let directory = tempfile::tempdir().unwrap();
    let store = Store::create(directory.path(), Config::new(32, Metric::Cosine)).unwrap();
    // Neighbours in the space share a group, so that the nearest vectors are of few groups.
    let group = |vector: &[f32]| (vector[0] * 8.0).round() as i32;
    let records: Vec<_> = (0..)
        .zip(base.iter())
        .map(|(id, v)| Record::new(id, v.to_vec()).with_group(group(v).to_string()))
        .collect();
    store.insert_batch(&records).unwrap();
    store.checkpoint().unwrap();

    let everything = exact(&base, &queries, Metric::Cosine, base.len());
    let vectors: Vec<_> = base.iter().collect();
    let (mut truth, mut found) = (Vec::new(), Vec::new());
    for (query, everything) in queries.iter().zip(everything) {
        let mut groups = std::collections::HashSet::new();
        let firsts =
            everything.into_iter().filter(|&id| groups.insert(group(vectors[id as usize])));
        truth.push(firsts.take(K).collect::<Vec<_>>());
        let hits = store.search(&Query::new(query, K).distinct_groups()).unwrap();
        assert_eq!(hits.len(), K);
        found.push(hits.iter().map(|hit| hit.id).collect::<Vec<_>>());
    }
    let recall = recall(&truth, &found);
    println!("the best of each of 10 groups: recall {recall:.4}");
    assert!(recall >= 0.98, "{recall}");
}

/// Filters that accept half, a tenth, ... of all records: chosen without regard to where they lie,
/// and chosen as those that lie farthest from the queries.
#[test]
fn of_filtered_search() {
    const SHARES: [f64; 5] = [0.5, 0.25, 0.1, 0.01, 0.001];
    let mut base = clustered(40_500, 32, 20, 5);
    let candidates = base.split_off(40_000);
    let mut firsts: Vec<f32> = base.iter().map(|vector| vector[0]).collect();
    firsts.sort_by(f32::total_cmp);
    // The queries are those that lie highest, the far records those that lie lowest.
    let mut queries: Vec<_> = candidates.iter().collect();
    queries.sort_by(|a, b| b[0].total_cmp(&a[0]));
    let queries = Vectors::new(32, queries[..100].concat());

    let tags = |id: u64, vector: &[f32]| {
        let mut tags = Vec::new();
        for share in SHARES {
            let one_in = (1.0 / share) as u64;
            if ((id * 2_654_435_761) >> 7).is_multiple_of(one_in) {
                tags.push(format!("any {share}"));
            }
            if vector[0] <= firsts[(share * 40_000.0) as usize - 1] {
                tags.push(format!("far {share}"));
            }
        }
        tags
    };
    let directory = tempfile::tempdir().unwrap();
    let store = Store::create(directory.path(), Config::new(32, Metric::SquaredEuclidean)).unwrap();
    let vectors: Vec<_> = base.iter().collect();
    let records: Vec<_> = (0..)
        .zip(&vectors)
        .map(|(id, v)| Record::new(id, v.to_vec()).with_tags(tags(id, v)))
        .collect();
    store.insert_batch(&records).unwrap();
    store.checkpoint().unwrap();
    store.snapshot().verify().unwrap();

    for kind in ["any", "far"] {
        for share in SHARES {
            let tag = format!("{kind} {share}");
            let ids: Vec<u64> = records
                .iter()
                .filter(|record| record.tags().contains(&tag))
                .map(Record::id)
                .collect();
            let rows: Vec<f32> = ids.iter().flat_map(|&id| vectors[id as usize]).copied().collect();
            let mut truth = exact(&Vectors::new(32, rows), &queries, Metric::SquaredEuclidean, K);
            truth.iter_mut().flatten().for_each(|place| *place = ids[*place as usize]);
            let function = |record: &RecordRef<'_>| ids.binary_search(&record.id()).is_ok();
            for filter in [Filter::tag(&tag), Filter::by(&function)] {
                let found = queries.iter().map(|query| {
                    let hits = store.search(&Query::new(query, K).filter(&filter)).unwrap();
                    assert_eq!(hits.len(), K.min(ids.len()));
                    hits.iter().map(|hit| hit.id).collect()
                });
                let recall = recall(&truth, &found.collect::<Vec<_>>());
                println!("{filter:?} ({tag}, {} records): recall@10 {recall:.4}", ids.len());
                assert!(recall >= 0.95, "{tag}: {recall}");
            }
        }
    }
}
