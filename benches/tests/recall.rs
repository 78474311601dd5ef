//! Recall of the graph against exact search, from the tail, from a segment, and after deletions.
#![allow(clippy::unwrap_used)]

use benches::{Vectors, clustered, exact, recall};
use vecstore::{Config, Metric, Query, Reader, Record, Snapshot, Store};

const K: usize = 10;

/// The store of all vectors, numbered from 0.
fn store_of(base: &Vectors, metric: Metric, directory: &tempfile::TempDir) -> Store {
    let store = Store::create(directory.path(), Config::new(base.dimension, metric)).unwrap();
    let records: Vec<_> = (0..)
        .zip(base.iter())
        .map(|(id, v)| Record::new(id, v.to_vec()))
        .collect();
    for batch in records.chunks(1000) {
        store.insert_batch(batch).unwrap();
    }
    store
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
    let mut base = clustered(20_200, 128, 200, 1);
    let queries = base.split_off(20_000);
    for metric in [
        Metric::Cosine,
        Metric::SquaredEuclidean,
        Metric::InnerProduct,
    ] {
        let truth = exact(&base, &queries, metric, K);
        let directory = tempfile::tempdir().unwrap();
        let store = store_of(&base, metric, &directory);
        let before = recall_of(&store.snapshot(), &queries, &truth);
        store.checkpoint().unwrap();
        let after = recall_of(
            &Reader::open(directory.path()).unwrap().snapshot(),
            &queries,
            &truth,
        );
        println!(
            "{metric}: recall@10 at ef 100: {before:.4} as written, {after:.4} from one segment"
        );
        assert!(
            before >= 0.98 && after >= 0.98,
            "{metric}: {before}, {after}"
        );
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
    println!(
        "half deleted: recall@10 at ef 100: {before:.4} at once, {after:.4} after the checkpoint"
    );
    assert!(before >= 0.98 && after >= 0.98, "{before}, {after}");
}
