//! How good a pipeline is, measured on published benchmarks.

pub mod gallery;
pub mod lfw;
mod sheet;
mod verification;

use std::path::PathBuf;

use crate::photo::PhotoError;
use crate::pipeline::PipelineError;

pub use sheet::contact_sheet;
pub use verification::{Pair, Verification};

/// Why a benchmark cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// A list of pairs or people cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The list.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The list does not follow its format.
    #[error("{}, line {line}: {detail}", path.display())]
    List {
        /// The list.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        detail: String,
    },
    /// An image of a pair cannot be used; a result without it would be another benchmark.
    #[error("{}: {source}", path.display())]
    Photo {
        /// The image.
        path: PathBuf,
        /// Why.
        source: PhotoError,
    },
    /// There is nothing to be measured.
    #[error("no two photos of one person in {}", .0.display())]
    NothingToFind(PathBuf),
    /// The sheet of failures cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Sheet {
        /// The image.
        path: PathBuf,
        /// Why.
        source: image::ImageError,
    },
    /// A network failed.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
}
