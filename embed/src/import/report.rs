//! What an import did.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::ImportError;
use crate::files;
use crate::gallery::Person;

/// What became of the photos of an import.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// New or changed photos, now in the gallery.
    pub added: u64,
    /// Photos that were there already.
    pub unchanged: u64,
    /// Photos that could not be used; `skipped.csv` in the gallery lists them.
    pub skipped: u64,
    /// How many were skipped for which reason, of the first hundred reasons that came up.
    pub reasons: BTreeMap<String, u64>,
    /// People who seem to be one, or one photo under two names.
    pub duplicates: Vec<Duplicate>,
}

/// A photo that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its key, or where the list names it.
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

/// `skipped.csv` (file, reason), while it is written beside the one of the last import.
pub(super) struct SkippedList {
    path: PathBuf,
    part: PathBuf,
    rows: ::csv::Writer<File>,
}

impl SkippedList {
    const MOST_REASONS: usize = 100;

    pub(super) fn create(store: &Path) -> Result<Self, ImportError> {
        let (path, part) = (store.join("skipped.csv"), store.join("skipped.csv.part"));
        let file = File::create(&part).map_err(|error| cannot_write(&path, error))?;
        let mut list = Self { path, part, rows: ::csv::Writer::from_writer(file) };
        list.write(["file", "reason"])?;
        Ok(list)
    }

    /// Writes it down, and counts it.
    pub(super) fn add(&mut self, skipped: Skipped, report: &mut Report) -> Result<(), ImportError> {
        self.write([&skipped.file, &skipped.reason])?;
        report.skipped += 1;
        let reasons = &mut report.reasons;
        if reasons.len() < Self::MOST_REASONS || reasons.contains_key(&skipped.reason) {
            *reasons.entry(skipped.reason).or_default() += 1;
        }
        Ok(())
    }

    /// Takes the place of the list of the last import.
    pub(super) fn finish(self) -> Result<(), ImportError> {
        let Self { path, part, rows } = self;
        let written = rows.into_inner().map_err(|error| error.into_error());
        written
            .and_then(|_| files::settle(&part, &path))
            .map_err(|error| cannot_write(&path, error))
    }

    fn write(&mut self, row: [&str; 2]) -> Result<(), ImportError> {
        self.rows.write_record(row).map_err(|error| cannot_write(&self.path, error.into()))
    }
}

fn cannot_write(path: &Path, source: io::Error) -> ImportError {
    ImportError::Io { action: "write", path: path.to_owned(), source }
}
