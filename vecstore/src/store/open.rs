//! Creating a store, and opening one after a clean end or a crash.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;

use super::commit::{Queue, Writer, apply};
use super::{Durability, Shared, Store};
use crate::hnsw::Graph;
use crate::manifest::{Manifest, segments_dir, tail_path, tails_dir};
use crate::reader::open_segment;
use crate::snapshot::View;
use crate::tail::{TailIndex, TailLog};
use crate::{Config, Error, Result, dir};

impl Store {
    /// Creates an empty store in a directory, which is created too if it is missing.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyExists`], [`Error::InvalidConfig`], [`Error::Locked`] or [`Error::Io`].
    pub fn create(path: impl AsRef<Path>, config: Config) -> Result<Self> {
        let path = path.as_ref();
        config.validate()?;
        dir::create(path)?;
        let lock = lock_dir(path)?;
        if Manifest::exists(path) {
            return Err(Error::AlreadyExists { path: path.to_owned() });
        }
        let manifest = Manifest { config, segment: None, seq: 0, tails: vec![1] };
        dir::create(&segments_dir(path))?;
        dir::create(&tails_dir(path))?;
        // What a creation that was cut short may have left.
        remove_unnamed(path, &Manifest { tails: Vec::new(), ..manifest.clone() })?;
        TailLog::open(&tail_path(path, 1), 1, config.dimension, |_, _| Ok(()))?;
        manifest.write(path)?;
        Self::recover(path, manifest, lock)
    }

    /// Opens the store in a directory for writing.
    ///
    /// # Errors
    ///
    /// [`Error::NotAStore`], [`Error::Locked`] while it is open for writing elsewhere,
    /// [`Error::Corrupt`], [`Error::NewerVersion`], [`Error::Tail`] or [`Error::Io`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if !Manifest::exists(path) {
            return Err(Error::NotAStore { path: path.to_owned() });
        }
        let lock = lock_dir(path)?;
        // A process that was killed may have replaced the MANIFEST without making that durable; what
        // it no longer names must not be removed before.
        dir::sync(path)?;
        let manifest = Manifest::read(path)?;
        Self::recover(path, manifest, lock)
    }

    /// Opens the store in a directory for writing, or creates it where there is none.
    ///
    /// # Errors
    ///
    /// [`Error::ConfigMismatch`] if a store with another configuration is there; else as
    /// [`open`](Self::open) and [`create`](Self::create).
    pub fn open_or_create(path: impl AsRef<Path>, config: Config) -> Result<Self> {
        let path = path.as_ref();
        if !Manifest::exists(path) {
            return Self::create(path, config);
        }
        let store = Self::open(path)?;
        if *store.config() != config {
            let (expected, got) = (store.config().to_string(), config.to_string());
            return Err(Error::ConfigMismatch { path: path.to_owned(), expected, got });
        }
        Ok(store)
    }

    fn recover(path: &Path, manifest: Manifest, lock: Lock) -> Result<Self> {
        remove_unnamed(path, &manifest)?;
        let config = manifest.config;
        let segment = open_segment(path, &manifest)?;
        let len = segment.as_ref().map_or(0, |segment| segment.len());
        let mut view = View { config, segment, tails: Vec::new(), seq: manifest.seq, len };
        let mut writer = None;
        for &start in &manifest.tails {
            let tail = tail_path(path, start);
            if start != view.seq + 1 {
                let what =
                    format!("it starts with change {start}, but {} comes next", view.seq + 1);
                return Err(Error::corrupt(&tail, what));
            }
            if !tail.is_dir() {
                return Err(Error::corrupt(&tail, "the MANIFEST names it, but it is missing"));
            }
            view.tails.push(Arc::new(TailIndex::new(config)));
            let mut touched = Vec::new();
            let log = TailLog::open(&tail, start, config.dimension, |seq, op| {
                touched.extend(op.id().map(|id| (id, seq)));
                apply(&mut view, seq, op).map(|_| ())
            })?;
            writer = Some(Writer { log, touched, manifest: manifest.clone(), failed: None });
        }
        view.intact()?;
        let writer = writer.ok_or_else(|| Error::corrupt(path, "its MANIFEST names no tail"))?;
        Ok(Self {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                config,
                view: ArcSwap::from_pointee(view),
                queue: Queue::default(),
                writer: Mutex::new(writer),
                checkpointing: Mutex::new(()),
                failed_at: AtomicUsize::new(0),
                closing: AtomicBool::new(false),
                _lock: lock,
            }),
            checkpointer: Mutex::new(None),
            linker: Mutex::new(None),
            durability: Durability::EachWrite,
        })
    }
}

/// The store's lock, which ends with its owner, and with the process, however that ends.
pub(super) struct Lock(File);

impl Drop for Lock {
    /// Closing the file is not enough: a process that was started a moment ago has it open, too, until
    /// it runs its own program.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

fn lock_dir(store: &Path) -> Result<Lock> {
    let path = store.join("LOCK");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(Error::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(Error::Locked { path: store.to_owned() }),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", &path)(error)),
    }
}

/// Removes what a checkpoint left behind that was cut short: files that the manifest does not name.
pub(super) fn remove_unnamed(store: &Path, manifest: &Manifest) -> Result<()> {
    let tails: Vec<_> = manifest.tails.iter().map(|&start| tail_path(store, start)).collect();
    let segment = manifest.segment_path(store);
    for dir in [segments_dir(store), tails_dir(store)] {
        for entry in fs::read_dir(&dir).map_err(Error::io("list", &dir))? {
            let path = entry.map_err(Error::io("list", &dir))?.path();
            if segment.as_ref() == Some(&path) || tails.contains(&path) || !is_ours(&path) {
                continue;
            }
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }
                .map_err(Error::io("remove", &path))?;
        }
    }
    Ok(())
}

/// Whether a file has a name that a store gives: it begins with the number of a change. A directory
/// that a store is created in may have had `segments` or `tail` of somebody else's in it.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    name.first_chunk::<20>().is_some_and(|number| number.iter().all(u8::is_ascii_digit))
}
