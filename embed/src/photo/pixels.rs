//! What a decoder gives, to upright 8-bit RGB, in the memory that it lies in.

use std::io;

use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageError, RgbImage, imageops};

use super::PhotoError;

/// A transparent background has no colour of its own (often black underneath), so it is laid
/// over a light grey, as a web page would show it.
const BACKGROUND: u32 = 224;

/// Bytes of memory that each pixel of this colour takes at most, from decoding, for which the decoder
/// holds some more `beside` it, to upright RGB.
pub(super) fn memory_per_pixel(colour: ColorType, beside: f64, orientation: Orientation) -> f64 {
    let decoded = f64::from(colour.bytes_per_pixel()) + beside;
    let upright = if lies(orientation) { 4.0 } else { 3.0 };
    decoded.max(upright)
}

/// Decodes the pixels and turns them upright.
pub(super) fn read(
    decoder: impl ImageDecoder,
    orientation: Orientation,
) -> Result<RgbImage, PhotoError> {
    let (width, height) = decoder.dimensions();
    let colour = decoder.color_type();
    let count = width as usize * height as usize;
    let stride = usize::from(colour.bytes_per_pixel());
    let mut bytes = vec![0; count * stride];
    decoder.read_image(&mut bytes)?;
    bytes.resize(count * stride.max(3), 0);
    match colour {
        ColorType::Rgb8 => {}
        ColorType::L8 => to_rgb(&mut bytes, |[grey]: [u8; 1]| [grey; 3]),
        ColorType::La8 => to_rgb(&mut bytes, |[grey, alpha]: [u8; 2]| laid_over([grey; 3], alpha)),
        ColorType::Rgba8 => {
            to_rgb(&mut bytes, |[r, g, b, alpha]: [u8; 4]| laid_over([r, g, b], alpha))
        }
        ColorType::L16 => to_rgb(&mut bytes, |grey: [u8; 2]| [narrow(grey); 3]),
        ColorType::La16 => to_rgb(&mut bytes, |[g0, g1, a0, a1]: [u8; 4]| {
            laid_over([narrow([g0, g1]); 3], narrow([a0, a1]))
        }),
        ColorType::Rgb16 => to_rgb(&mut bytes, |[r0, r1, g0, g1, b0, b1]: [u8; 6]| {
            [narrow([r0, r1]), narrow([g0, g1]), narrow([b0, b1])]
        }),
        ColorType::Rgba16 => to_rgb(&mut bytes, |[r0, r1, g0, g1, b0, b1, a0, a1]: [u8; 8]| {
            let rgb = [narrow([r0, r1]), narrow([g0, g1]), narrow([b0, b1])];
            laid_over(rgb, narrow([a0, a1]))
        }),
        other => return Err(PhotoError::Broken { detail: format!("its colours are {other:?}") }),
    }
    bytes.truncate(3 * count);
    let picture = RgbImage::from_raw(width, height, bytes).ok_or_else(|| {
        ImageError::IoError(io::Error::other("fewer pixels than its header says"))
    })?;
    Ok(upright(picture, orientation))
}

/// Each pixel of `N` bytes to three, in one buffer that has room for both: backwards where
/// pixels grow and forwards where they shrink, so that none is overwritten before it is read.
fn to_rgb<const N: usize>(bytes: &mut [u8], convert: impl Fn([u8; N]) -> [u8; 3]) {
    let count = bytes.len() / N.max(3);
    let mut one = |pixel: usize| {
        let mut from = [0; N];
        from.copy_from_slice(&bytes[N * pixel..N * (pixel + 1)]);
        bytes[3 * pixel..3 * (pixel + 1)].copy_from_slice(&convert(from));
    };
    if N < 3 { (0..count).rev().for_each(&mut one) } else { (0..count).for_each(&mut one) }
}

/// 16 bits to 8, rounded.
fn narrow(value: [u8; 2]) -> u8 {
    ((u32::from(u16::from_ne_bytes(value)) + 128) / 257) as u8
}

fn laid_over(colour: [u8; 3], alpha: u8) -> [u8; 3] {
    let alpha = u32::from(alpha);
    colour.map(|value| ((u32::from(value) * alpha + BACKGROUND * (255 - alpha) + 127) / 255) as u8)
}

/// Whether width and height are exchanged.
fn lies(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

fn upright(mut picture: RgbImage, orientation: Orientation) -> RgbImage {
    match orientation {
        Orientation::NoTransforms => {}
        Orientation::Rotate180 => imageops::rotate180_in_place(&mut picture),
        Orientation::FlipHorizontal => imageops::flip_horizontal_in_place(&mut picture),
        Orientation::FlipVertical => imageops::flip_vertical_in_place(&mut picture),
        Orientation::Rotate90FlipH => return transposed(picture),
        Orientation::Rotate90 => {
            picture = transposed(picture);
            imageops::flip_horizontal_in_place(&mut picture);
        }
        Orientation::Rotate270 => {
            picture = transposed(picture);
            imageops::flip_vertical_in_place(&mut picture);
        }
        Orientation::Rotate270FlipH => {
            picture = transposed(picture);
            imageops::rotate180_in_place(&mut picture);
        }
    }
    picture
}

/// Rows to columns, a colour at a time, so that only a third more memory is needed.
fn transposed(picture: RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    let (columns, rows) = (width as usize, height as usize);
    let mut bytes = picture.into_raw();
    let mut plane = Vec::with_capacity(columns * rows);
    for colour in 0..3 {
        plane.clear();
        plane.extend(bytes.iter().skip(colour).step_by(3));
        let column_by_column =
            (0..columns).flat_map(|x| plane.iter().skip(x).step_by(columns).take(rows));
        let places = bytes.iter_mut().skip(colour).step_by(3);
        places.zip(column_by_column).for_each(|(place, &value)| *place = value);
    }
    RgbImage::from_raw(height, width, bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::codecs::png::{PngDecoder, PngEncoder};
    use image::{DynamicImage, ImageEncoder};
    use proptest::prelude::*;

    use super::*;

    const COLOURS: [ColorType; 8] = [
        ColorType::L8,
        ColorType::La8,
        ColorType::Rgb8,
        ColorType::Rgba8,
        ColorType::L16,
        ColorType::La16,
        ColorType::Rgb16,
        ColorType::Rgba16,
    ];

    fn png(width: u32, height: u32, colour: ColorType, random: &[u8]) -> Vec<u8> {
        let length = width as usize * height as usize * usize::from(colour.bytes_per_pixel());
        let values: Vec<u8> = random.iter().copied().cycle().take(length).collect();
        let mut bytes = Vec::new();
        let encoder = PngEncoder::new(&mut bytes);
        encoder.write_image(&values, width, height, colour.into()).unwrap();
        bytes
    }

    fn decoder(bytes: &[u8]) -> PngDecoder<Cursor<&[u8]>> {
        PngDecoder::new(Cursor::new(bytes)).unwrap()
    }

    /// The same by the `image` crate, in memory of its own.
    fn as_image_does(bytes: &[u8], orientation: Orientation) -> RgbImage {
        let mut picture = DynamicImage::from_decoder(decoder(bytes)).unwrap();
        picture.apply_orientation(orientation);
        let mut flat = RgbImage::new(picture.width(), picture.height());
        for (to, from) in flat.pixels_mut().zip(picture.into_rgba8().pixels()) {
            let [red, green, blue, alpha] = from.0;
            to.0 = laid_over([red, green, blue], alpha);
        }
        flat
    }

    proptest! {
        #[test]
        fn every_colour_and_orientation_as_the_image_crate_has_them(
            (width, height) in (1..9u32, 1..9u32),
            colour in prop::sample::select(&COLOURS),
            exif in 1..=8u8,
            random in prop::collection::vec(any::<u8>(), 61),
        ) {
            let bytes = png(width, height, colour, &random);
            let orientation = Orientation::from_exif(exif).unwrap();
            let read = read(decoder(&bytes), orientation).unwrap();
            prop_assert_eq!(read, as_image_does(&bytes, orientation));
        }
    }

    #[test]
    fn opaque_stays_and_transparent_is_the_background() {
        assert_eq!(laid_over([10, 20, 250], 255), [10, 20, 250]);
        assert_eq!(laid_over([10, 20, 250], 0), [224; 3]);
        assert_eq!(narrow(u16::MAX.to_ne_bytes()), 255);
    }
}
