//! What an import did.

use std::path::Path;

use super::ImportError;
use crate::files;
use crate::gallery::Person;

/// What became of the photos of an import.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// New or changed photos, now in the gallery.
    pub added: usize,
    /// Photos that were there already.
    pub unchanged: usize,
    /// Photos that could not be used, by file name.
    pub skipped: Vec<Skipped>,
    /// People who seem to be one, or one photo under two names.
    pub duplicates: Vec<Duplicate>,
}

/// A photo that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// Its path below the imported directory.
    pub file: String,
    /// Why.
    pub reason: String,
}

/// Two people with one and the same photo; the ids are in order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duplicate {
    /// One of them.
    pub one: Person,
    /// The other.
    pub other: Person,
}

impl Report {
    /// Writes `skipped.csv` (file, reason) into the gallery, also when nothing was skipped.
    pub(super) fn write_skipped(&self, store: &Path) -> Result<(), ImportError> {
        let path = store.join("skipped.csv");
        let failed = |source: std::io::Error| ImportError::Io {
            action: "write",
            path: path.clone(),
            source,
        };
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        let rows = self.skipped.iter().map(|skipped| [&skipped.file[..], &skipped.reason]);
        for row in std::iter::once(["file", "reason"]).chain(rows) {
            writer.write_record(row).map_err(|error| failed(error.into()))?;
        }
        let bytes = writer.into_inner().map_err(|error| failed(error.into_error()))?;
        files::replace(&path, &bytes).map_err(failed)
    }
}
