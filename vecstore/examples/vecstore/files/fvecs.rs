//! Reading fvecs files.

use std::io::{Cursor, Read};

use super::{FileError, Rows, check_dimension, numbers, read_up_to};

pub(super) fn read(mut input: impl Read + 'static) -> Result<Rows, FileError> {
    let start = read_up_to(&mut input, 4)?;
    let found = match start.first_chunk() {
        Some(&found) => i32::from_le_bytes(found),
        None if start.is_empty() => return Err(FileError::Empty),
        None => return Err(FileError::CutOff { row: 0, found: start.len(), expected: 4 }),
    };
    let dimension = check_dimension(found.into())?;
    let mut input = Cursor::new(start).chain(input);
    let rows = (0..).map_while(move |row| read_row(&mut input, row, dimension).transpose());
    Ok(Rows { dimension, rows: Box::new(rows) })
}

fn read_row(
    input: &mut impl Read,
    row: u64,
    dimension: usize,
) -> Result<Option<Vec<f32>>, FileError> {
    let expected = 4 + 4 * dimension;
    let bytes = read_up_to(input, expected)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if let Some((&found, components)) = bytes.split_first_chunk() {
        let found = i32::from_le_bytes(found);
        if usize::try_from(found) != Ok(dimension) {
            return Err(FileError::UnequalRows { row, found, expected: dimension });
        }
        if bytes.len() == expected {
            return Ok(Some(numbers(components, f32::from_le_bytes)));
        }
    }
    Err(FileError::CutOff { row, found: bytes.len(), expected })
}
