//! Files of every version of the format, kept in `tests/fixtures`, are read by every later version.
//!
//! `make.rs` has written those of each version, with the code as it was when the version was fixed, and
//! beside them in `expected.json` what is in them: the records that it put in, and the results of
//! searches, found by a loop over these records in f64. The tests compare with that file and compute
//! nothing themselves.
#![allow(clippy::unwrap_used)]

mod contents;
mod make;

use std::fs;
use std::path::{Path, PathBuf};

use vecstore::{Config, Metric, Reader, Record, RowFormat, Store};

use contents::{Expected, Large};

const DIMENSION: usize = 8;

/// The files of a version.
struct Fixture {
    folder: PathBuf,
    /// Of the store; the segment alone has another.
    config: Config,
}

impl Fixture {
    fn of(version: u32) -> Self {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let config = Config::new(DIMENSION, Metric::SquaredEuclidean).with_m(4);
        let rows = if version == 1 { RowFormat::F32 } else { RowFormat::F16 };
        Self {
            folder: fixtures.join(format!("v{version}")),
            config: config.with_ef_construction(50).with_rows(rows),
        }
    }

    fn all() -> impl Iterator<Item = Self> {
        (1..=make::VERSION).map(Self::of)
    }

    fn expected<T: serde::de::DeserializeOwned>(&self, name: &str) -> T {
        serde_json::from_slice(&fs::read(self.folder.join(name)).unwrap()).unwrap()
    }

    fn check_large(&self, name: &str, tag_graphs: usize) {
        let reader = Reader::open_segment(self.folder.join(format!("{name}.seg"))).unwrap();
        let expected: Large = self.expected(&format!("{name}.json"));
        let snapshot = reader.snapshot();
        expected.check(&snapshot);
        assert_eq!(snapshot.verify().unwrap().tag_graphs, tag_graphs);
        // It is walked too, which finds nearly the same.
        let found = expected.searches.iter().map(|search| {
            search.hits(&snapshot, 200).iter().filter(|hit| search.finds(hit.id)).count()
        });
        let found: usize = found.sum();
        assert!(found * 10 >= 9 * 10 * expected.searches.len(), "{found}");
    }

    /// The store in a folder where it may be written to.
    fn copy_of_store(&self) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        copy(&self.folder.join("store"), directory.path());
        directory
    }
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
    for fixture in Fixture::all() {
        let directory = fixture.copy_of_store();
        let reader = Reader::open(directory.path()).unwrap();
        assert_eq!(reader.config(), fixture.config);
        fixture.expected::<Expected>("expected.json").checkpoint.check(&reader.snapshot());
    }
}

#[test]
fn a_store_sees_the_tail_too_and_goes_on() {
    for fixture in Fixture::all() {
        let directory = fixture.copy_of_store();
        let store = Store::open(directory.path()).unwrap();
        assert_eq!(*store.config(), fixture.config);
        let mut expected = fixture.expected::<Expected>("expected.json").whole;
        expected.check(&store.snapshot());

        // A checkpoint brings it into the present version, with the same contents.
        store.insert(&Record::new(1_000, vec![1.0; DIMENSION])).unwrap();
        assert!(store.delete(1_000).unwrap());
        store.checkpoint().unwrap();
        expected.last_change += 2;
        expected.check(&store.snapshot());
        expected.check(&Reader::open(directory.path()).unwrap().snapshot());
    }
}

#[test]
fn a_segment_alone() {
    for fixture in Fixture::all() {
        let reader = Reader::open_segment(fixture.folder.join("alone.seg")).unwrap();
        assert_eq!(reader.config(), Config::new(DIMENSION, Metric::Cosine));
        fixture.expected::<Expected>("expected.json").alone.check(&reader.snapshot());
    }
}

#[test]
fn a_segment_with_codes() {
    // Version 1 had none.
    for fixture in Fixture::all().skip(1) {
        fixture.check_large("coded", 0);
    }
}

#[test]
fn a_segment_with_codes_in_a_subspace() {
    // Versions before the fifth had none.
    for fixture in Fixture::all().skip(4) {
        fixture.check_large("flat", 0);
    }
}

#[test]
fn a_segment_with_the_graph_of_a_tag() {
    // Versions before the fourth had none.
    for fixture in Fixture::all().skip(3) {
        fixture.check_large("tagged", 1);
    }
}
