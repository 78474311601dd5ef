//! What can be wrong with a file of vectors.

use std::io;

use vecstore::MAX_DIMENSION;

/// What is wrong with a file of vectors. Rows are counted from 0, as numpy does.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error(transparent)]
    Io(#[from] io::Error),

    #[error("it is empty, so nothing says how many components its vectors have")]
    Empty,

    #[error("its rows have {found} components; 1 to {MAX_DIMENSION} are possible")]
    Dimension { found: i128 },

    #[error("row {row} says that it has {found} components, the first row has {expected}")]
    UnequalRows { row: u64, found: i32, expected: usize },

    #[error("it was cut off: row {row} has {found} of its {expected} bytes")]
    CutOff { row: u64, found: usize, expected: usize },

    #[error("it goes on after the {rows} rows that its header names")]
    GoesOn { rows: u64 },

    #[error("it does not begin like a file of numpy")]
    NotNpy,

    #[error("it has version {major}.{minor} of numpy's format; 1.0 and 2.0 can be read")]
    Version { major: u8, minor: u8 },

    #[error("its header is said to be {found} bytes long; at most {limit} are possible")]
    LongHeader { found: usize, limit: usize },

    #[error("it was cut off: {found} of the {expected} bytes of its header are there")]
    CutOffHeader { found: usize, expected: usize },

    #[error("its header cannot be understood: {header:?}")]
    Header { header: String },

    #[error("its numbers are {found}; '<f4' and '<f8' can be read (little-endian floats)")]
    Numbers { found: String },

    #[error("it is in Fortran order, column by column; save numpy.ascontiguousarray(...) instead")]
    FortranOrder,

    #[error("its shape is ({}); it must be (rows, components)", join(found))]
    Shape { found: Vec<u64> },
}

fn join(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}
