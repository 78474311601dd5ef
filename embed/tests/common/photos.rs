//! A picture in every kind of file that is read.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::{DynamicImage, ImageFormat, RgbImage, RgbaImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::jpeg_with_orientation;

/// The picture in each kind of file, named.
pub(crate) fn all_kinds(picture: &RgbImage) -> Vec<(&'static str, Vec<u8>)> {
    let whole = DynamicImage::ImageRgb8(picture.clone());
    let opaque = DynamicImage::ImageRgba8(whole.to_rgba8());
    let png = |picture: DynamicImage| encode(&picture, ImageFormat::Png);
    vec![
        ("JPEG", jpeg(picture, ColorType::Rgb, false)),
        ("progressive JPEG", jpeg(picture, ColorType::Rgb, true)),
        ("grey JPEG", jpeg(picture, ColorType::Luma, false)),
        ("CMYK JPEG of Adobe, inverted", jpeg(picture, ColorType::Cmyk, false)),
        ("YCCK JPEG of Adobe, inverted", jpeg(picture, ColorType::CmykAsYcck, false)),
        ("progressive CMYK JPEG", jpeg(picture, ColorType::Cmyk, true)),
        ("JPEG lying on its side", jpeg_with_orientation(&rotated(picture), 6, 85)),
        ("PNG", png(whole.clone())),
        ("grey PNG", png(whole.to_luma8().into())),
        ("PNG of 16 bits", png(whole.to_rgb16().into())),
        ("PNG of 16 bits with alpha", png(whole.to_rgba16().into())),
        ("grey PNG of 16 bits with alpha", png(whole.to_luma_alpha16().into())),
        ("PNG with alpha", png(opaque.clone())),
        ("WebP without loss", encode(&whole, ImageFormat::WebP)),
        ("WebP without loss, with alpha", encode(&opaque, ImageFormat::WebP)),
        ("WebP", lossy_webp(picture)),
    ]
}

/// As it is stored where EXIF says to turn it clockwise.
fn rotated(picture: &RgbImage) -> RgbImage {
    image::imageops::rotate270(picture)
}

pub(crate) fn encode(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

pub(crate) fn lossy_webp(picture: &RgbImage) -> Vec<u8> {
    webp::Encoder::from_rgb(picture, picture.width(), picture.height()).encode(85.0).to_vec()
}

/// A JPEG by another encoder than the one that portraits are written with.
pub(crate) fn jpeg(picture: &RgbImage, colour: ColorType, progressive: bool) -> Vec<u8> {
    let samples: Vec<u8> = match colour {
        ColorType::Luma => DynamicImage::ImageRgb8(picture.clone()).into_luma8().into_raw(),
        ColorType::Cmyk | ColorType::CmykAsYcck => {
            picture.pixels().flat_map(|pixel| inks(pixel.0)).collect()
        }
        _ => picture.as_raw().clone(),
    };
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 85);
    encoder.set_progressive(progressive);
    // Inks are kept at one resolution, as Photoshop and libjpeg keep them.
    if matches!(colour, ColorType::Cmyk | ColorType::CmykAsYcck) {
        encoder.set_sampling_factor(SamplingFactor::F_1_1);
    }
    let (width, height) = (picture.width() as u16, picture.height() as u16);
    encoder.encode(&samples, width, height, colour).unwrap();
    bytes
}

/// How much of cyan, magenta, yellow and black, from none to 255, prints a colour: each ink
/// lets a share of the light through.
fn inks(colour: [u8; 3]) -> [u8; 4] {
    let light = u32::from(colour.into_iter().max().unwrap()).max(1);
    let [cyan, magenta, yellow] = colour.map(|value| (255 - u32::from(value) * 255 / light) as u8);
    [cyan, magenta, yellow, (255 - light) as u8]
}

/// A picture of one colour with as many pixels as are asked for.
pub(crate) fn flat(width: u32, height: u32) -> RgbImage {
    RgbImage::from_pixel(width, height, image::Rgb([180, 140, 120]))
}

/// A transparent frame around the middle of a picture, black underneath.
pub(crate) fn cut_out(picture: &RgbImage) -> RgbaImage {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    RgbaImage::from_fn(picture.width(), picture.height(), |x, y| {
        let (across, down) = (x as f32 / width - 0.5, y as f32 / height - 0.5);
        let [red, green, blue] = picture.get_pixel(x, y).0;
        let inside = across.hypot(down) < 0.5;
        image::Rgba(if inside { [red, green, blue, 255] } else { [0; 4] })
    })
}

/// A PNG with a chunk behind its header, whose checksum is right.
pub(crate) fn with_png_chunk(png: &[u8], kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    const HEADER_ENDS: usize = 33;
    let mut chunk = [&kind[..], content].concat();
    let mut checksum = flate2::Crc::new();
    checksum.update(&chunk);
    chunk.extend(checksum.sum().to_be_bytes());
    let length = (content.len() as u32).to_be_bytes();
    [&png[..HEADER_ENDS], &length, &chunk, &png[HEADER_ENDS..]].concat()
}

/// Many zeros in few bytes.
pub(crate) fn deflated_zeros(length: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![0; 1 << 20];
    for _ in 0..length.div_ceil(zeros.len()) {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.finish().unwrap()
}
