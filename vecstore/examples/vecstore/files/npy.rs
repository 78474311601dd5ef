//! Reading and writing npy files, of the numpy format versions 1.0 and 2.0
//! (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).

use std::io::{self, Read, Write};

use super::{FileError, Rows, check_dimension, numbers, read_up_to};

const MAGIC: &[u8] = b"\x93NUMPY";

/// A header of a table takes some 100 bytes; one of version 1.0 cannot be longer than this.
const MAX_HEADER: usize = 1 << 16;

/// Turns the bytes of a row into its numbers.
type Decode = fn(&[u8]) -> Vec<f32>;

pub(super) fn read(mut input: impl Read + 'static) -> Result<Rows, FileError> {
    let header = read_header(&mut input)?;
    let unknown = || FileError::Header { header: header.clone() };
    let numbers_are = value(&header, "descr").ok_or_else(unknown)?;
    let (size, decode): (usize, Decode) = match numbers_are {
        "'<f4'" => (4, |row| numbers(row, f32::from_le_bytes)),
        "'<f8'" => (8, |row| numbers(row, |bytes| f64::from_le_bytes(bytes) as f32)),
        other => return Err(FileError::Numbers { found: other.to_owned() }),
    };
    match value(&header, "fortran_order").ok_or_else(unknown)? {
        "False" => {}
        "True" => return Err(FileError::FortranOrder),
        _ => return Err(unknown()),
    }
    let shape = value(&header, "shape").and_then(shape).ok_or_else(unknown)?;
    let &[count, components] = shape.as_slice() else {
        return Err(FileError::Shape { found: shape });
    };
    let dimension = check_dimension(components.into())?;
    let len = size * dimension;
    let rows = (0..=count).map_while(move |row| {
        let row = read_row(&mut input, row, count, len).transpose()?;
        Some(row.map(|bytes| decode(&bytes)))
    });
    Ok(Rows { dimension, rows: Box::new(rows) })
}

/// The bytes of a row, or nothing after the last one.
fn read_row(
    input: &mut impl Read,
    row: u64,
    count: u64,
    expected: usize,
) -> Result<Option<Vec<u8>>, FileError> {
    if row == count {
        let end = read_up_to(input, 1)?;
        return if end.is_empty() { Ok(None) } else { Err(FileError::GoesOn { rows: count }) };
    }
    let bytes = read_up_to(input, expected)?;
    if bytes.len() < expected {
        return Err(FileError::CutOff { row, found: bytes.len(), expected });
    }
    Ok(Some(bytes))
}

/// The header's text, a Python dictionary.
fn read_header(input: &mut impl Read) -> Result<String, FileError> {
    let start = read_up_to(input, MAGIC.len() + 2)?;
    let Some(&[major, minor]) = start.strip_prefix(MAGIC) else {
        return Err(FileError::NotNpy);
    };
    let len_bytes = match (major, minor) {
        (1, 0) => 2,
        (2, 0) => 4,
        _ => return Err(FileError::Version { major, minor }),
    };
    let len = read_up_to(input, len_bytes)?;
    let len = len.iter().rev().fold(0, |len, &byte| len << 8 | usize::from(byte));
    if len > MAX_HEADER {
        return Err(FileError::LongHeader { found: len, limit: MAX_HEADER });
    }
    let header = read_up_to(input, len)?;
    if header.len() < len {
        return Err(FileError::CutOffHeader { found: header.len(), expected: len });
    }
    Ok(String::from_utf8_lossy(&header).trim_end().to_owned())
}

/// The text of a value in the header.
fn value<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = header.split_once(&format!("'{key}':"))?;
    let rest = rest.trim_start();
    let end = match rest.chars().next()? {
        '(' => rest.find(')')? + 1,
        '[' => rest.rfind(']')? + 1,
        _ => rest.find([',', '}'])?,
    };
    Some(rest[..end].trim_end())
}

/// The numbers of a tuple.
fn shape(tuple: &str) -> Option<Vec<u64>> {
    let numbers = tuple.strip_prefix('(')?.strip_suffix(')')?.split(',').map(str::trim);
    numbers.filter(|number| !number.is_empty()).map(|number| number.parse().ok()).collect()
}

/// Writes what comes before a table of f32.
pub(super) fn begin(output: &mut impl Write, count: usize, dimension: usize) -> io::Result<()> {
    write_header(output, "<f4", &format!("({count}, {dimension})"))
}

/// Writes a whole file, a list of u64.
pub(crate) fn write_ids(output: &mut impl Write, ids: &[u64]) -> io::Result<()> {
    write_header(output, "<u8", &format!("({},)", ids.len()))?;
    ids.iter().try_for_each(|id| output.write_all(&id.to_le_bytes()))
}

fn write_header(output: &mut impl Write, numbers: &str, shape: &str) -> io::Result<()> {
    let dictionary =
        format!("{{'descr': '{numbers}', 'fortran_order': False, 'shape': {shape}, }}");
    // All before the numbers is a multiple of 64 bytes long, and ends with a line break.
    let before = MAGIC.len() + 4;
    let len = (before + dictionary.len() + 1).next_multiple_of(64) - before;
    output.write_all(MAGIC)?;
    output.write_all(&[1, 0])?;
    output.write_all(&(len as u16).to_le_bytes())?;
    writeln!(output, "{dictionary:<width$}", width = len - 1)
}
