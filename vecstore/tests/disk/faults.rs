//! Operations of the disk fail, each in turn: the error is typed, the store refuses further
//! writes, goes on reading, and tells the truth when it is opened again.

use std::io::Write;
use std::panic;
use std::path::Path;

use rand::SeedableRng;
use rand::rngs::StdRng;
use vecstore::{Error, Store};

use crate::fuse::{Disk, Fault, Plan};
use crate::process::Ended;
use crate::{mount, process, script};

/// How many writes a process tries; a checkpoint follows every tenth.
const WRITES: u64 = 40;

/// An error of the disk, which says where: in the store, or in the directory that it is in.
fn is_of_the_disk(error: &Error, store: &str) -> bool {
    let directory = Path::new(store).parent().unwrap();
    matches!(error, Error::Io { path, .. } | Error::Tail { path, .. } if path.starts_with(directory))
}

/// Not a test of its own: the process whose disk fails. It prints the last write that returned.
#[test]
fn child() {
    let Some(path) = process::task() else { return };
    let abort = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        // sled panics where it cannot sync its file in the end; the store takes care of that.
        if !panic.location().is_some_and(|at| at.file().ends_with("pagecache/logger.rs")) {
            abort(panic);
        }
    }));
    // The disk recovers after some failures.
    let open = || loop {
        match Store::open_or_create(&path, script::config()) {
            Err(error) => assert!(is_of_the_disk(&error, &path), "{error}"),
            Ok(store) => break store,
        }
    };
    let store = open();
    let mut acknowledged = script::check(&store, [0; 2]);
    let mut poisoned = false;
    while !poisoned && acknowledged[0] < WRITES {
        let before = script::everything(&store);
        let number = acknowledged[0] + 1;
        let mut error = script::perform(&store, 0, number).err();
        let written = error.is_none();
        acknowledged[0] += u64::from(written);
        if written && number.is_multiple_of(10) {
            error = store.checkpoint().err();
        }
        let Some(error) = error else { continue };
        assert!(is_of_the_disk(&error, &path), "{error}");
        if !written {
            assert_eq!(script::everything(&store), before, "what failed is not seen");
        }
        poisoned = match store.flush() {
            Err(Error::Poisoned { cause }) => {
                assert_eq!(cause, error.to_string());
                true
            }
            // A checkpoint or a bulk load may fail in files of its own, and can be tried again.
            flushed => {
                assert!(written || script::is_bulk_load(0, number), "{flushed:?} after {error}");
                flushed.is_err()
            }
        };
    }
    if poisoned {
        for refused in [store.flush(), store.delete(1).map(|_| ())] {
            assert!(matches!(refused, Err(Error::Poisoned { .. })), "{refused:?}");
        }
        drop(store);
        let store = open();
        acknowledged = script::check(&store, acknowledged);
        script::perform(&store, 0, acknowledged[0] + 1).unwrap();
        acknowledged[0] += 1;
    }
    writeln!(std::io::stdout(), "durable {}", acknowledged[0]).unwrap();
}

/// Not a test of its own: looks at what is left after a power loss.
#[test]
fn witness() {
    let Some(task) = process::task() else { return };
    let (acknowledged, path) = task.split_once(' ').unwrap();
    script::check(&Store::open(path).unwrap(), [acknowledged.parse().unwrap(), 0]);
}

#[test]
fn changes_of_the_disk_fail() {
    let Some(mut disk) = mount::or_skip(Disk::new()) else { return };
    let (mut after, mut faults) = (0, 0);
    loop {
        let store = disk.path().join(after.to_string()).to_str().unwrap().to_owned();
        let count = [1, 5][faults % 2];
        let ended = process::run("faults::child", &store, |_| {
            disk.plan(Plan { after, at: None, fault: Fault::Errors(count), hook: Box::new(|| ()) });
        });
        let Ended { status, errors, .. } = &ended;
        assert!(status.success(), "{count} changes after {after} fail: {status}: {errors}");
        let durable = ended.lines.iter().find_map(|line| line.split_once("durable ")).unwrap().1;
        let struck = disk.struck();
        disk.restart(&mut StdRng::seed_from_u64(after));
        let ended = process::run("faults::witness", &format!("{durable} {store}"), |_| ());
        assert!(ended.status.success(), "after {after}: {}: {}", ended.status, ended.errors);
        if !struck {
            break;
        }
        faults += 1;
        after += 1 + after / 12;
    }
    println!("{faults} failures among {after} changes of the disk, each told and nothing lost");
    assert!(faults > 20, "{faults}");
}
