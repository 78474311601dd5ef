//! Whether a face shows enough to be told from others.

use std::fmt;

use image::RgbImage;
use serde::Serialize;

use crate::align::align;
use crate::geometry::{Point, Rect};
use crate::pipeline::PipelineError;
use crate::tensor::luma;

/// What was measured of a face, and what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quality {
    /// Height of the face's box, in pixels of the photo.
    pub height: f32,
    /// Variance of the Laplacian over the aligned face, divided by the variance of its
    /// brightness: 0.02 to 0.3 in photos that are in focus, less where fine detail is missing.
    pub sharpness: f32,
    /// How far the tip of the nose lies beside the middle of eyes and mouth, in distances
    /// between the eyes: 0 in a face seen from the front, about 0.5 where one eye hardly shows.
    pub turn: f32,
    /// Why the face is of little use; the first of several reasons.
    pub flaw: Option<Flaw>,
}

/// Why a face is of little use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// Fewer pixels than tell people apart.
    TooSmall,
    /// No fine detail: out of focus, moved, or enlarged from a small picture.
    Blurred,
    /// Turned so far to a side that half of it is hidden.
    Turned,
}

/// Measured with the default networks on `celeba-small/in_the_wild_crops`, by how often a
/// face's cosine with the mean of the same person's other photos falls below 0.3, which it does
/// in 3 % of all. Of faces shrunk to a height of 32, 24, 20 and 16 pixels: 4, 15, 40 and 78 %.
const LEAST_HEIGHT: f32 = 24.0;
/// Likewise, of faces blurred by a Gaussian of 1.5, 2 and 3 % of their height: 4, 6 and 54 %;
/// their median sharpness is 0.0065, 0.0034 and 0.0016.
const LEAST_SHARPNESS: f32 = 0.0025;
/// Likewise, of faces turned by less than 0.2, from 0.4 to 0.5, and more: 2, 6 and 11 %.
const MOST_TURN: f32 = 0.5;

/// Where the eyes, the nose and the mouth lie while sharpness and turn are measured: ArcFace's
/// template, in a square of this side.
const SIDE: u32 = 112;
const TEMPLATE: [Point; 5] = [
    Point::new(38.2946, 51.6963),
    Point::new(73.5318, 51.5014),
    Point::new(56.0252, 71.7366),
    Point::new(41.5493, 92.3655),
    Point::new(70.7299, 92.2041),
];

impl Quality {
    /// Measures a face whose points lie at `landmarks`.
    pub(crate) fn measure(
        photo: &RgbImage,
        bounds: &Rect,
        landmarks: &[Point; 5],
    ) -> Result<Self, PipelineError> {
        let sharpness = match align(photo, landmarks, &TEMPLATE, (SIDE, SIDE)) {
            Ok(aligned) => sharpness(&aligned),
            // It cannot be embedded either: nothing to be seen in it.
            Err(PipelineError::NoSuchFace) => 0.0,
            Err(error) => return Err(error),
        };
        let mut quality =
            Self { height: bounds.height, sharpness, turn: turn(landmarks), flaw: None };
        quality.flaw = quality.first_flaw();
        Ok(quality)
    }

    fn first_flaw(&self) -> Option<Flaw> {
        // Each asks for what is good, so that a figure that is not a number is a flaw.
        let good = [
            (self.height >= LEAST_HEIGHT, Flaw::TooSmall),
            (self.sharpness >= LEAST_SHARPNESS, Flaw::Blurred),
            (self.turn <= MOST_TURN, Flaw::Turned),
        ];
        good.into_iter().find(|(is_good, _)| !is_good).map(|(_, flaw)| flaw)
    }

    /// What is wrong, in words and with the figure; `None` where nothing is.
    pub fn reason(&self) -> Option<String> {
        let reason = match self.flaw? {
            Flaw::TooSmall => {
                format!("{:.0} pixels high, at least {LEAST_HEIGHT} are needed", self.height)
            }
            Flaw::Blurred => {
                format!("sharpness {:.4}, at least {LEAST_SHARPNESS} is needed", self.sharpness)
            }
            Flaw::Turned => format!("turn {:.2}, at most {MOST_TURN} is allowed", self.turn),
        };
        Some(format!("the face is {}: {reason}", self.flaw?))
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TooSmall => "too small",
            Self::Blurred => "too blurred",
            Self::Turned => "turned too far",
        })
    }
}

/// Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000: the
/// variance of the Laplacian; divided by that of the brightness, so that contrast does not count.
fn sharpness(aligned: &RgbImage) -> f32 {
    let brightness = |x: u32, y: u32| luma(aligned.get_pixel(x, y).0);
    // Without the edges, where there is background, or nothing beyond the photo.
    let inside = (16..SIDE - 4).flat_map(|y| (12..SIDE - 12).map(move |x| (x, y)));
    let (mut detail, mut contrast) = (Spread::default(), Spread::default());
    for (x, y) in inside {
        let center = brightness(x, y);
        let around = brightness(x - 1, y)
            + brightness(x + 1, y)
            + brightness(x, y - 1)
            + brightness(x, y + 1);
        detail.add(around - 4.0 * center);
        contrast.add(center);
    }
    // A plain surface is not sharp.
    if contrast.variance() < 1.0 { 0.0 } else { (detail.variance() / contrast.variance()) as f32 }
}

#[derive(Default)]
struct Spread {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Spread {
    fn add(&mut self, value: f32) {
        let value = f64::from(value);
        self.count += 1.0;
        self.sum += value;
        self.squares += value * value;
    }

    fn variance(&self) -> f64 {
        let mean = self.sum / self.count;
        self.squares / self.count - mean * mean
    }
}

fn turn(&[left_eye, right_eye, nose, mouth_left, mouth_right]: &[Point; 5]) -> f32 {
    let four = [left_eye, right_eye, mouth_left, mouth_right];
    let middle_x = four.iter().map(|point| point.x).sum::<f32>() / 4.0;
    let middle_y = four.iter().map(|point| point.y).sum::<f32>() / 4.0;
    let (across_x, across_y) = (right_eye.x - left_eye.x, right_eye.y - left_eye.y);
    let beside = (nose.x - middle_x) * across_x + (nose.y - middle_y) * across_y;
    (beside / (across_x * across_x + across_y * across_y)).abs()
}

#[cfg(test)]
mod tests {
    use image::{Rgb, imageops};

    use super::*;

    const BOUNDS: Rect = Rect { x: 20.0, y: 20.0, width: 80.0, height: 90.0 };

    /// Spots of 4x4 pixels, at random.
    fn spots() -> RgbImage {
        RgbImage::from_fn(SIDE, SIDE, |x, y| {
            let mixed = (x / 4 + 31 * (y / 4)).wrapping_mul(0x9E37_79B9).to_be_bytes();
            Rgb([mixed[0]; 3])
        })
    }

    fn measured(photo: &RgbImage, bounds: &Rect, landmarks: &[Point; 5]) -> Quality {
        Quality::measure(photo, bounds, landmarks).unwrap()
    }

    #[test]
    fn a_sharp_face_from_the_front_has_no_flaw() {
        let quality = measured(&spots(), &BOUNDS, &TEMPLATE);
        assert_eq!((quality.flaw, quality.reason()), (None, None), "{quality:?}");
        assert!(quality.turn < 0.05 && quality.sharpness > 0.02, "{quality:?}");
    }

    #[test]
    fn small_blurred_and_turned_are_told_with_their_figures() {
        let small = measured(&spots(), &Rect { height: 19.6, ..BOUNDS }, &TEMPLATE);
        assert_eq!(small.flaw, Some(Flaw::TooSmall));
        let reason = small.reason().unwrap();
        assert_eq!(reason, "the face is too small: 20 pixels high, at least 24 are needed");

        // The light falls from one side, which stays where the spots are blurred away.
        let lit = RgbImage::from_fn(SIDE, SIDE, |x, y| {
            spots().get_pixel(x, y).0.map(|v| v / 4 + (x * 3 / 2) as u8).into()
        });
        assert_eq!(measured(&lit, &BOUNDS, &TEMPLATE).flaw, None);
        let blurred = measured(&imageops::blur(&lit, 6.0), &BOUNDS, &TEMPLATE);
        assert_eq!(blurred.flaw, Some(Flaw::Blurred), "{blurred:?}");
        let mut plain = measured(&RgbImage::new(SIDE, SIDE), &BOUNDS, &TEMPLATE);
        assert_eq!((plain.flaw, plain.sharpness), (Some(Flaw::Blurred), 0.0));
        plain.height = f32::NAN;
        assert_eq!(plain.first_flaw(), Some(Flaw::TooSmall));

        let mut landmarks = TEMPLATE;
        landmarks[2].x = 35.0;
        let turned = measured(&spots(), &BOUNDS, &landmarks);
        assert_eq!(turned.flaw, Some(Flaw::Turned), "{turned:?}");
        // The middle of the four is 56.0264 and the eyes are 35.2377 apart.
        assert!((turned.turn - 21.0264 / 35.2377).abs() < 1e-3, "{turned:?}");
    }

    #[test]
    fn contrast_and_tilt_do_not_count() {
        let upright = measured(&spots(), &BOUNDS, &TEMPLATE);
        let dim =
            RgbImage::from_fn(SIDE, SIDE, |x, y| spots().get_pixel(x, y).0.map(|v| v / 4).into());
        let dim = measured(&dim, &BOUNDS, &TEMPLATE);
        assert!((dim.sharpness / upright.sharpness - 1.0).abs() < 0.05, "{dim:?} {upright:?}");

        let mut landmarks = TEMPLATE;
        landmarks[2].x = 40.0;
        let level = turn(&landmarks);
        let tilted = landmarks.map(|point| Point::new(200.0 - point.y, point.x));
        assert!((turn(&tilted) - level).abs() < 1e-4, "a quarter turn: {}", turn(&tilted));
    }

    #[test]
    fn points_in_one_place_are_a_flaw_and_no_error() {
        let quality = measured(&spots(), &BOUNDS, &[Point::new(5.0, 5.0); 5]);
        assert!(quality.flaw.is_some(), "{quality:?}");
    }
}
