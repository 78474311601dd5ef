//! Segments made to mislead: changed, and their checksums made right again, so that everything
//! behind the checksums is reached. A typed error or an answer, never a panic; and whatever passes
//! `verify` gives answers that agree with each other.
//!
//! `VECSTORE_HOSTILE` sets how many (default 3,000), `VECSTORE_SEED` which. `fuzz/` does the same
//! guided by coverage.
#![allow(clippy::unwrap_used, clippy::panic)]

mod ask;
mod found;
mod layout;
mod mutate;
mod seeds;

use std::fs;

use rand::SeedableRng;
use rand::rngs::StdRng;
use vecstore::{Error, Store};

use crate::ask::{Outcome, ask, ask_file};
use crate::layout::seal;
use crate::mutate::mutate;

/// Says which case it was, should the crate panic.
struct Case(u64);

impl Drop for Case {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was case {}", self.0);
        }
    }
}

/// Runs `each` with the source of chance of each case.
fn campaign(each: impl Fn(&mut StdRng) -> Outcome, share: u64) {
    let cases = std::env::var("VECSTORE_HOSTILE").map_or(3_000, |n| n.parse().unwrap()) / share;
    let seed = std::env::var("VECSTORE_SEED").map_or(1, |n| n.parse().unwrap());
    let mut outcomes = [0; 4];
    for number in 0..cases {
        let _case = Case(number);
        outcomes[each(&mut StdRng::seed_from_u64(seed << 32 | number)) as usize] += 1;
    }
    let [refused, damaged, unsound, sound] = outcomes;
    println!(
        "{cases} files: {refused} refused when opened, {damaged} when asked, {unsound} by verify \
         alone, {sound} sound"
    );
    assert!(outcomes.iter().all(|&count| count > cases / 50), "{outcomes:?}");
}

#[test]
fn hostile_segments_give_errors_or_answers() {
    let directory = tempfile::tempdir().unwrap();
    let segments = seeds::segments();
    let path = directory.path().join("hostile.seg");
    campaign(
        |random| {
            let mut file = segments[seeds::pick(random)].clone();
            mutate(&mut file, random);
            seal(&mut file);
            // Replaced, not overwritten: that is faster on some file systems.
            let _ = fs::remove_file(&path);
            fs::write(&path, file).unwrap();
            ask_file(&path)
        },
        1,
    );
}

/// Where a store has such a segment and changes after it, they are replayed onto it, and a checkpoint
/// merges both: an error, or a segment that is as sound as the old one was.
#[test]
fn hostile_stores_give_errors_or_answers() {
    campaign(
        |random| {
            let directory = tempfile::tempdir().unwrap();
            seeds::make_store(seeds::pick(random), directory.path());
            let mut files = fs::read_dir(directory.path().join("segments")).unwrap();
            let path = files.next().unwrap().unwrap().path();
            let mut file = fs::read(&path).unwrap();
            mutate(&mut file, random);
            seal(&mut file);
            fs::write(&path, file).unwrap();
            let store = match Store::open(directory.path()) {
                Ok(store) => store,
                Err(Error::Corrupt { .. } | Error::NewerVersion { .. }) => return Outcome::Refused,
                Err(error) => panic!("{error}"),
            };
            let before = ask(&store.snapshot());
            match store.checkpoint() {
                Ok(()) => assert!(ask(&store.snapshot()) >= before),
                Err(Error::Corrupt { .. }) => assert_ne!(before, Outcome::Sound),
                Err(error) => panic!("{error}"),
            }
            before
        },
        50,
    );
}

#[test]
fn valid_segments_are_sealed_already() {
    let directory = tempfile::tempdir().unwrap();
    for (number, file) in seeds::segments().into_iter().enumerate() {
        let mut sealed = file.clone();
        seal(&mut sealed);
        assert!(sealed == file, "seed {number}");
        let path = directory.path().join("sound.seg");
        fs::write(&path, file).unwrap();
        assert_eq!(ask_file(&path), Outcome::Sound);
    }
}
