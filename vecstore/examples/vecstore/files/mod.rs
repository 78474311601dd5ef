//! Files of vectors, read and written row by row.

mod error;
mod fvecs;
mod npy;

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::path::Path;

pub(crate) use self::error::FileError;
pub(crate) use self::npy::write_ids;
use crate::failure::Failure;

/// The formats that files of vectors come in.
#[derive(Clone, Copy)]
pub(crate) enum Format {
    /// Of the TEXMEX corpus: each row is its length, i32, then as many f32.
    Fvecs,
    /// Of numpy.
    Npy,
}

/// What is in a file: rows of one length.
pub(crate) struct Rows {
    pub(crate) dimension: usize,
    pub(crate) rows: Box<dyn Iterator<Item = Result<Vec<f32>, FileError>>>,
}

impl Format {
    /// The format that the name of a file says.
    pub(crate) fn of(path: &Path) -> Result<Self, Failure> {
        match path.extension().and_then(OsStr::to_str) {
            Some("fvecs") => Ok(Self::Fvecs),
            Some("npy") => Ok(Self::Npy),
            _ => Err(Failure::UnknownFormat { path: path.to_owned() }),
        }
    }

    /// Reads what comes before the rows; they follow as they are asked for.
    pub(crate) fn read(self, input: impl Read + 'static) -> Result<Rows, FileError> {
        match self {
            Self::Fvecs => fvecs::read(input),
            Self::Npy => npy::read(input),
        }
    }

    /// Writes what comes before `count` rows.
    pub(crate) fn begin(
        self,
        output: &mut impl Write,
        count: usize,
        dimension: usize,
    ) -> io::Result<()> {
        match self {
            Self::Fvecs => Ok(()),
            Self::Npy => npy::begin(output, count, dimension),
        }
    }

    pub(crate) fn write_row(self, output: &mut impl Write, row: &[f32]) -> io::Result<()> {
        if let Self::Fvecs = self {
            output.write_all(&(row.len() as i32).to_le_bytes())?;
        }
        row.iter().try_for_each(|value| output.write_all(&value.to_le_bytes()))
    }
}

/// Reads up to `len` bytes, fewer only where the input ends. Takes memory for what is there, not
/// for what a header promises.
fn read_up_to(input: &mut impl Read, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(len as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn check_dimension(found: i128) -> Result<usize, FileError> {
    match usize::try_from(found) {
        Ok(dimension) if (1..=vecstore::MAX_DIMENSION).contains(&dimension) => Ok(dimension),
        _ => Err(FileError::Dimension { found }),
    }
}

/// A row of `N`-byte numbers.
fn numbers<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&bytes| number(bytes)).collect()
}
