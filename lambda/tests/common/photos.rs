//! Photos, and things that pretend to be photos.

use std::io::Cursor;

use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// The smallest GIF: an image, but of a kind that is not taken.
pub(crate) const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff\
    !\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

pub(crate) fn jpeg(photo: &DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    photo.to_rgb8().write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

/// The photo blown up to about 12 megapixels, as a phone takes them.
pub(crate) fn phone_sized(photo: &DynamicImage) -> Vec<u8> {
    jpeg(&photo.resize(4000, 3000, FilterType::Nearest))
}

/// A whole and valid PNG of 20,000 x 20,000 black pixels in some hundred kilobytes.
pub(crate) fn png_bomb() -> Vec<u8> {
    const SIDE: u32 = 20_000;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIDE, SIDE);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header().unwrap();
    let mut rows = writer.stream_writer().unwrap();
    let row = vec![0; SIDE as usize];
    for _ in 0..SIDE {
        std::io::Write::write_all(&mut rows, &row).unwrap();
    }
    rows.finish().unwrap();
    writer.finish().unwrap();
    bytes
}

/// Two photos in one, the right one twice as large.
pub(crate) fn side_by_side(small: &[u8], large: &[u8]) -> Vec<u8> {
    const SIDE: u32 = 400;
    let [small, large] = [(small, SIDE), (large, 2 * SIDE)].map(|(bytes, side)| {
        image::load_from_memory(bytes).unwrap().resize(side, side, FilterType::Triangle)
    });
    let mut both = RgbImage::from_pixel(3 * SIDE, 2 * SIDE, Rgb([255; 3]));
    imageops::overlay(&mut both, &small.to_rgb8(), 0, 0);
    imageops::overlay(&mut both, &large.to_rgb8(), i64::from(SIDE), 0);
    jpeg(&both.into())
}
