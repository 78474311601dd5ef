//! One thread writes and makes checkpoints while others read. A `Reader` needs nothing but the
//! path, so each of them could as well be a process of its own.
//!
//! `cargo run -p vecstore --example concurrent_readers`

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use vecstore::{Config, Metric, Query, Reader, Record, Store};

const BATCHES: u64 = 20;
const BATCH: u64 = 100;

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let directory = tempfile::tempdir()?;
    let store = Store::create(directory.path(), Config::new(2, Metric::SquaredEuclidean))?;
    write(&store, 0)?;
    store.checkpoint()?;

    // A snapshot stays as it is, whatever is written after it.
    let before = store.snapshot();
    let done = AtomicBool::new(false);
    thread::scope(|threads| {
        let readers = [(); 3].map(|()| threads.spawn(|| read(directory.path(), &done)));
        let written = (1..BATCHES).try_for_each(|number| {
            write(&store, number)?;
            store.checkpoint()
        });
        done.store(true, Ordering::Release);
        written?;
        for reader in readers {
            let (checkpoints, records) = reader.join().map_err(|_| "a reader panicked")??;
            println!("a reader saw {checkpoints} checkpoints, the last of {records} records");
            assert_eq!(records, 2_000);
        }
        Ok::<_, Failure>(())
    })?;

    println!("{} records now, {} in the old snapshot", store.len(), before.len());
    assert_eq!((store.len(), before.len()), (2_000, 100));
    assert_eq!(before.search(&Query::new(&[1e6, 0.0], 1))?[0].id, 99);
    assert_eq!(store.search(&Query::new(&[1e6, 0.0], 1))?[0].id, 1_999);
    Ok(())
}

/// Writes a batch, of which readers see all or nothing.
fn write(store: &Store, number: u64) -> vecstore::Result<()> {
    let ids = number * BATCH..(number + 1) * BATCH;
    store.insert_batch(&ids.map(|id| Record::new(id, vec![id as f32, 0.0])).collect::<Vec<_>>())
}

/// Reads until the writer is done; returns how many checkpoints were seen, and the size of the last.
fn read(path: &Path, done: &AtomicBool) -> Result<(usize, usize), Failure> {
    let reader = Reader::open(path)?;
    let mut checkpoints = 1;
    loop {
        let last = done.load(Ordering::Acquire);
        checkpoints += usize::from(reader.refresh()?);
        // Whatever is asked of one snapshot is answered from one state of the store.
        let snapshot = reader.snapshot();
        let farthest = &snapshot.search(&Query::new(&[1e6, 0.0], 1))?[0];
        assert_eq!(farthest.id + 1, snapshot.len() as u64);
        assert_eq!(snapshot.len() as u64 % BATCH, 0);
        if last {
            return Ok((checkpoints, snapshot.len()));
        }
    }
}
