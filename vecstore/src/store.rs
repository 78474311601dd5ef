//! Writing to a store.

mod bulk;
mod checkpoint;
mod commit;
mod link;
mod open;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use arc_swap::ArcSwap;

pub use self::bulk::BulkLoad;
use self::commit::{Queue, Writer};
use self::open::Lock;
use crate::snapshot::View;
use crate::tail::Op;
use crate::{Config, Error, Hit, Query, Record, Result, Snapshot};

/// A store that this process writes to and reads from.
///
/// All methods take `&self`; threads share a store by reference or in an [`Arc`]. Writes of several
/// threads share their trip to the disk, and readers never wait for a writer.
///
/// A write that returned `Ok` has reached the disk: it is there after a crash or a power loss (unless
/// [`Durability::OnFlush`] was chosen). A write that returned an error of the disk may or may not be;
/// the store then refuses further writes ([`Error::Poisoned`](crate::Error::Poisoned)) and tells the
/// truth when it is opened again.
pub struct Store {
    shared: Arc<Shared>,
    /// The checkpoint that runs by itself, if one does.
    checkpointer: Mutex<Option<JoinHandle<Result<()>>>>,
    /// The thread that links new records, if there are many.
    linker: Mutex<Option<JoinHandle<()>>>,
    durability: Durability,
}

/// When writes become durable: so that they are there after a crash of the process, of the system,
/// or a power loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Each write is durable when it returns. Writes that wait at the same time, and those of a
    /// batch, share one `fdatasync` (one for every 32 KiB, where they are more).
    #[default]
    EachWrite,
    /// Writes return, and are seen, once they are in memory. They become durable with the next
    /// [`flush`](Store::flush) or [`checkpoint`](Store::checkpoint), or when the store is dropped. A
    /// crash before that, of this process too, loses the last ones: what is left is as it was after
    /// some write, so batches stay whole. For data that can be written again. A sync comes all the
    /// same with every 32 KiB, as sled can lose more than the end of what was not synced.
    OnFlush,
}

struct Shared {
    path: PathBuf,
    config: Config,
    view: ArcSwap<View>,
    queue: Queue,
    writer: Mutex<Writer>,
    /// Held by the one checkpoint that runs at a time.
    checkpointing: Mutex<()>,
    /// How much memory the tails took when the last checkpoint failed; 0 if it did not.
    failed_at: AtomicUsize,
    /// Whether work in the background should end.
    closing: AtomicBool,
    /// Keeps other writers out while it is open.
    _lock: Lock,
}

impl Store {
    /// Inserts a record, or replaces the one with the same id. It is durable when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::WrongDimension`](crate::Error::WrongDimension), [`Error::NotFinite`](crate::Error::NotFinite),
    /// [`Error::ZeroVector`](crate::Error::ZeroVector), [`Error::TooLarge`](crate::Error::TooLarge): nothing is
    /// written. [`Error::Tail`](crate::Error::Tail), [`Error::Io`](crate::Error::Io),
    /// [`Error::Poisoned`](crate::Error::Poisoned): see [`Store`].
    pub fn insert(&self, record: &Record) -> Result<()> {
        self.insert_batch(std::slice::from_ref(record))
    }

    /// Inserts or replaces many records, all or none, also for readers and after a crash. A sync
    /// to the disk serves many of them, which makes this much faster than inserting one by one. To fill a
    /// store there is [`bulk_load`](Self::bulk_load).
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub fn insert_batch(&self, records: &[Record]) -> Result<()> {
        let ops = records.iter().map(|record| Op::put(record, &self.shared.config));
        self.commit(ops.collect::<Result<_>>()?)?;
        Ok(())
    }

    /// Deletes the record with an id; true if there was one. It is durable when this returns.
    ///
    /// # Errors
    ///
    /// The errors of the disk of [`insert`](Self::insert).
    pub fn delete(&self, id: u64) -> Result<bool> {
        Ok(self.commit(vec![Op::Delete { id }])? > 0)
    }

    /// Chooses when writes become durable from here on; [`Durability::EachWrite`] is what every store
    /// starts with. It is not kept in the store.
    #[must_use]
    pub fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Makes all writes that returned so far durable. Under [`Durability::EachWrite`] they are.
    ///
    /// # Errors
    ///
    /// [`Error::Tail`](crate::Error::Tail), [`Error::Io`](crate::Error::Io),
    /// [`Error::Poisoned`](crate::Error::Poisoned): see [`Store`].
    pub fn flush(&self) -> Result<()> {
        lock(&self.shared.writer).sync()
    }

    /// The store as of now.
    pub fn snapshot(&self) -> Snapshot {
        let now = self.now();
        self.keep_linked(&now.0);
        now
    }

    /// As [`snapshot`](Self::snapshot), for what needs no graph.
    fn now(&self) -> Snapshot {
        Snapshot(self.shared.view.load_full())
    }

    /// [`Snapshot::search`] as of now.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn search(&self, query: &Query<'_>) -> Result<Vec<Hit>> {
        self.snapshot().search(query)
    }

    /// [`Snapshot::get`] as of now.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn get(&self, id: u64) -> Result<Option<Record>> {
        self.now().get(id)
    }

    /// [`Snapshot::contains`] as of now.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn contains(&self, id: u64) -> Result<bool> {
        self.now().contains(id)
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.shared.view.load().len
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What was fixed when the store was created.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// The directory of the store.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }
}

impl Drop for Store {
    /// Waits for a checkpoint that is running, and makes what was written durable.
    fn drop(&mut self) {
        if self.durability == Durability::OnFlush {
            // Who needs to know whether it worked calls it before.
            let _ = self.flush();
        }
        self.shared.closing.store(true, Relaxed);
        if let Some(linker) = lock(&self.linker).take() {
            let _ = linker.join();
        }
        if let Some(checkpointer) = lock(&self.checkpointer).take() {
            // Whatever came of it, nothing is lost: the next checkpoint tries again.
            let _ = checkpointer.join();
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.shared.path)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// Starts a thread for work in the background, unless it is running.
fn start<T: Send + 'static>(
    thread: &mut Option<JoinHandle<T>>,
    name: &str,
    shared: &Arc<Shared>,
    work: fn(&Shared) -> T,
) -> Result<()> {
    if thread.as_ref().is_none_or(JoinHandle::is_finished) {
        let theirs = shared.clone();
        let started = thread::Builder::new().name(name.into()).spawn(move || work(&theirs));
        *thread = Some(started.map_err(Error::io("start a thread for", &shared.path))?);
    }
    Ok(())
}

/// Locks a mutex whose data is valid at every moment, so that a panic elsewhere does not matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
