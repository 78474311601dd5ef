//! The files that vectors and truth are exchanged in, of the TEXMEX corpus: rows of one length, each
//! the length and then as many numbers; f32 in fvecs, i32 in ivecs.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::Vectors;

/// Why a file cannot be used; names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The system refused something.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no row.
    #[error("{} is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A row has a length that cannot be, or not that of the first one.
    #[error("{}: row {row} says that it has {found} numbers{}", path.display(), asked(*expected))]
    Length {
        /// The file.
        path: PathBuf,
        /// The row, counted from 0.
        row: usize,
        /// The length it says.
        found: i32,
        /// The length of the first row; none for the first row itself.
        expected: Option<usize>,
    },
    /// The file ends within a row.
    #[error("{} was cut off within row {row}", path.display())]
    CutOff {
        /// The file.
        path: PathBuf,
        /// The row, counted from 0.
        row: usize,
    },
    /// Two files do not belong together.
    #[error("{} has {found} {what}, {} has {expected}", path.display(), other.display())]
    Unequal {
        /// The file.
        path: PathBuf,
        /// The file that it is used with.
        other: PathBuf,
        /// What they must have as many of.
        what: &'static str,
        /// The number in the file.
        found: usize,
        /// The number in the other one.
        expected: usize,
    },
    /// A row of truth cannot be what it is used for.
    #[error("{}: row {row} {problem}", path.display())]
    Truth {
        /// The file.
        path: PathBuf,
        /// The row, counted from 0.
        row: usize,
        /// What is wrong with it.
        problem: String,
    },
}

fn asked(expected: Option<usize>) -> String {
    expected.map_or_else(String::new, |expected| format!(", row 0 has {expected}"))
}

impl FileError {
    fn io(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

/// Reads vectors from an fvecs file.
///
/// # Errors
///
/// If it cannot be read, or is not a whole file of rows of one length.
pub fn read_fvecs(path: &Path) -> Result<Vectors, FileError> {
    let (dimension, components) = read(path, f32::from_le_bytes)?;
    Ok(Vectors::new(dimension, components))
}

/// Reads the vectors of `path`, which are to be compared with `base` out of `base_path`.
///
/// # Errors
///
/// Those of [`read_fvecs`], or if the dimensions differ.
pub fn read_queries(path: &Path, base: &Vectors, base_path: &Path) -> Result<Vectors, FileError> {
    let queries = read_fvecs(path)?;
    let (found, expected) = (queries.dimension, base.dimension);
    if found != expected {
        let (path, other) = (path.to_owned(), base_path.to_owned());
        return Err(FileError::Unequal { path, other, what: "components", found, expected });
    }
    Ok(queries)
}

/// Writes vectors into an fvecs file.
///
/// # Errors
///
/// If it cannot be written.
pub fn write_fvecs(path: &Path, vectors: &Vectors) -> Result<(), FileError> {
    write(path, vectors.iter().map(|row| row.iter().map(|number| number.to_le_bytes())))
}

/// Reads the numbers of the `k` nearest of `count` vectors to each of as many queries as `query_path`
/// has, from an ivecs file, whose rows may be longer.
///
/// # Errors
///
/// If it cannot be read, is not a whole file of rows of one length, or is not the truth of such data.
pub fn read_truth(
    path: &Path,
    k: usize,
    count: usize,
    queries: (&Path, usize),
) -> Result<Vec<Vec<u64>>, FileError> {
    let (length, numbers) = read(path, i32::from_le_bytes)?;
    let (found, (other, expected)) = (numbers.len() / length, queries);
    if found != expected {
        let (path, other) = (path.to_owned(), other.to_owned());
        return Err(FileError::Unequal { path, other, what: "rows", found, expected });
    }
    let wrong = |row, problem| FileError::Truth { path: path.to_owned(), row, problem };
    if length < k {
        return Err(wrong(0, format!("names {length} vectors, {k} are asked for")));
    }
    let row = |(row, numbers): (usize, &[i32])| {
        let number = |&number| match u64::try_from(number) {
            Ok(found) if found < count as u64 => Ok(found),
            _ => Err(wrong(row, format!("names vector {number}, there are {count}"))),
        };
        numbers[..k].iter().map(number).collect()
    };
    numbers.chunks_exact(length).enumerate().map(row).collect()
}

/// Writes the numbers of the nearest vectors to each query into an ivecs file.
///
/// # Errors
///
/// If it cannot be written.
pub fn write_truth(path: &Path, truth: &[Vec<u64>]) -> Result<(), FileError> {
    write(path, truth.iter().map(|row| row.iter().map(|&number| (number as i32).to_le_bytes())))
}

/// The length of the rows, and all their numbers in a row.
fn read<T>(path: &Path, number: impl Fn([u8; 4]) -> T) -> Result<(usize, Vec<T>), FileError> {
    let bytes = fs::read(path).map_err(FileError::io("read", path))?;
    let path = || path.to_owned();
    let (words, rest) = bytes.as_chunks::<4>();
    let Some(&first) = words.first() else { return Err(FileError::Empty { path: path() }) };
    let found = i32::from_le_bytes(first);
    let length = match usize::try_from(found) {
        Ok(length) if length > 0 => length,
        _ => return Err(FileError::Length { path: path(), row: 0, found, expected: None }),
    };
    let mut numbers = Vec::with_capacity(words.len());
    for (row, words) in words.chunks(1 + length).enumerate() {
        let found = i32::from_le_bytes(words[0]);
        if usize::try_from(found) != Ok(length) {
            return Err(FileError::Length { path: path(), row, found, expected: Some(length) });
        }
        if words.len() <= length {
            return Err(FileError::CutOff { path: path(), row });
        }
        numbers.extend(words[1..].iter().map(|&word| number(word)));
    }
    if !rest.is_empty() {
        return Err(FileError::CutOff { path: path(), row: numbers.len() / length });
    }
    Ok((length, numbers))
}

fn write<R>(path: &Path, rows: impl Iterator<Item = R>) -> Result<(), FileError>
where
    R: ExactSizeIterator<Item = [u8; 4]>,
{
    let file = File::create(path).map_err(FileError::io("create", path))?;
    let mut output = BufWriter::new(file);
    let mut written = Ok(());
    for mut row in rows {
        let length = output.write_all(&(row.len() as i32).to_le_bytes());
        written = length.and_then(|()| row.try_for_each(|bytes| output.write_all(&bytes)));
        if written.is_err() {
            break;
        }
    }
    written.and_then(|()| output.flush()).map_err(FileError::io("write", path))
}
