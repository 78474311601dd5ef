//! What can go wrong, by what the caller can do about it.

use std::io;
use std::path::{Path, PathBuf};

/// The result of every fallible operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong, with the numbers and the path that explain it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused an operation on a file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb: "read", "create".
        action: &'static str,
        /// The file or directory it was tried on.
        path: PathBuf,
        /// What the operating system answered.
        source: io::Error,
    },

    /// There is no store at this path.
    #[error("{} is not a vecstore: it has no MANIFEST; create one with Store::create", path.display())]
    NotAStore {
        /// The directory that was opened.
        path: PathBuf,
    },

    /// A store is already at this path.
    #[error("{} already holds a vecstore; open it with Store::open", path.display())]
    AlreadyExists {
        /// The directory that was to be created.
        path: PathBuf,
    },

    /// Another process (or another [`Store`](crate::Store) of this one) writes to the store.
    #[error("{} is open for writing elsewhere; readers may still open it with Reader::open", path.display())]
    Locked {
        /// The store's directory.
        path: PathBuf,
    },

    /// The file was written by a newer version of this crate.
    #[error(
        "{} has format version {found}, but this vecstore reads versions up to {supported}; update vecstore",
        path.display()
    )]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// The version found in it.
        found: u32,
        /// The newest version this crate reads.
        supported: u32,
    },

    /// The file is damaged, truncated, or not one of ours.
    #[error("{} is damaged: {what}; restore it from a copy", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },

    /// The store was created with another dimension, metric or graph parameter.
    #[error("{} was created with {expected}, not with {got}", path.display())]
    ConfigMismatch {
        /// The store's directory.
        path: PathBuf,
        /// The configuration in the MANIFEST.
        expected: String,
        /// The configuration that was asked for.
        got: String,
    },

    /// A configuration value is out of range.
    #[error("{name} is {got}, but must be between {min} and {max}")]
    InvalidConfig {
        /// The value's name.
        name: &'static str,
        /// The value that was given.
        got: usize,
        /// The smallest value allowed.
        min: usize,
        /// The largest value allowed.
        max: usize,
    },

    /// The vector's length is not the store's dimension.
    #[error("the vector has {got} components, but the store's dimension is {expected}")]
    WrongDimension {
        /// The store's dimension.
        expected: usize,
        /// The vector's length.
        got: usize,
    },

    /// The vector has a component that is NaN or infinite.
    #[error("component {position} of the vector is {value}; all must be finite")]
    NotFinite {
        /// The first such component.
        position: usize,
        /// Its value.
        value: f32,
    },

    /// The vector has a component that is too large for the store's rows.
    #[error(
        "component {position} of the vector is {value}, but rows of f16 hold at most {limit}: scale the \
         vectors, or create the store with rows of f32"
    )]
    OutOfRange {
        /// The first such component.
        position: usize,
        /// Its value.
        value: f32,
        /// The largest that a row can hold.
        limit: f32,
    },

    /// A vector of length zero has no direction, so no cosine.
    #[error("the vector is all zeros, which has no direction; the cosine metric cannot hold it")]
    ZeroVector,

    /// A query for no results.
    #[error("k is 0; ask for at least one result")]
    ZeroK,

    /// The payload, group or a tag of a record is larger than the store takes.
    #[error("the {what} is {got} bytes; at most {limit} are allowed")]
    TooLarge {
        /// "payload", "group" or "tag".
        what: &'static str,
        /// Its size in bytes.
        got: usize,
        /// The limit in bytes.
        limit: usize,
    },

    /// A record has more tags than the store takes.
    #[error("the record has {got} tags; at most {limit} are allowed")]
    TooManyTags {
        /// The number of tags.
        got: usize,
        /// The most that are allowed.
        limit: usize,
    },

    /// A payload could not be turned into JSON, or not into the type asked for.
    #[error("the payload does not fit its type: {0}")]
    Payload(#[from] serde_json::Error),

    /// The store holds as many vectors as a segment can number.
    #[error("a store holds at most {limit} vectors")]
    Full {
        /// The limit.
        limit: usize,
    },

    /// The write-ahead tail (sled) failed.
    #[error("the tail {} failed: {what}", path.display())]
    Tail {
        /// The tail's directory.
        path: PathBuf,
        /// What sled said.
        what: String,
    },

    /// An earlier write failed, so it is unknown what reached the disk.
    #[error("the store refuses writes since an earlier one failed ({cause}); reopen it")]
    Poisoned {
        /// The first failure.
        cause: String,
    },
}

impl Error {
    /// Builds the closure for `map_err` on an I/O result.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    pub(crate) fn corrupt(path: &Path, what: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_owned(), what: what.into() }
    }
}
