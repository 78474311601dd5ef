//! What the integration tests share: the assets, and data that is not in the repository.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub(crate) mod photos;

use std::io::Write;
use std::path::{Path, PathBuf};

use embed::{Assets, Pipeline};
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder, RgbImage};

pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The downloaded assets; a test without them fails.
pub(crate) fn assets() -> PathBuf {
    let assets = workspace().join("assets");
    assert!(
        assets.join("models").is_dir(),
        "{} is not filled: run `make assets`",
        assets.display()
    );
    assets
}

pub(crate) fn pipeline() -> Pipeline {
    Pipeline::load(&Assets::new(assets()), "default").unwrap()
}

/// A folder of photos beside the repository. Where it is absent the test is skipped,
/// loudly; on CI it must be there.
pub(crate) fn shared_data(name: &str) -> Option<PathBuf> {
    let path = workspace().parent().unwrap().join("shared/data").join(name);
    if path.is_dir() {
        return Some(path);
    }
    assert!(std::env::var("CI").is_err(), "{} is missing on CI", path.display());
    // Straight to the terminal: what a passing test prints in other ways is not shown.
    let _ = writeln!(std::io::stderr(), "SKIPPED, not passed: {} is missing", path.display());
    None
}

/// A JPEG of the pixels as they are, whose EXIF data say how to turn them (1 to 8).
pub(crate) fn jpeg_with_orientation(pixels: &RgbImage, orientation: u8, quality: u8) -> Vec<u8> {
    // A TIFF header, and a directory of one entry: tag 0x0112, one SHORT.
    let exif = [
        b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(),
        &[orientation, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, quality);
    encoder.set_exif_metadata(exif).unwrap();
    let (width, height) = pixels.dimensions();
    encoder.write_image(pixels, width, height, ExtendedColorType::Rgb8).unwrap();
    jpeg
}
