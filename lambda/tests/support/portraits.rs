//! Photos to show the page, made from the demo portraits.

use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{DynamicImage, Rgb, RgbImage};

const WALL: Rgb<u8> = Rgb([176, 184, 192]);

pub(crate) fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in a folder").to_owned()
}

/// Somebody of the demo gallery.
pub(crate) struct Sitter {
    pub(crate) name: &'static str,
    file: &'static str,
}

pub(crate) const AARON: Sitter = Sitter { name: "Aaron Scott", file: "Aaron_Scott.png" };
pub(crate) const ADAMA: Sitter = Sitter { name: "Adama Sanogo", file: "Adama_Sanogo.png" };

impl Sitter {
    /// The portrait's file as the gallery was made from it.
    pub(crate) fn file(&self) -> PathBuf {
        let file = workspace_root().join("assets/gallery").join(self.file);
        assert!(file.exists(), "{} is missing; embed/assets/fetch brings it", file.display());
        file
    }

    /// The portrait before a grey wall, enlarged to a height of `height` pixels.
    pub(crate) fn portrait(&self, height: u32) -> RgbImage {
        let portrait = image::open(self.file()).expect("open a demo portrait").into_rgba8();
        let width = portrait.width() * height / portrait.height();
        let portrait = imageops::resize(&portrait, width, height, FilterType::CatmullRom);
        let mut canvas = DynamicImage::from(wall(width, height)).into_rgba8();
        imageops::overlay(&mut canvas, &portrait, 0, 0);
        DynamicImage::from(canvas).into_rgb8()
    }

    /// The portrait turned by `angle`, clockwise in radians, before a grey wall of its size.
    pub(crate) fn tilted(&self, height: u32, angle: f32) -> RgbImage {
        let portrait = self.portrait(height);
        let (sin, cos) = angle.sin_cos();
        let (middle_x, middle_y) = (portrait.width() as f32 / 2.0, height as f32 / 2.0);
        RgbImage::from_fn(portrait.width(), height, |x, y| {
            let (x, y) = (x as f32 - middle_x, y as f32 - middle_y);
            let (x, y) = (middle_x + x * cos + y * sin, middle_y - x * sin + y * cos);
            let inside = x >= 0.0 && y >= 0.0;
            let pixel = inside.then(|| portrait.get_pixel_checked(x as u32, y as u32)).flatten();
            pixel.copied().unwrap_or(WALL)
        })
    }
}

/// A photo of two people, each before a half of the wall.
pub(crate) fn side_by_side(left: &Sitter, right: &Sitter, height: u32) -> RgbImage {
    let (left, right) = (left.portrait(height), right.portrait(height));
    let mut photo = wall(left.width() + right.width(), height);
    imageops::overlay(&mut photo, &left, 0, 0);
    imageops::overlay(&mut photo, &right, i64::from(left.width()), 0);
    photo
}

/// A grey picture with nobody in it.
pub(crate) fn wall(width: u32, height: u32) -> RgbImage {
    RgbImage::from_pixel(width, height, WALL)
}

pub(crate) fn jpeg(photo: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 92).encode_image(photo).expect("encode a JPEG");
    bytes
}

/// A JPEG as a phone held upright writes it: the pixels lie on their side, and the EXIF
/// orientation 6 says so.
pub(crate) fn phone_jpeg(upright: &RgbImage) -> Vec<u8> {
    const ORIENTATION_6: &[u8] = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\
        \x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let mut bytes = jpeg(&imageops::rotate270(upright));
    bytes.splice(2..2, ORIENTATION_6.iter().copied());
    bytes
}
