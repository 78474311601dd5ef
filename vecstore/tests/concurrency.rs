//! Readers and writers at the same time: every reader sees whole writes, in order, and all hits live.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use vecstore::{Config, Metric, Query, Reader, Record, Store};

const GENERATION: usize = 50;

/// Fifty records that all carry the number of the write that wrote them.
fn generation(number: u64) -> Vec<Record> {
    let record = |id: u64| {
        let angle = (id * 7919 + number) as f32;
        Record::new(id, vec![angle.cos(), angle.sin()]).with_payload(&number).unwrap()
    };
    (0..GENERATION as u64).map(record).collect()
}

#[test]
fn readers_see_whole_writes_while_checkpoints_run() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::create(directory.path(), Config::new(2, Metric::Cosine)).unwrap();
    store.insert_batch(&generation(0)).unwrap();
    store.checkpoint().unwrap();
    let done = AtomicBool::new(false);

    /// The number that all records of a snapshot carry.
    fn whole(snapshot: &vecstore::Snapshot) -> u64 {
        let hits = snapshot.search(&Query::new(&[1.0, 0.0], 100)).unwrap();
        assert_eq!((hits.len(), snapshot.len()), (GENERATION, GENERATION));
        let number = hits[0].payload::<u64>().unwrap().unwrap();
        assert!(hits.iter().all(|hit| hit.payload::<u64>().unwrap() == Some(number)));
        for id in 0..GENERATION as u64 {
            assert_eq!(snapshot.get(id).unwrap().unwrap().payload::<u64>().unwrap(), Some(number));
        }
        number
    }

    // How often each kind of reader saw something new.
    let (seen, refreshed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let written = thread::scope(|threads| {
        threads.spawn(|| {
            let mut last = 0;
            while !done.load(Ordering::Relaxed) {
                let number = whole(&store.snapshot());
                assert!(number >= last, "{number} after {last}");
                seen.fetch_add(usize::from(number > last), Ordering::Relaxed);
                last = number;
            }
        });
        threads.spawn(|| {
            let reader = Reader::open(directory.path()).unwrap();
            let mut last = 0;
            while !done.load(Ordering::Relaxed) {
                refreshed.fetch_add(reader.refresh().unwrap().into(), Ordering::Relaxed);
                let number = whole(&reader.snapshot());
                assert!(number >= last, "{number} after {last}");
                last = number;
            }
        });
        threads.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                store.checkpoint().unwrap();
            }
        });
        // Until the readers have seen some of it, which takes longer where there is one processor.
        let few = |changes: &AtomicUsize| changes.load(Ordering::Relaxed) < 2;
        let mut number = 0;
        while number < 150 || number < 10_000 && (few(&seen) || few(&refreshed)) {
            number += 1;
            store.insert_batch(&generation(number)).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        number
    });
    let (seen, refreshed) = (seen.into_inner(), refreshed.into_inner());
    assert!(seen > 1 && refreshed > 1, "the readers saw {seen} and {refreshed} changes");
    drop(store);
    assert_eq!(whole(&Store::open(directory.path()).unwrap().snapshot()), written);
}

#[test]
fn writers_on_many_threads() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::create(directory.path(), Config::new(2, Metric::SquaredEuclidean)).unwrap();
    thread::scope(|threads| {
        for thread in 0..8 {
            let store = &store;
            threads.spawn(move || {
                for number in 0..20 {
                    let id = thread * 100 + number;
                    store.insert(&Record::new(id, vec![id as f32, 1.0])).unwrap();
                    assert!(store.contains(id).unwrap(), "a write is visible when it returns");
                    if number % 2 == 1 {
                        assert!(store.delete(id).unwrap());
                        assert!(!store.delete(id).unwrap());
                    }
                }
            });
        }
    });
    assert_eq!(store.len(), 80);
    drop(store);
    let store = Store::open(directory.path()).unwrap();
    for id in (0..8).flat_map(|thread| (0..20).map(move |number| thread * 100 + number)) {
        assert_eq!(store.contains(id).unwrap(), id % 2 == 0);
    }
}

#[test]
fn a_checkpoint_runs_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    // Vectors of 1 KiB, so that 4 MiB of memory hold some 3,000 records.
    let config = Config::new(256, Metric::SquaredEuclidean);
    let store = Store::create(directory.path(), config).unwrap();
    for batch in 0..5u64 {
        let ids = batch * 1000..(batch + 1) * 1000;
        let records: Vec<_> = ids.map(|id| Record::new(id, vec![id as f32; 256])).collect();
        store.insert_batch(&records).unwrap();
    }
    drop(store); // waits for it
    let merged = Reader::open(directory.path()).unwrap().len();
    assert!((3_000..=5_000).contains(&merged), "{merged}");
    assert_eq!(Store::open(directory.path()).unwrap().len(), 5_000);
}

#[test]
fn a_bulk_load_beside_writes() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::create(directory.path(), Config::new(2, Metric::SquaredEuclidean)).unwrap();
    let record = |id: u64, writer: &str| {
        Record::new(id, vec![id as f32, 1.0]).with_payload(&writer).unwrap()
    };
    for id in 0..300 {
        store.insert(&record(id, "before")).unwrap();
    }
    let mut load = store.bulk_load();
    for id in 100..3_000 {
        load.add(&record(id, "load")).unwrap();
    }
    let before = store.snapshot();
    let written = thread::scope(|threads| {
        let loading = threads.spawn(|| load.commit().unwrap());
        let mut written = 0;
        while !loading.is_finished() && written < 200 {
            // Each is replaced by the load, or replaces what was loaded.
            store.insert(&record(2_000 + written, "beside")).unwrap();
            assert!(store.delete(1_000 + written).unwrap() || store.len() < 600);
            written += 1;
        }
        written
    });
    assert_eq!(before.len(), 300);
    drop(store);
    let store = Store::open(directory.path()).unwrap();
    let mut counted = 0;
    for id in 0..3_000 {
        let writer =
            store.get(id).unwrap().map(|record| record.payload::<String>().unwrap().unwrap());
        counted += usize::from(writer.is_some());
        match writer.as_deref() {
            Some("before") => assert!(id < 100),
            Some("beside") => assert!((2_000..2_000 + written).contains(&id)),
            Some("load") => assert!(id >= 100),
            _ => assert!((1_000..1_000 + written).contains(&id), "{id} is gone"),
        }
    }
    assert_eq!(store.len(), counted);
}
