//! File systems that are full, or cannot be written to: the kernel's own, small ones in memory.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use vecstore::{Error, Query, Reader, Record, Store};

use crate::mount::{self, Tmpfs};
use crate::script;

const MEGABYTE: usize = 1 << 20;

/// An error of the disk, which says where in the store.
fn is_about(error: &Error, store: &Path) -> bool {
    matches!(error, Error::Io { path, .. } | Error::Tail { path, .. } if path.starts_with(store))
}

/// Fills a file system but for `room` bytes.
fn fill(filler: &Path, room: usize) {
    let mut file = File::create(filler).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    let len = file.metadata().unwrap().len();
    file.set_len(len.saturating_sub(room as u64)).unwrap();
}

/// Gives the space back at once, also where a process that is being started has the file open.
fn empty(filler: &Path) {
    File::create(filler).unwrap();
}

#[test]
fn no_space_left_for_a_write() {
    // How much room there is decides which of the many writes of a write is the one that fails.
    for room in (0..MEGABYTE).step_by(MEGABYTE / 24) {
        // Without the filler there is room for the log several times over: opening tries it on a copy,
        // which takes its place on the disk until the last thread of sled has closed it.
        let Some(tmpfs) = mount::or_skip(Tmpfs::new(16 * MEGABYTE)) else { return };
        let (path, filler) = (tmpfs.path().join("store"), tmpfs.path().join("filler"));
        let store = Store::create(&path, script::config()).unwrap();
        for number in 1..10 {
            script::perform(&store, 0, number).unwrap();
        }
        fill(&filler, room);

        let mut acknowledged = 9;
        let error = loop {
            // Bulk loads fail in files of their own, and leave the store as it was.
            match script::perform(&store, 0, acknowledged + 1) {
                Ok(()) => acknowledged += 1,
                Err(error) if script::is_bulk_load(0, acknowledged + 1) => {
                    assert!(is_about(&error, &path), "{error}");
                    break error;
                }
                Err(error) => {
                    let refused = store.delete(1).unwrap_err();
                    assert!(matches!(refused, Error::Poisoned { .. }), "{refused}");
                    break error;
                }
            }
        };
        assert!(is_about(&error, &path), "{error}");
        script::check(&store, [acknowledged, 0]);
        drop(store);

        // Still full: it opens, or says why not.
        match Store::open(&path) {
            Ok(store) => drop(script::check(&store, [acknowledged, 0])),
            Err(error) => assert!(is_about(&error, &path), "{error}"),
        }
        empty(&filler);
        let store = Store::open(&path).unwrap();
        let reached = script::check(&store, [acknowledged, 0])[0];
        script::perform(&store, 0, reached + 1).unwrap();
        script::check(&store, [reached + 1, 0]);
    }
}

#[test]
fn no_space_left_for_a_new_store() {
    let Some(tmpfs) = mount::or_skip(Tmpfs::new(8 * MEGABYTE)) else { return };
    let (path, filler) = (tmpfs.path().join("store"), tmpfs.path().join("filler"));
    let mut failures = 0;
    for room in (0..MEGABYTE / 8).step_by(4096) {
        fill(&filler, room);
        if let Err(error) = Store::create(&path, script::config()) {
            assert!(is_about(&error, &path), "{error}");
            failures += 1;
        }
        empty(&filler);
        let store = Store::open_or_create(&path, script::config()).unwrap();
        assert!(store.is_empty());
        drop(store);
        fs::remove_dir_all(&path).unwrap();
    }
    assert!(failures > 0);
}

#[test]
fn no_space_left_for_a_checkpoint() {
    let Some(tmpfs) = mount::or_skip(Tmpfs::new(16 * MEGABYTE)) else { return };
    let (path, filler) = (tmpfs.path().join("store"), tmpfs.path().join("filler"));
    let store = Store::create(&path, script::config()).unwrap();
    let (mut written, mut failures) = (0, 0);
    for round in 0..12 {
        for _ in 0..10 {
            script::perform(&store, 0, written + 1).unwrap();
            written += 1;
        }
        fill(&filler, round * 32 * 1024);
        let failed = store.checkpoint().and_then(|()| store.checkpoint());
        script::check(&store, [written, 0]);
        empty(&filler);
        if let Err(error) = failed {
            assert!(is_about(&error, &path), "{error}");
            failures += 1;
            if let Err(refused) = store.checkpoint() {
                // The MANIFEST itself could not be written, and only reopening tells which it is.
                assert!(matches!(refused, Error::Poisoned { .. }), "{refused}");
                break;
            }
            assert_eq!(Reader::open(&path).unwrap().len(), store.len());
        }
    }
    assert!(failures > 2, "{failures} checkpoints failed");
    drop(store);
    let store = Store::open(&path).unwrap();
    script::check(&store, [written, 0]);
    store.checkpoint().unwrap();
    assert_eq!(Reader::open(&path).unwrap().len(), store.len());
}

/// A checkpoint that runs by itself and fails is tried again, but not at every write.
#[test]
fn no_space_left_for_checkpoints_that_run_by_themselves() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::create(directory.path(), script::config()).unwrap();
    // Segments have a file system of their own, without room for one.
    let Some(tmpfs) = mount::or_skip(Tmpfs::over(directory.path().join("segments"), 4096)) else {
        return;
    };
    let mut failures = 0;
    for id in (0..60_000).step_by(100) {
        let records: Vec<_> =
            (id..id + 100).map(|id| Record::new(id, vec![id as f32; 8])).collect();
        // A write is told of it when the tail has grown far beyond what should be in it.
        while let Err(error) = store.insert_batch(&records) {
            assert!(is_about(&error, directory.path()), "{error}");
            failures += 1;
            assert!(failures < 10, "a write cannot be tried again: {error}");
        }
    }
    assert!((1..=2).contains(&failures), "{failures} writes were told");
    let tails = fs::read_dir(directory.path().join("tail")).unwrap().count();
    assert!((2..=5).contains(&tails), "{tails} tails");
    assert_eq!(store.len(), 60_000);

    tmpfs.remount("size=64m");
    store.checkpoint().unwrap();
    assert_eq!(fs::read_dir(directory.path().join("tail")).unwrap().count(), 1);
    assert_eq!(Reader::open(directory.path()).unwrap().len(), 60_000);
    drop(store);
}

#[test]
fn a_file_system_that_cannot_be_written_to() {
    let Some(tmpfs) = mount::or_skip(Tmpfs::new(8 * MEGABYTE)) else { return };
    let path = tmpfs.path().join("store");
    let store = Store::create(&path, script::config()).unwrap();
    for number in 1..10 {
        script::perform(&store, 0, number).unwrap();
    }
    store.checkpoint().unwrap();
    let len = store.len();
    script::perform(&store, 0, 10).unwrap();
    drop(store);
    tmpfs.remount("ro");

    for refused in [Store::open(&path), Store::open_or_create(&path, script::config())] {
        let error = refused.unwrap_err();
        assert!(is_about(&error, &path), "{error}");
        assert!(error.to_string().contains("Read-only file system"), "{error}");
    }
    let elsewhere = tmpfs.path().join("other");
    let error = Store::create(&elsewhere, script::config()).unwrap_err();
    assert!(is_about(&error, &elsewhere), "{error}");

    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.len(), len);
    assert_eq!(reader.search(&Query::new(&[0.0; 8], 5)).unwrap().len(), 5);
    assert!(!reader.refresh().unwrap());
    let file = fs::read_dir(path.join("segments")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(Reader::open_segment(file).unwrap().len(), len);
}
