//! The web-sized picture of a photo.

use jpeg_rusturbo::JpegEncoder;

use super::GalleryError;
use crate::geometry::{Point, Rect};
use crate::photo::Photo;
use crate::pipeline::Face;
use crate::resample::{Region, resize};

/// Pixels of a portrait's side; a smaller photo stays as it is.
const SIDE: u32 = 320;
/// JPEG quality: no visible loss at this size.
const QUALITY: u8 = 85;
/// How many times the height of the face a portrait is high.
const FACES_HIGH: f32 = 3.0;

pub(super) struct Portrait {
    pub(super) jpeg: Vec<u8>,
    /// Left and right eye as seen, in its pixels.
    pub(super) eyes: [Point; 2],
}

/// A square JPEG around the face, at most [`SIDE`] pixels wide.
pub(super) fn portrait(photo: &Photo, face: &Face) -> Result<Portrait, GalleryError> {
    let failed = |error: &dyn std::fmt::Display| GalleryError::Portrait(error.to_string());
    let region = square_around(photo, &face.bounds);
    let side = region.width.min(SIDE);
    let small = resize(photo.pixels(), region, side, side).map_err(|error| failed(&error))?;
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode_rgb(&small, side, side)
        .map_err(|error| failed(&error))?;
    let scale = side as f32 / region.width as f32;
    let [left, right, ..] = face.landmarks;
    let eyes = [left, right].map(|eye| {
        Point::new((eye.x - region.x as f32) * scale, (eye.y - region.y as f32) * scale)
    });
    Ok(Portrait { jpeg, eyes })
}

/// The square around the face's middle, moved and shrunk so that it lies in the photo.
pub(crate) fn square_around(photo: &Photo, face: &Rect) -> Region {
    let side = ((face.height * FACES_HIGH) as u32).clamp(1, photo.width().min(photo.height()));
    let center = face.center();
    let start = |center: f32, length: u32| {
        ((center - side as f32 / 2.0).round().max(0.0) as u32).min(length - side)
    };
    Region {
        x: start(center.x, photo.width()),
        y: start(center.y, photo.height()),
        width: side,
        height: side,
    }
}

#[cfg(test)]
mod tests {
    use image::RgbImage;

    use super::*;
    use crate::quality::Quality;

    fn square(width: u32, height: u32, face: Rect) -> [u32; 4] {
        let photo = Photo::from_pixels(RgbImage::new(width, height));
        let Region { x, y, width, height } = square_around(&photo, &face);
        [x, y, width, height]
    }

    #[test]
    fn a_large_photo_is_cropped_around_the_face() {
        let face = Rect { x: 1000.0, y: 500.0, width: 80.0, height: 100.0 };
        assert_eq!(square(4000, 3000, face), [890, 400, 300, 300]);
    }

    #[test]
    fn the_square_stays_in_the_photo() {
        let corner = Rect { x: -20.0, y: 0.0, width: 80.0, height: 100.0 };
        assert_eq!(square(4000, 3000, corner), [0, 0, 300, 300]);
        let far = Rect { x: 3990.0, y: 2990.0, width: 80.0, height: 100.0 };
        assert_eq!(square(4000, 3000, far), [3700, 2700, 300, 300]);
        let huge = Rect { x: 0.0, y: 0.0, width: 300.0, height: 400.0 };
        assert_eq!(square(300, 400, huge), [0, 50, 300, 300]);
        let point = Rect { x: 5.0, y: 5.0, width: 0.0, height: 0.0 };
        assert_eq!(square(300, 400, point), [5, 5, 1, 1]);
    }

    #[test]
    fn it_is_a_small_jpeg_and_never_enlarged() {
        let bounds = Rect { x: 300.0, y: 300.0, width: 200.0, height: 250.0 };
        let landmarks = [360.0, 440.0, 400.0, 370.0, 430.0].map(|x| Point::new(x, 400.0));
        let quality = Quality { height: 250.0, sharpness: 0.1, turn: 0.0, flaw: None };
        let face = Face { bounds, score: 1.0, landmarks, quality };
        for (width, height, expected) in [(1600, 1200, 320), (200, 150, 150)] {
            let photo = Photo::from_pixels(RgbImage::new(width, height));
            let Portrait { jpeg, eyes } = portrait(&photo, &face).unwrap();
            if width == 1600 {
                // 750 pixels from (25, 50) on have become 320.
                let scale = 320.0 / 750.0;
                let expected = [335.0, 415.0].map(|x| Point::new(x * scale, 350.0 * scale));
                assert_eq!(eyes, expected);
            }
            let decoded = Photo::decode(&jpeg, &crate::DecodeLimits::default()).unwrap();
            assert_eq!((decoded.width(), decoded.height()), (expected, expected));
        }
    }
}
