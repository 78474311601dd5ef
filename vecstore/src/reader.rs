//! Reading a store that another process may be writing to.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::hnsw::Graph;
use crate::manifest::Manifest;
use crate::part::Part;
use crate::segment::Segment;
use crate::snapshot::View;
use crate::{Config, Error, Hit, Query, Record, Result, Snapshot};

/// The last checkpoint of a store, read-only.
///
/// Any number of processes may read a store, also while one writes to it, and also where the files
/// cannot be written to. Opening maps the segment into memory: it takes the same fraction of a
/// millisecond for every size. What was written since the last checkpoint is not seen, nor is a later
/// checkpoint until [`refresh`](Self::refresh).
///
/// Nobody else may change or truncate the store's files while they are open; vecstore itself never
/// does, it writes new ones.
pub struct Reader {
    /// The store's directory, or nothing for a segment file that was opened alone.
    store: Option<PathBuf>,
    view: ArcSwap<View>,
}

impl Reader {
    /// Opens the last checkpoint of the store in a directory.
    ///
    /// # Errors
    ///
    /// [`Error::NotAStore`], [`Error::Corrupt`], [`Error::NewerVersion`] or [`Error::Io`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let view = ArcSwap::from_pointee(last_checkpoint(&path)?);
        Ok(Self { store: Some(path), view })
    }

    /// Opens a single segment file, wherever it was copied to.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`], [`Error::NewerVersion`] or [`Error::Io`].
    pub fn open_segment(file: impl AsRef<Path>) -> Result<Self> {
        let segment = Segment::open(file.as_ref())?;
        let (config, seq, len) = (*segment.config(), segment.seq(), segment.len());
        let view = View { config, segment: Some(Arc::new(segment)), tails: Vec::new(), seq, len };
        Ok(Self { store: None, view: ArcSwap::from_pointee(view) })
    }

    /// Looks for a newer checkpoint; true if there was one. Snapshots taken before stay as they are.
    /// A segment file that was opened alone has no newer one.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); the reader then goes on with what it had.
    pub fn refresh(&self) -> Result<bool> {
        let Some(store) = &self.store else { return Ok(false) };
        let view = last_checkpoint(store)?;
        let newer = view.seq != self.view.load().seq;
        if newer {
            self.view.store(Arc::new(view));
        }
        Ok(newer)
    }

    /// What the reader sees now, as it will stay.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.view.load_full())
    }

    /// [`Snapshot::search`] in the checkpoint that is open.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn search(&self, query: &Query<'_>) -> Result<Vec<Hit>> {
        self.snapshot().search(query)
    }

    /// [`Snapshot::get`] in the checkpoint that is open.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn get(&self, id: u64) -> Result<Option<Record>> {
        self.snapshot().get(id)
    }

    /// [`Snapshot::contains`] in the checkpoint that is open.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn contains(&self, id: u64) -> Result<bool> {
        self.snapshot().contains(id)
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.view.load().len
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What was fixed when the store was created.
    pub fn config(&self) -> Config {
        self.view.load().config
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("store", &self.store)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

fn last_checkpoint(store: &Path) -> Result<View> {
    let mut manifest = Manifest::read(store)?;
    loop {
        match open_segment(store, &manifest) {
            // A checkpoint may have replaced the segment since the manifest was read.
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let newer = Manifest::read(store)?;
                if newer.segment == manifest.segment {
                    let missing = manifest.segment_path(store).unwrap_or_default();
                    return Err(Error::corrupt(
                        &missing,
                        "the MANIFEST names it, but it is missing",
                    ));
                }
                manifest = newer;
            }
            segment => {
                let segment = segment?;
                let len = segment.as_ref().map_or(0, |segment| segment.len());
                let Manifest { config, seq, .. } = manifest;
                return Ok(View { config, segment, tails: Vec::new(), seq, len });
            }
        }
    }
}

/// Opens the segment that a manifest names and checks that it is the right one.
pub(crate) fn open_segment(store: &Path, manifest: &Manifest) -> Result<Option<Arc<Segment>>> {
    let Some(path) = manifest.segment_path(store) else {
        return Ok(None);
    };
    let segment = Segment::open(&path)?;
    if *segment.config() != manifest.config || segment.seq() != manifest.seq {
        return Err(Error::corrupt(&path, "it is not the segment that the MANIFEST describes"));
    }
    Ok(Some(Arc::new(segment)))
}
