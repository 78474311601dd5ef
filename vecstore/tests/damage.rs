//! Random damage to every file of a store: a typed error or the right answer, never anything else.
//!
//! `VECSTORE_DAMAGES` sets how many times (default 600).
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use vecstore::{Config, Error, Metric, Query, Reader, Record, Snapshot, Store};

const RECORDS: u64 = 2_500; // enough for a graph, not only a scan
const DIMENSION: usize = 8;

fn record(id: u64) -> Record {
    let mut random = StdRng::seed_from_u64(id);
    let vector = (0..DIMENSION).map(|_| random.random_range(-1.0..1.0)).collect();
    Record::new(id, vector).with_group((id % 7).to_string()).with_payload(&id).unwrap()
}

/// A store with a segment of all records and a tail that replaces one and deletes one.
fn make(path: &Path) {
    let store = Store::create(path, Config::new(DIMENSION, Metric::SquaredEuclidean)).unwrap();
    store.insert_batch(&(0..RECORDS).map(record).collect::<Vec<_>>()).unwrap();
    store.checkpoint().unwrap();
    store.insert(&record(RECORDS)).unwrap();
    store.insert(&record(3)).unwrap();
    store.delete(4).unwrap();
}

/// Id, score, group and payload.
type Found = (u64, f32, Option<String>, Option<u64>);

/// All that is asked of a snapshot, in one comparable value.
#[derive(Debug, PartialEq)]
struct Answers {
    len: usize,
    hits: Vec<Vec<Found>>,
    records: Vec<Option<Record>>,
}

fn ask(snapshot: &Snapshot) -> Result<Answers, Error> {
    let mut hits = Vec::new();
    for id in (0..RECORDS).step_by(250) {
        let vector = record(id).vector().to_vec();
        let query = Query::new(&vector, 5);
        for query in [query, query.distinct_groups(), Query::new(&vector, RECORDS as usize)] {
            let found = snapshot.search(&query)?.into_iter();
            let found = found.map(|hit| Ok((hit.id, hit.score, hit.group.clone(), hit.payload()?)));
            hits.push(found.collect::<Result<_, Error>>()?);
        }
    }
    let records = (0..RECORDS + 2).step_by(13).chain([3, 4]).map(|id| snapshot.get(id));
    Ok(Answers { len: snapshot.len(), hits, records: records.collect::<Result<_, _>>()? })
}

/// Damages a file in one of the ways that disks and people do.
fn damage(bytes: &mut Vec<u8>, random: &mut StdRng) -> String {
    // sled's files are mostly zeros, which nobody reads: half of the damage hits what is written.
    let written: Vec<_> = (0..bytes.len()).filter(|&position| bytes[position] != 0).collect();
    let position = match random.random_range(0..2) {
        0 if !written.is_empty() => written[random.random_range(0..written.len())],
        _ => random.random_range(0..bytes.len()),
    };
    let run = random.random_range(1..=(bytes.len() - position).min(8192));
    match random.random_range(0..6) {
        0 | 1 => {
            let bit = random.random_range(0..8);
            bytes[position] ^= 1 << bit;
            format!("bit {bit} of byte {position} flipped")
        }
        2 => {
            bytes.truncate(position);
            format!("cut off at {position}")
        }
        3 => {
            bytes[position..position + run].fill(0);
            format!("{run} bytes from {position} on zeroed")
        }
        4 => {
            random.fill(&mut bytes[position..position + run]);
            format!("{run} bytes from {position} on overwritten")
        }
        _ => {
            let blocks = bytes.len() / 512;
            if blocks < 2 {
                bytes.reverse();
                return "reversed".into();
            }
            let (a, b) = (random.random_range(0..blocks), random.random_range(0..blocks));
            for offset in 0..512 {
                bytes.swap(a * 512 + offset, b * 512 + offset);
            }
            format!("blocks {a} and {b} swapped")
        }
    }
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

fn copy(from: &Path, to: &Path) {
    for file in files_below(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, target).unwrap();
    }
    for dir in ["segments", "tail"] {
        fs::create_dir_all(to.join(dir)).unwrap();
    }
}

/// Typed, and saying which file it is about.
fn is_about_a_file(error: &Error) -> bool {
    matches!(
        error,
        Error::Corrupt { .. }
            | Error::NewerVersion { .. }
            | Error::NotAStore { .. }
            | Error::Tail { .. }
            | Error::Io { .. }
    )
}

#[test]
fn damaged_files_give_errors_or_right_answers() {
    let directory = tempfile::tempdir().unwrap();
    let (whole, broken) = (directory.path().join("whole"), directory.path().join("broken"));
    make(&whole);
    let read = ask(&Reader::open(&whole).unwrap().snapshot()).unwrap();
    let written = ask(&Store::open(&whole).unwrap().snapshot()).unwrap();
    assert_ne!(read, written);

    let damages = std::env::var("VECSTORE_DAMAGES").map_or(600, |n| n.parse().unwrap());
    let seed = std::env::var("VECSTORE_SEED").map_or(1, |n| n.parse().unwrap());
    let (mut refused, mut unharmed) = (0, 0);
    for number in 0..damages {
        let mut random = StdRng::seed_from_u64(seed << 32 | number);
        let _ = fs::remove_dir_all(&broken);
        copy(&whole, &broken);
        let files: Vec<_> = files_below(&broken)
            .into_iter()
            .filter(|file| fs::metadata(file).unwrap().len() > 0)
            .collect();
        // Half of the damage goes to the segment, the rest to the MANIFEST and the tail's files.
        let file = match random.random_range(0..4) {
            0 | 1 => files.iter().find(|file| file.extension().is_some_and(|e| e == "seg")),
            2 => files.iter().find(|file| file.file_name().is_some_and(|name| name == "MANIFEST")),
            _ => files.get(random.random_range(0..files.len())),
        };
        let file = file.unwrap();
        let mut bytes = fs::read(file).unwrap();
        let what = damage(&mut bytes, &mut random);
        fs::write(file, bytes).unwrap();
        let context = format!("damage {number}: {}: {what}", file.display());

        let readers = Reader::open(&broken).and_then(|reader| ask(&reader.snapshot()));
        let writers = Store::open(&broken).and_then(|store| ask(&store.snapshot()));
        for (answers, expected) in [(readers, &read), (writers, &written)] {
            match answers {
                Ok(answers) => {
                    assert!(answers == *expected, "{context}: a wrong answer");
                    unharmed += 1;
                }
                Err(error) => {
                    assert!(is_about_a_file(&error), "{context}: {error}");
                    refused += 1;
                }
            }
        }
    }
    println!("{damages} damages: {refused} answers refused, {unharmed} right");
    assert!(refused > damages && unharmed > damages / 10, "{refused}, {unharmed}");
}

/// sled takes a record that it cannot read for the end of its log; the store knows better.
#[test]
fn damage_to_what_was_just_written_is_noticed() {
    const WRITES: u64 = 12;
    let directory = tempfile::tempdir().unwrap();
    let (open, closed) = (directory.path().join("open"), directory.path().join("closed"));
    let broken = directory.path().join("broken");
    let store = Store::create(&open, Config::new(DIMENSION, Metric::SquaredEuclidean)).unwrap();
    for id in 0..WRITES {
        store.insert(&record(id)).unwrap();
    }
    // As a process leaves it that is killed, and as one that ends.
    let killed = directory.path().join("killed");
    copy(&open, &killed);
    drop(store);
    fs::rename(&open, &closed).unwrap();

    let mut refused = 0;
    for (whole, least) in [(&killed, WRITES - 1), (&closed, WRITES)] {
        let file = Path::new("tail/00000000000000000001/db");
        let bytes = fs::read(whole.join(file)).unwrap();
        let written = (0..bytes.len()).filter(|&position| bytes[position] != 0);
        for position in written.step_by(7) {
            let _ = fs::remove_dir_all(&broken);
            copy(whole, &broken);
            let mut bytes = bytes.clone();
            bytes[position] ^= 1 << (position % 8);
            fs::write(broken.join(file), bytes).unwrap();
            match Store::open(&broken) {
                // The last write of a process that was killed may pass for one that was cut short.
                Ok(store) => {
                    let kept =
                        (0..WRITES).take_while(|&id| store.get(id).unwrap() == Some(record(id)));
                    assert!(kept.count() as u64 >= least, "byte {position} of {}", whole.display());
                }
                Err(error) => {
                    assert!(is_about_a_file(&error), "{error}");
                    refused += 1;
                }
            }
        }
    }
    println!("{refused} times a damaged log was refused");
    assert!(refused > 100, "{refused}");
}
