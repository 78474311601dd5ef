//! A process that writes is killed; what it was told is durable must be there.
//!
//! `VECSTORE_KILLS` sets how often (default 25).
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, thread};

use vecstore::{Config, Metric, Query, Record, Store};

const CHILD: &str = "VECSTORE_CRASH_TEST_STORE";

/// Three records at once: either all of them carry a number, or none.
fn write(number: u64) -> Vec<Record> {
    (0..3)
        .map(|id| Record::new(id, vec![number as f32, 1.0]).with_payload(&number).unwrap())
        .chain([Record::new(1000 + number, vec![0.0, number as f32])])
        .collect()
}

/// Not a test of its own: the process that is killed. It prints each write that returned.
#[test]
fn child() {
    let Ok(path) = env::var(CHILD) else { return };
    let store = Store::open_or_create(path, Config::new(2, Metric::SquaredEuclidean)).unwrap();
    let first = store.get(0).unwrap().map_or(0, |record| record.payload::<u64>().unwrap().unwrap());
    let delete_after = |number: u64| {
        if number > 3 {
            store.delete(1000 + number - 3).unwrap();
        }
    };
    delete_after(first); // the process before this one may not have come to it
    let mut out = std::io::stdout();
    thread::scope(|threads| {
        threads.spawn(|| {
            loop {
                store.checkpoint().unwrap();
            }
        });
        for number in first + 1.. {
            store.insert_batch(&write(number)).unwrap();
            delete_after(number);
            writeln!(out, "durable {number}").unwrap();
        }
    });
}

#[test]
fn nothing_that_was_acknowledged_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let mut acknowledged = 0;
    let kills = env::var("VECSTORE_KILLS").map_or(25, |kills| kills.parse().unwrap());
    for round in 0..kills {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["child", "--exact", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Killed at a different moment each time, the first ones while the store is being created.
        thread::scope(|threads| {
            threads.spawn(|| {
                thread::sleep(Duration::from_millis(3 * round * round % 397));
                child.kill().unwrap(); // SIGKILL
                child.wait().unwrap();
            });
            for line in lines.map_while(Result::ok) {
                if let Some((_, number)) = line.split_once("durable ") {
                    acknowledged = number.parse().unwrap();
                }
            }
        });
        let store = match Store::open(&path) {
            Err(vecstore::Error::NotAStore { .. }) if acknowledged == 0 => continue,
            store => store.unwrap(),
        };
        let number = store.get(0).unwrap().map_or(0, |record| record.payload().unwrap().unwrap());
        assert!(number >= acknowledged, "write {acknowledged} was acknowledged, {number} is there");
        acknowledged = number;
        for record in write(number).iter().filter(|_| number > 0) {
            assert_eq!(store.get(record.id()).unwrap().as_ref(), Some(record), "half of a write");
        }
        for gone in 1..number.saturating_sub(3) {
            assert!(
                !store.contains(1000 + gone).unwrap(),
                "{gone} was deleted before {number} was written"
            );
        }
        store.snapshot().verify().unwrap();
        let everything = store.search(&Query::new(&[0.0, 0.0], 1_000_000)).unwrap();
        assert_eq!(everything.len(), store.len());
    }
    println!("{kills} kills, {acknowledged} writes acknowledged, none lost, none half done");
    assert!(acknowledged > 20, "only {acknowledged} writes in all");
}
