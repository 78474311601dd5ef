//! What ends the command early.

use std::io;
use std::path::{Path, PathBuf};

use crate::files::FileError;

/// What ends the command early; printed as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Store(#[from] vecstore::Error),

    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },

    #[error("{}: the name of a file of vectors ends with .fvecs or .npy", path.display())]
    UnknownFormat { path: PathBuf },

    #[error("{}: ids are written as .npy", path.display())]
    IdsFormat { path: PathBuf },

    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: FileError },

    #[error("{}, row {row}: {source}", path.display())]
    Row { path: PathBuf, row: u64, source: vecstore::Error },

    #[error("row {row} gets no id: the largest is {}", u64::MAX)]
    NoMoreIds { row: u64 },

    #[error(
        "{} has vectors of {got} components, the store {} of {expected}",
        file.display(),
        store.display()
    )]
    OtherDimension { file: PathBuf, got: usize, store: PathBuf, expected: usize },

    #[error("the store {} has {expected}, not {got}", store.display())]
    OtherConfig { store: PathBuf, expected: String, got: String },

    #[error("{cause}; {written}")]
    Import { cause: Box<Failure>, written: String },
}

impl Failure {
    /// Builds the closure for `map_err` on an I/O result.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    /// Builds the closure for `map_err` on what a file of vectors holds.
    pub(crate) fn file(path: &Path) -> impl FnOnce(FileError) -> Self {
        move |source| Self::File { path: path.to_owned(), source }
    }
}
