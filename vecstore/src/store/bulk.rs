//! Loading many records into a segment directly.

use super::{Store, lock};
use crate::hnsw::Graph;
use crate::part::Part;
use crate::tail::{Op, TailIndex};
use crate::{Record, Result};

/// Records on their way into a segment, without the detour through the log: the fastest way to fill
/// a store, and each record is written to the disk once.
///
/// The records are kept in memory until [`commit`](Self::commit), which inserts or replaces all of
/// them at once, on all processors; whoever drops a load instead has changed nothing. Reads and writes
/// go on meanwhile.
///
/// ```
/// # use vecstore::{Config, Metric, Record, Result, Store};
/// # fn main() -> Result<()> {
/// # let directory = tempfile::tempdir().unwrap();
/// let store = Store::create(directory.path(), Config::new(2, Metric::Cosine))?;
/// let mut load = store.bulk_load();
/// for id in 0..1000 {
///     load.add(&Record::new(id, vec![1.0, id as f32]))?;
/// }
/// load.commit()?;
/// assert_eq!(store.len(), 1000);
/// # Ok(())
/// # }
/// ```
pub struct BulkLoad<'a> {
    store: &'a Store,
    records: TailIndex,
}

/// The records of a load are older than every change, until the load gets a number.
const BORN: u64 = 0;

impl Store {
    /// Begins a bulk load.
    pub fn bulk_load(&self) -> BulkLoad<'_> {
        BulkLoad { store: self, records: TailIndex::new(self.shared.config) }
    }
}

impl BulkLoad<'_> {
    /// Adds a record; of several with one id the last one counts.
    ///
    /// # Errors
    ///
    /// Those of [`Store::insert`] for a record that does not fit. The load goes on without it.
    pub fn add(&mut self, record: &Record) -> Result<()> {
        let op = Op::put(record, &self.store.shared.config)?;
        self.records.kill(record.id, BORN);
        self.records.add(BORN, op)
    }

    /// Writes the records, together with all that the store holds, as a new segment. They are durable
    /// and seen when this returns, by readers of other processes too. A write to the same id that
    /// ends before this begins is replaced; one that begins later replaces.
    ///
    /// # Errors
    ///
    /// Those of [`Store::checkpoint`]; none of the records is then in the store.
    pub fn commit(self) -> Result<()> {
        if self.records.len() == 0 {
            return Ok(());
        }
        let shared = &self.store.shared;
        let _only_one = lock(&shared.checkpointing);
        let cut = shared.cut_for_bulk_load()?;
        shared.merge(&cut, Some(&self.records))
    }
}

impl std::fmt::Debug for BulkLoad<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BulkLoad")
            .field("store", self.store)
            .field("records", &self.records.len())
            .finish_non_exhaustive()
    }
}
