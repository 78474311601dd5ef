//! Files of format version 1, kept in `tests/fixtures/v1`, are read by every later version.
//!
//! `make.rs` has written them, with the code as it was when version 1 was fixed, and beside them in
//! `expected.json` what is in them: the records that it put in, and the results of searches, found by
//! a loop over these records in f64. The tests compare with that file and compute nothing themselves.
#![allow(clippy::unwrap_used)]

mod contents;
mod make;

use std::fs;
use std::path::{Path, PathBuf};

use vecstore::{Config, Metric, Reader, Record, Store};

use contents::Expected;

const DIMENSION: usize = 8;

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1")
}

fn config() -> Config {
    Config::new(DIMENSION, Metric::SquaredEuclidean).with_m(4).with_ef_construction(50)
}

fn expected() -> Expected {
    serde_json::from_slice(&fs::read(fixture().join("expected.json")).unwrap()).unwrap()
}

/// The store in a folder where it may be written to.
fn copy_of_store() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    copy(&fixture().join("store"), directory.path());
    directory
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let from = entry.unwrap().path();
        let to = to.join(from.file_name().unwrap());
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

#[test]
fn a_reader_sees_the_checkpoint() {
    let directory = copy_of_store();
    let reader = Reader::open(directory.path()).unwrap();
    assert_eq!(reader.config(), config());
    expected().checkpoint.check(&reader.snapshot());
}

#[test]
fn a_store_sees_the_tail_too_and_goes_on() {
    let directory = copy_of_store();
    let store = Store::open(directory.path()).unwrap();
    assert_eq!(*store.config(), config());
    let mut expected = expected().whole;
    expected.check(&store.snapshot());

    // A checkpoint brings it into the present version, with the same contents.
    store.insert(&Record::new(1_000, vec![1.0; DIMENSION])).unwrap();
    assert!(store.delete(1_000).unwrap());
    store.checkpoint().unwrap();
    expected.last_change += 2;
    expected.check(&store.snapshot());
    expected.check(&Reader::open(directory.path()).unwrap().snapshot());
}

#[test]
fn a_segment_alone() {
    let reader = Reader::open_segment(fixture().join("alone.seg")).unwrap();
    assert_eq!(reader.config(), Config::new(DIMENSION, Metric::Cosine));
    expected().alone.check(&reader.snapshot());
}
