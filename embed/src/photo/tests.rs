use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ExtendedColorType, ImageEncoder, Rgb, Rgba, RgbaImage};
use proptest::prelude::*;

use super::*;

fn decode(bytes: &[u8]) -> Result<Photo, PhotoError> {
    Photo::decode(bytes, &DecodeLimits::default())
}

fn encode(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

/// A picture with detail everywhere, so that a lost part shows.
fn texture() -> RgbImage {
    RgbImage::from_fn(160, 120, |x, y| {
        Rgb([((x * 7) ^ (y * 13)) as u8, (x * y) as u8, (x + y) as u8])
    })
}

#[test]
fn reads_each_format() {
    let picture = DynamicImage::ImageRgb8(texture());
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let photo = decode(&encode(&picture, format)).unwrap();
        assert_eq!(photo.pixels(), &texture(), "{format:?} is lossless");
    }
    let photo = decode(&encode(&picture, ImageFormat::Jpeg)).unwrap();
    assert_eq!((photo.width(), photo.height()), (160, 120));
}

#[test]
fn reads_grey_and_16_bit() {
    let grey = image::GrayImage::from_fn(8, 8, |x, _| image::Luma([x as u8 * 30]));
    let photo = decode(&encode(&DynamicImage::ImageLuma8(grey.clone()), ImageFormat::Png)).unwrap();
    assert_eq!(photo.pixels().get_pixel(7, 0), &Rgb([210, 210, 210]));
    let photo = decode(&encode(&DynamicImage::ImageLuma8(grey), ImageFormat::Jpeg)).unwrap();
    assert!(photo.pixels().get_pixel(7, 0).0.iter().all(|&value| value.abs_diff(210) < 12));

    let deep = image::ImageBuffer::from_pixel(4, 4, Rgb([0xFFFFu16, 0x8080, 0]));
    let photo = decode(&encode(&DynamicImage::ImageRgb16(deep), ImageFormat::Png)).unwrap();
    assert_eq!(photo.pixels().get_pixel(0, 0), &Rgb([255, 128, 0]));
}

#[test]
fn transparent_parts_are_light_grey() {
    let mut picture = RgbaImage::from_pixel(3, 1, Rgba([200, 100, 0, 255]));
    picture.put_pixel(1, 0, Rgba([0, 0, 0, 0]));
    picture.put_pixel(2, 0, Rgba([0, 0, 0, 128]));
    let photo = decode(&encode(&DynamicImage::ImageRgba8(picture), ImageFormat::Png)).unwrap();
    assert_eq!(photo.pixels().get_pixel(0, 0), &Rgb([200, 100, 0]));
    assert_eq!(photo.pixels().get_pixel(1, 0), &Rgb([224, 224, 224]));
    assert_eq!(photo.pixels().get_pixel(2, 0), &Rgb([112, 112, 112]));
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    let mut bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x4e\x20\0\0\x4e\x20\x08\x02\0\0\0".to_vec();
    let checksum = png_crc(&bomb[12..]);
    bomb.extend(checksum.to_be_bytes());
    bomb.extend(b"\0\0\0\x00IDAT\x35\xaf\x06\x1e");
    let error = decode(&bomb).unwrap_err();
    assert!(
        matches!(error, PhotoError::TooManyPixels { width: 20_000, height: 20_000, .. }),
        "{error}"
    );
}

/// CRC-32 as PNG wants it, bit by bit.
fn png_crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

#[test]
fn too_many_bytes_are_refused_unread() {
    let limits = DecodeLimits { max_bytes: 100, ..DecodeLimits::default() };
    let error = Photo::decode(&[0xFF; 101], &limits).unwrap_err();
    assert!(matches!(error, PhotoError::TooManyBytes { bytes: 101, limit: 100 }), "{error}");

    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(12_000_000).unwrap();
    let error = Photo::open(file.path(), &DecodeLimits::default()).unwrap_err();
    assert!(matches!(error, PhotoError::TooManyBytes { bytes: 12_000_000, .. }), "{error}");
}

#[test]
fn what_is_no_photo_says_so() {
    assert!(matches!(decode(b""), Err(PhotoError::NotAnImage)));
    assert!(matches!(decode(b"Dear sir or madam"), Err(PhotoError::NotAnImage)));
    for (bytes, name) in
        [(&b"GIF89a\x01\0\x01\0"[..], "Gif"), (b"BM\0\0\0\0", "Bmp"), (b"II*\0", "Tiff")]
    {
        match decode(bytes) {
            Err(PhotoError::UnsupportedFormat { format }) => assert_eq!(format, name),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn a_cut_off_photo_is_refused_wherever_it_is_cut() {
    let picture = DynamicImage::ImageRgb8(texture());
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let whole = encode(&picture, format);
        for percent in [30, 60, 90, 99] {
            let cut = &whole[..whole.len() * percent / 100];
            let error = decode(cut).unwrap_err();
            assert!(
                matches!(error, PhotoError::Truncated | PhotoError::Broken { .. }),
                "{format:?} cut to {percent} %: {error}"
            );
        }
    }
}

#[test]
fn a_thumbnail_does_not_hide_that_a_jpeg_is_cut_off() {
    let thumbnail = encode(&DynamicImage::ImageRgb8(texture()), ImageFormat::Jpeg);
    let mut whole = Vec::new();
    let mut encoder = JpegEncoder::new(&mut whole);
    encoder.set_exif_metadata(thumbnail).unwrap();
    encoder.write_image(&texture(), 160, 120, ExtendedColorType::Rgb8).unwrap();
    assert!(decode(&whole).is_ok());
    assert!(matches!(decode(&whole[..whole.len() - 400]), Err(PhotoError::Truncated)));
}

proptest! {
    /// Whatever the bytes, there is an answer and no panic.
    #[test]
    fn damaged_photos_never_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        format in prop::sample::select(vec![ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP]),
    ) {
        let mut bytes = encode(&DynamicImage::ImageRgb8(texture()), format);
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let _ = decode(&bytes);
    }
}
