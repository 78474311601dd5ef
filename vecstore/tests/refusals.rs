//! What a store refuses, and with which words.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use vecstore::{Config, Error, MAX_PAYLOAD_BYTES, Metric, Query, Reader, Record, RowFormat, Store};

fn store(directory: &tempfile::TempDir) -> Store {
    let store = Store::create(directory.path(), Config::new(2, Metric::Cosine)).unwrap();
    store.insert(&Record::new(1, vec![1.0, 0.0])).unwrap();
    store
}

fn segment_of(store: &Path) -> PathBuf {
    fs::read_dir(store.join("segments")).unwrap().next().unwrap().unwrap().path()
}

#[test]
fn vectors_that_do_not_fit() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    let insert = |vector: &[f32]| store.insert(&Record::new(2, vector.to_vec()));
    assert!(matches!(insert(&[1.0]), Err(Error::WrongDimension { expected: 2, got: 1 })));
    assert!(matches!(insert(&[0.0, f32::NAN]), Err(Error::NotFinite { position: 1, .. })));
    assert!(matches!(insert(&[f32::NEG_INFINITY, 0.0]), Err(Error::NotFinite { position: 0, .. })));
    assert!(matches!(insert(&[0.0, 0.0]), Err(Error::ZeroVector)));

    let search = |vector: &[f32], k| store.search(&Query::new(vector, k));
    assert!(matches!(search(&[1.0; 3], 1), Err(Error::WrongDimension { expected: 2, got: 3 })));
    assert!(matches!(search(&[f32::NAN, 0.0], 1), Err(Error::NotFinite { .. })));
    assert!(matches!(search(&[0.0, 0.0], 1), Err(Error::ZeroVector)));
    assert!(matches!(search(&[1.0, 0.0], 0), Err(Error::ZeroK)));
    assert_eq!(search(&[1.0, 0.0], usize::MAX).unwrap().len(), 1);

    // A batch with one bad record writes none.
    let batch = [Record::new(3, vec![0.0, 1.0]), Record::new(4, vec![0.0, 0.0])];
    assert!(matches!(store.insert_batch(&batch), Err(Error::ZeroVector)));
    assert_eq!(store.len(), 1);
}

#[test]
fn components_too_large_for_half_precision() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config::new(2, Metric::SquaredEuclidean).with_rows(RowFormat::F16);
    let store = Store::create(directory.path(), config).unwrap();
    let refused = store.insert(&Record::new(1, vec![0.0, -7e4])).unwrap_err();
    assert!(matches!(refused, Error::OutOfRange { position: 1, value: -7e4, limit: 65_504.0 }));
    assert!(refused.to_string().contains("rows of f16 hold at most 65504"), "{refused}");
    assert!(store.is_empty());
    // A query is not kept, so it may be as large as it likes.
    store.insert(&Record::new(1, vec![0.1, 65_504.0])).unwrap();
    assert_eq!(store.search(&Query::new(&[0.0, 7e4], 1)).unwrap()[0].id, 1);
    assert_eq!(store.get(1).unwrap().unwrap().vector(), [0.099_975_586, 65_504.0]);

    let other = Store::open_or_create(directory.path(), config.with_rows(RowFormat::F32));
    drop(store);
    assert!(matches!(other, Err(Error::Locked { .. })));
    let other = Store::open_or_create(directory.path(), config.with_rows(RowFormat::F32));
    assert!(matches!(other, Err(Error::ConfigMismatch { .. })));
}

#[test]
fn payloads_and_groups_that_are_too_large() {
    let record = Record::new(1, vec![1.0, 0.0]);
    let payload = "x".repeat(MAX_PAYLOAD_BYTES);
    let refused = record.clone().with_payload(&payload);
    assert!(matches!(refused, Err(Error::TooLarge { what: "payload", .. })));

    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    let refused = store.insert(&record.clone().with_group("g".repeat(2000)));
    assert!(matches!(refused, Err(Error::TooLarge { what: "group", got: 2000, .. })));

    // The largest one that is allowed goes in and comes back, from the tail, the log and a segment.
    let payload = "x".repeat(MAX_PAYLOAD_BYTES - 2);
    store.insert(&record.with_payload(&payload).unwrap()).unwrap();
    drop(store);
    let store = Store::open(directory.path()).unwrap();
    let read = |record: Option<Record>| record.unwrap().payload::<String>().unwrap().unwrap();
    assert!(read(store.get(1).unwrap()) == payload);
    store.checkpoint().unwrap();
    assert!(read(Reader::open(directory.path()).unwrap().get(1).unwrap()) == payload);
}

#[test]
fn a_payload_of_another_type() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    store.insert(&Record::new(1, vec![1.0, 0.0]).with_payload(&"text").unwrap()).unwrap();
    let hit = &store.search(&Query::new(&[1.0, 0.0], 1)).unwrap()[0];
    assert!(matches!(hit.payload::<u32>(), Err(Error::Payload(_))));
    assert_eq!(hit.payload::<String>().unwrap().unwrap(), "text");
}

#[test]
fn configurations_out_of_range() {
    let directory = tempfile::tempdir().unwrap();
    let create = |config| Store::create(directory.path(), config).map(|_| ());
    let config = Config::new(2, Metric::Cosine);
    for (config, name) in [
        (Config::new(0, Metric::Cosine), "dimension"),
        (Config::new(70_000, Metric::Cosine), "dimension"),
        (config.with_m(1), "m"),
        (config.with_m(129), "m"),
        (config.with_ef_construction(0), "ef_construction"),
    ] {
        let error = create(config).unwrap_err();
        assert!(
            matches!(error, Error::InvalidConfig { name: found, .. } if found == name),
            "{error}"
        );
    }
    create(config).unwrap();
}

#[test]
fn files_of_others_stay() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let theirs = ["segments/map.txt", "segments/2024/map.txt", "tail/01.seg"];
    let left_over = ["segments/00000000000000000007.seg.tmp", "tail/00000000000000000008/db"];
    for file in theirs.iter().chain(&left_over) {
        fs::create_dir_all(path.join(file).parent().unwrap()).unwrap();
        fs::write(path.join(file), file).unwrap();
    }
    store(&directory).checkpoint().unwrap();
    drop(Store::open(path).unwrap());
    assert!(theirs.iter().all(|file| fs::read(path.join(file)).unwrap() == file.as_bytes()));
    assert!(left_over.iter().all(|file| !path.join(file).exists()));
}

#[test]
fn a_second_store_at_one_place() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let first = store(&directory);
    let config = *first.config();
    assert!(matches!(Store::open(path), Err(Error::Locked { .. })));
    drop(first);
    assert!(matches!(Store::create(path, config), Err(Error::AlreadyExists { .. })));
    let other = Store::open_or_create(path, Config::new(3, Metric::Cosine));
    assert!(matches!(other, Err(Error::ConfigMismatch { .. })));
    assert_eq!(Store::open_or_create(path, config).unwrap().len(), 1);
}

#[test]
fn places_that_hold_no_store() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "no store").unwrap();
    for path in [directory.path().to_owned(), directory.path().join("missing"), file] {
        assert!(matches!(Store::open(&path), Err(Error::NotAStore { .. })), "{}", path.display());
        assert!(matches!(Reader::open(&path), Err(Error::NotAStore { .. })), "{}", path.display());
    }
    let error = Store::create(directory.path().join("file/store"), Config::new(2, Metric::Cosine));
    assert!(matches!(error, Err(Error::Io { .. })));
}

#[test]
fn files_of_a_newer_version() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    store(&directory).checkpoint().unwrap();

    let segment = segment_of(path);
    let bytes = fs::read(&segment).unwrap();
    let mut newer = bytes.clone();
    newer[8] = 9;
    fs::write(&segment, newer).unwrap();
    let error = Reader::open(path).unwrap_err();
    assert!(matches!(error, Error::NewerVersion { found: 9, supported: 5, .. }), "{error}");
    assert!(error.to_string().contains(segment.to_str().unwrap()));
    fs::write(&segment, bytes).unwrap();

    fs::write(path.join("MANIFEST"), "vecstore manifest 2\nwhatever\n").unwrap();
    assert!(matches!(Reader::open(path), Err(Error::NewerVersion { found: 2, .. })));
    assert!(matches!(Store::open(path), Err(Error::NewerVersion { found: 2, .. })));
}

#[test]
fn files_that_are_cut_off_or_changed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let writer = store(&directory);
    writer.checkpoint().unwrap();
    writer.insert(&Record::new(2, vec![0.0, 1.0])).unwrap();
    drop(writer);
    let (segment, manifest) = (segment_of(path), path.join("MANIFEST"));
    for file in [&segment, &manifest] {
        let bytes = fs::read(file).unwrap();
        for len in [0, 1, 8, 20, bytes.len() / 2, bytes.len() - 1] {
            fs::write(file, &bytes[..len]).unwrap();
            for error in [Reader::open(path).err(), Store::open(path).err()] {
                assert!(matches!(error, Some(Error::Corrupt { .. })), "{len}: {error:?}");
            }
        }
        for position in (0..bytes.len().min(400)).step_by(7) {
            let mut changed = bytes.clone();
            changed[position] ^= 0x10;
            fs::write(file, &changed).unwrap();
            let error = Reader::open(path).unwrap_err();
            let typed = matches!(error, Error::Corrupt { .. } | Error::NewerVersion { .. });
            assert!(typed, "{position}: {error}");
        }
        fs::write(file, bytes).unwrap();
    }

    // Damage behind the header is noticed when its page is read, at the latest before it would be
    // written on under a new checksum.
    let mut bytes = fs::read(&segment).unwrap();
    let last = bytes.len() - 5000;
    bytes[last] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    match Store::open(path) {
        Err(error) => assert!(matches!(error, Error::Corrupt { .. })),
        Ok(store) => assert!(matches!(store.checkpoint(), Err(Error::Corrupt { .. }))),
    }
    // Nothing is lost meanwhile: with the copy back in place, it goes on.
    bytes[last] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    let store = Store::open(path).unwrap();
    assert_eq!(store.len(), 2);
    store.checkpoint().unwrap();
    assert_eq!(Reader::open(path).unwrap().len(), 2);

    fs::remove_file(segment_of(path)).unwrap();
    assert!(matches!(Reader::open(path), Err(Error::Corrupt { .. })));
}

#[test]
fn a_segment_file_alone() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    assert!(store.snapshot().segment().is_none());
    store.checkpoint().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("copy");
    fs::write(&file, store.snapshot().segment().unwrap()).unwrap();
    drop((store, directory));

    let reader = Reader::open_segment(&file).unwrap();
    assert_eq!(reader.search(&Query::new(&[2.0, 0.1], 5)).unwrap()[0].id, 1);
    assert!(!reader.refresh().unwrap());
    fs::write(&file, "something else").unwrap();
    assert!(matches!(Reader::open_segment(&file), Err(Error::Corrupt { .. })));
    fs::write(&file, "").unwrap();
    assert!(matches!(Reader::open_segment(&file), Err(Error::Corrupt { .. })));
    fs::remove_file(&file).unwrap();
    assert!(matches!(Reader::open_segment(&file), Err(Error::Io { .. })));
}

#[test]
fn a_log_with_missing_or_changed_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    drop(store(&directory));
    let tail = fs::read_dir(path.join("tail")).unwrap().next().unwrap().unwrap().path();
    fs::rename(&tail, path.join("elsewhere")).unwrap();
    let error = Store::open(path).unwrap_err();
    assert!(matches!(&error, Error::Corrupt { path, .. } if *path == tail), "{error}");
    fs::rename(path.join("elsewhere"), &tail).unwrap();
    assert_eq!(Store::open(path).unwrap().len(), 1);
}
