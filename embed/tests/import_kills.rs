//! An import that is killed (`kill -9`) again and again goes on where it stopped.
//!
//! `EMBED_KILLS` sets how many times (default 5), `EMBED_SEED` when.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use vecstore::{Record, Store};

use common::assets;

/// Of the 471 demo photos.
const WITH_A_FACE: usize = 388;

fn import(store: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_embed"));
    command.arg("--assets").arg(assets()).args(["import", "folder"]).arg(assets().join("gallery"));
    command.arg("--store").arg(store);
    command
}

/// The records that would be there after a power loss, by id.
fn records(store: &Path) -> BTreeMap<u64, Record> {
    if !store.join("vectors/MANIFEST").is_file() {
        return BTreeMap::new();
    }
    let store = Store::open(store.join("vectors")).unwrap();
    store.snapshot().iter().map(Result::unwrap).map(|record| (record.id(), record)).collect()
}

/// Files in the folder of portraits: those with a name, and those being written.
fn portraits(store: &Path) -> usize {
    fs::read_dir(store.join("portraits")).map_or(0, Iterator::count)
}

/// What changes when a portrait is written again, which every run of the networks leads to.
fn written(store: &Path, id: u64) -> (u64, i64, i64) {
    let file = fs::metadata(store.join(format!("portraits/{id:016x}.jpg"))).unwrap();
    (file.ino(), file.mtime(), file.mtime_nsec())
}

/// Lines of a text, in order.
fn sorted_lines(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn nothing_is_lost_and_nothing_is_embedded_twice() {
    let kills: usize = std::env::var("EMBED_KILLS").map_or(5, |n| n.parse().unwrap());
    let seed = std::env::var("EMBED_SEED").map_or(1, |n| n.parse().unwrap());
    let mut random = StdRng::seed_from_u64(seed);
    let directory = tempfile::tempdir().unwrap();
    let (whole, killed) = (directory.path().join("whole"), directory.path().join("killed"));
    let output = import(&whole).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let mut kept: BTreeMap<u64, (Record, (u64, i64, i64))> = BTreeMap::new();
    for kill in 0..kills {
        let before = portraits(&killed);
        let moment = before + random.random_range(0..=WITH_A_FACE.div_ceil(kills + 1));
        let mut child =
            import(&killed).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while portraits(&killed) < moment.min(WITH_A_FACE - 1) {
            assert!(child.try_wait().unwrap().is_none(), "kill {kill}: it ended before");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(random.random_range(0..20_000)));
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success(), "kill {kill}: it was done before");

        let now = records(&killed);
        for (id, (record, portrait)) in &kept {
            assert_eq!(now.get(id), Some(record), "kill {kill}: {id:016x} is lost or changed");
            assert_eq!(written(&killed, *id), *portrait, "kill {kill}: embedded again");
        }
        kept = now.into_iter().map(|(id, record)| (id, (record, written(&killed, id)))).collect();
        println!("kill {kill}: {} photos are in the gallery", kept.len());
    }

    let output = import(&killed).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let (added, unchanged) = (WITH_A_FACE - kept.len(), kept.len());
    let expected = format!("added {added}, unchanged {unchanged}, skipped 83 ");
    assert!(printed.lines().last().unwrap().starts_with(&expected), "{expected}: {printed}");
    for (id, (_, portrait)) in &kept {
        assert_eq!(written(&killed, *id), *portrait, "embedded again at last");
    }

    let (expected, found) = (records(&whole), records(&killed));
    assert_eq!(expected.len(), WITH_A_FACE);
    assert!(expected == found, "the gallery is another one than without kills");
    for id in expected.keys() {
        let portrait = format!("portraits/{id:016x}.jpg");
        assert_eq!(
            fs::read(whole.join(&portrait)).unwrap(),
            fs::read(killed.join(&portrait)).unwrap()
        );
    }
    assert_eq!(portraits(&killed), WITH_A_FACE, "nothing half written is left");
    assert_eq!(sorted_lines(&whole.join("skipped.csv")), sorted_lines(&killed.join("skipped.csv")));
}
