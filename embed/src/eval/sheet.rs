//! Failures side by side, to be looked at.

use std::path::Path;

use image::{Rgb, RgbImage, imageops};

use super::EvalError;
use super::gallery::{Failure, Seen};
use crate::gallery::square_around;
use crate::photo::{DecodeLimits, Photo};
use crate::resample::resize;

/// Pixels of a photo's side, and of the frame around it.
const SIDE: u32 = 80;
const FRAME: u32 = 3;
/// Failures side by side.
const COLUMNS: u32 = 6;

const GREY: Rgb<u8> = Rgb([90, 90, 90]);
const RED: Rgb<u8> = Rgb([220, 40, 40]);
const GREEN: Rgb<u8> = Rgb([40, 170, 60]);

/// Writes an image of all failures in their order, line by line. Each is three faces: in a
/// grey frame the photo looked for, in red the wrong person found, in green the nearest
/// photo of the right one.
///
/// # Errors
/// When a photo cannot be read or the image cannot be written.
pub fn contact_sheet(failures: &[Failure], path: &Path) -> Result<(), EvalError> {
    let tile = SIDE + 2 * FRAME;
    let rows = (failures.len() as u32).div_ceil(COLUMNS).max(1);
    let gap = 2 * FRAME;
    let mut sheet = RgbImage::new(COLUMNS * (3 * tile + gap), rows * (tile + gap));
    for (at, failure) in (0u32..).zip(failures) {
        let (left, top) = ((at % COLUMNS) * (3 * tile + gap), (at / COLUMNS) * (tile + gap));
        let faces = [(&failure.query, GREY), (&failure.found, RED), (&failure.own, GREEN)];
        for (column, (seen, frame)) in (0u32..).zip(faces) {
            let framed = framed(seen, frame)?;
            imageops::replace(&mut sheet, &framed, i64::from(left + column * tile), i64::from(top));
        }
    }
    sheet.save(path).map_err(|source| EvalError::Sheet { path: path.to_owned(), source })
}

fn framed(seen: &Seen, frame: Rgb<u8>) -> Result<RgbImage, EvalError> {
    let photo = Photo::open(&seen.path, &DecodeLimits::default())
        .map_err(|source| EvalError::Photo { path: seen.path.clone(), source })?;
    let face = resize(photo.pixels(), square_around(&photo, &seen.face), SIDE, SIDE)?;
    let mut framed = RgbImage::from_pixel(SIDE + 2 * FRAME, SIDE + 2 * FRAME, frame);
    imageops::replace(&mut framed, &face, i64::from(FRAME), i64::from(FRAME));
    Ok(framed)
}
