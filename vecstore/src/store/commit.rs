//! The way of a write: into the log, to the disk, into the index, into view.

use std::sync::{Arc, Mutex, OnceLock};

use super::{Durability, Shared, Store, lock};
use crate::manifest::Manifest;
use crate::snapshot::View;
use crate::tail::{Op, TailLog};
use crate::{Error, Result};

/// Writes that wait for their trip to the disk.
#[derive(Default)]
pub(super) struct Queue(Mutex<Vec<Waiting>>);

struct Waiting {
    ops: Vec<Op>,
    /// How many records the write ended the life of, or why it failed.
    done: Arc<OnceLock<Result<usize, String>>>,
}

/// What only the thread that writes may touch.
pub(super) struct Writer {
    /// The log of the newest tail.
    pub(super) log: TailLog,
    /// The ids that the newest tail puts or deletes, and when.
    pub(super) touched: Vec<(u64, u64)>,
    pub(super) manifest: Manifest,
    /// Why no further write is accepted.
    pub(super) failed: Option<String>,
}

impl Store {
    /// Makes changes durable and visible, all at once. Returns how many records were there before
    /// and are now replaced or deleted.
    pub(super) fn commit(&self, ops: Vec<Op>) -> Result<usize> {
        if ops.is_empty() {
            return Ok(0);
        }
        self.make_room()?;
        let done = Arc::new(OnceLock::new());
        lock(&self.shared.queue.0).push(Waiting { ops, done: done.clone() });
        {
            let mut writer = lock(&self.shared.writer);
            // Whoever held the lock before may have taken this write along (group commit).
            if done.get().is_none() {
                let mut waiting = std::mem::take(&mut *lock(&self.shared.queue.0));
                let committed = writer.commit_all(&self.shared, &mut waiting, self.durability);
                if let Err(error) = committed {
                    let cause = writer.failed.get_or_insert_with(|| error.to_string());
                    for Waiting { done, .. } in &waiting {
                        done.get_or_init(|| Err(cause.clone()));
                    }
                    return Err(error);
                }
            }
        }
        match done.get() {
            Some(Ok(replaced)) => Ok(*replaced),
            Some(Err(cause)) => Err(Error::Poisoned { cause: cause.clone() }),
            None => Err(Error::Poisoned { cause: "the write was lost".into() }),
        }
    }
}

impl Writer {
    /// Makes all writes so far durable.
    pub(super) fn sync(&mut self) -> Result<()> {
        self.check()?;
        self.log.sync().inspect_err(|error| self.failed = Some(error.to_string()))
    }

    /// Refuses further writes after one that failed.
    pub(super) fn check(&self) -> Result<()> {
        match &self.failed {
            Some(cause) => Err(Error::Poisoned { cause: cause.clone() }),
            None => Ok(()),
        }
    }

    fn commit_all(
        &mut self,
        shared: &Shared,
        waiting: &mut [Waiting],
        durability: Durability,
    ) -> Result<()> {
        self.check()?;
        let mut view = View::clone(&shared.view.load());
        let mut seq = view.seq + 1;
        self.log.append(waiting.iter().flat_map(|waiting| &waiting.ops))?;
        if durability == Durability::EachWrite {
            self.log.sync()?;
        }
        let mut replaced = vec![0; waiting.len()];
        for (Waiting { ops, .. }, replaced) in waiting.iter_mut().zip(&mut replaced) {
            for op in ops.drain(..) {
                self.touched.extend(op.id().map(|id| (id, seq)));
                *replaced += usize::from(apply(&mut view, seq, op)?);
                seq += 1;
            }
        }
        // A damaged segment may have hidden a record that was to be replaced.
        view.intact()?;
        shared.view.store(Arc::new(view));
        for (Waiting { done, .. }, replaced) in waiting.iter().zip(replaced) {
            done.get_or_init(|| Ok(replaced));
        }
        Ok(())
    }
}

/// Brings a change into a view; true if it ended the life of a record.
pub(super) fn apply(view: &mut View, seq: u64, op: Op) -> Result<bool> {
    let died = op.id().is_some_and(|id| view.kill(id, seq));
    view.len -= usize::from(died);
    if matches!(op, Op::Put { .. }) {
        if let Some(tail) = view.tails.last() {
            tail.add(seq, op)?;
        }
        view.len += 1;
    }
    view.seq = seq;
    Ok(died)
}
