//! Merging the tail into a new segment, while reads and writes go on.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;

use super::commit::Writer;
use super::open::remove_unnamed;
use super::{Shared, Store, lock, start};
use crate::Result;
use crate::hnsw::Graph;
use crate::manifest::{Manifest, segments_dir, tail_path};
use crate::part::Part;
use crate::reader::open_segment;
use crate::segment::{self, Sources};
use crate::snapshot::View;
use crate::tail::{Op, TailIndex, TailLog};

/// A tail that takes less memory is never merged by itself. sled keeps as much again.
const MIN_TAIL_BYTES: usize = 4 << 20;

/// A tail is merged by itself when it takes this fraction of the segment's bytes: each record is
/// then written to a segment about 1 + 4 times while the store grows.
const TAIL_FRACTION: usize = 4;

/// A write waits for the running checkpoint when the tail is this many times larger than the size at
/// which it was due.
const MAX_BACKLOG: usize = 3;

impl Store {
    /// Merges all that was written so far into a new segment: readers of other processes see it from
    /// then on, deleted records give their space back, and the next [`open`](Self::open) is fast.
    ///
    /// Reads and writes go on meanwhile. A checkpoint also runs by itself, on a thread of its own,
    /// when the tail takes a quarter of the segment's bytes, and at least 4 MiB. If that
    /// fails it is tried again when the tail has grown by as many more; a write fails with it only
    /// when the tail is three times as large.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io), [`Error::Tail`](crate::Error::Tail), or
    /// [`Error::Corrupt`](crate::Error::Corrupt) if the old segment is damaged. Nothing
    /// is lost: what the checkpoint was to merge stays where it was, and it can be tried again.
    pub fn checkpoint(&self) -> Result<()> {
        self.shared.checkpoint()
    }

    /// Called before a write: starts a checkpoint if the tail has grown large, and waits for it if
    /// the tail grows faster than checkpoints can merge it.
    pub(super) fn make_room(&self) -> Result<()> {
        let view = self.shared.view.load();
        let tail = view.in_tails();
        let segment = view.segment.as_ref().map_or(0, |segment| segment.file().len());
        let due = MIN_TAIL_BYTES.max(segment / TAIL_FRACTION);
        drop(view);
        // One that failed would fail again at once, and each leaves a closed tail.
        if tail < due + self.shared.failed_at.load(Relaxed) {
            return Ok(());
        }
        let mut checkpointer = lock(&self.checkpointer);
        start(&mut checkpointer, "vecstore checkpoint", &self.shared, Shared::checkpoint)?;
        if tail < MAX_BACKLOG * due {
            return Ok(());
        }
        match checkpointer.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            // It panicked, and said so where it happened; the next write tries again.
            Some(Err(_)) | None => Ok(()),
        }
    }
}

impl Shared {
    fn checkpoint(&self) -> Result<()> {
        let _only_one = lock(&self.checkpointing);
        let merged = match self.cut() {
            Ok(Some(cut)) => self.merge(&cut, None),
            cut => cut.map(|_| ()),
        };
        self.failed_at.store(if merged.is_ok() { 0 } else { self.view.load().in_tails() }, Relaxed);
        merged
    }

    /// Writes a segment of all that is in a view but its last tail, and of a bulk load, and puts it
    /// in their place.
    pub(super) fn merge(&self, cut: &View, bulk: Option<&TailIndex>) -> Result<()> {
        let tails = cut.tails.split_last().map_or(&[][..], |(_, closed)| closed);
        let old = cut.segment.as_deref();
        let sources = Sources { old, tails, bulk, seq: cut.seq, config: self.config };
        let name = segment::write_merged(&segments_dir(&self.path), &sources)?;
        self.install(name, cut.seq)
    }

    /// Closes the tail that is being written to and starts another one. Returns the view at that
    /// moment, in which all tails but the last are closed; or nothing if there is nothing to merge.
    fn cut(&self) -> Result<Option<Arc<View>>> {
        let mut writer = lock(&self.writer);
        let view = self.view.load_full();
        if view.seq == writer.manifest.seq {
            return Ok(None);
        }
        if writer.manifest.tails.last() == Some(&(view.seq + 1)) {
            // The tail is empty: an earlier checkpoint failed after its cut.
            return Ok(Some(view));
        }
        self.start_new_tail(&mut writer).map(Some)
    }

    /// As [`cut`](Self::cut), with a change more, which stands for a bulk load.
    pub(super) fn cut_for_bulk_load(&self) -> Result<Arc<View>> {
        let mut writer = lock(&self.writer);
        writer.check()?;
        let view = self.view.load();
        let seq = view.seq + 1;
        let appended = writer.log.append([Op::BulkLoad].iter());
        appended.inspect_err(|error| writer.failed = Some(error.to_string()))?;
        self.view.store(Arc::new(View { seq, ..View::clone(&view) }));
        self.start_new_tail(&mut writer)
    }

    fn start_new_tail(&self, writer: &mut Writer) -> Result<Arc<View>> {
        // No change in the new tail may be durable before all in the old one are.
        writer.sync()?;
        let mut view = View::clone(&self.view.load());
        let start = view.seq + 1;
        let (path, dimension) = (tail_path(&self.path, start), self.config.dimension);
        let log = TailLog::open(&path, start, dimension, |_, _| Ok(())).inspect_err(|_| {
            // What it cannot remove is removed when the store is opened the next time.
            let _ = fs::remove_dir_all(&path);
        })?;
        let mut manifest = writer.manifest.clone();
        manifest.tails.push(start);
        writer.replace_manifest(&self.path, manifest)?;
        (writer.log, writer.touched) = (log, Vec::new());
        view.tails.push(Arc::new(TailIndex::new(self.config)));
        let view = Arc::new(view);
        self.view.store(view.clone());
        Ok(view)
    }

    /// Puts a segment that includes all changes up to `seq` in the place of what it merged.
    fn install(&self, name: String, seq: u64) -> Result<()> {
        let mut writer = lock(&self.writer);
        let open = writer.manifest.tails.last().copied();
        let tails = open.into_iter().collect();
        let manifest = Manifest { config: self.config, segment: Some(name), seq, tails };
        let segment = open_segment(&self.path, &manifest)?;
        writer.replace_manifest(&self.path, manifest)?;
        let view = self.view.load();
        let tails = view.tails.last().cloned().into_iter().collect();
        let mut view = View { segment, tails, ..**view };
        view.len = view.tails.iter().map(|tail| tail.living(view.seq)).sum();
        if let Some(segment) = &view.segment {
            // What was written while the segment was.
            let died = writer.touched.iter().filter(|&&(id, seq)| segment.kill(id, seq));
            view.len += segment.len() - died.count();
        }
        self.view.store(Arc::new(view));
        // What cannot be removed now is removed when the store is opened the next time.
        let _ = remove_unnamed(&self.path, &writer.manifest);
        Ok(())
    }
}

impl Writer {
    /// Makes another set of files the store. If that fails, it is unknown which of the two sets is
    /// on the disk, so nothing more may be written to either.
    fn replace_manifest(&mut self, store: &Path, manifest: Manifest) -> Result<()> {
        self.check()?;
        manifest.write(store).inspect_err(|error| self.failed = Some(error.to_string()))?;
        self.manifest = manifest;
        Ok(())
    }
}
