//! Opening a store or a segment to read all that can be seen of it.

use std::io;
use std::path::Path;

use vecstore::{Error, Reader, Snapshot, Store};

use crate::failure::Failure;

/// A store or a segment, as far as it can be seen.
pub(crate) struct Sight {
    /// The last checkpoint, or the segment file.
    pub(crate) checkpoint: Snapshot,
    /// The checkpoint and the tail after it, or why there is no tail to be seen.
    pub(crate) whole: Result<Snapshot, &'static str>,
}

impl Sight {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        if path.is_file() {
            let checkpoint = Reader::open_segment(path)?.snapshot();
            return Ok(Self { checkpoint, whole: Err("none, this is a segment alone") });
        }
        // The checkpoint first: then the whole cannot be older, whatever others do meanwhile.
        let checkpoint = Reader::open(path)?.snapshot();
        let whole = match Store::open(path) {
            // The snapshot outlives the store, which keeps other writers out only until here.
            Ok(store) => Ok(store.snapshot()),
            Err(Error::Locked { .. }) => Err("not looked at, another process writes to the store"),
            Err(Error::Io { source, .. }) if is_read_only(&source) => {
                Err("not looked at, the store is read-only")
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Self { checkpoint, whole })
    }

    /// The most that can be seen.
    pub(crate) fn most(&self) -> &Snapshot {
        self.whole.as_ref().unwrap_or(&self.checkpoint)
    }
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}
