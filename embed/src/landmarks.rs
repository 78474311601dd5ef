//! Five points on a face: eyes, tip of the nose, corners of the mouth.

use std::f32::consts::{FRAC_1_SQRT_2, TAU};
use std::time::Duration;

use image::RgbImage;

use crate::assets::Assets;
use crate::geometry::{Point, Rect, Similarity};
use crate::model::LandmarkModel;
use crate::pipeline::PipelineError;
use crate::resample::warp;
use crate::runtime::Network;
use crate::tensor::Tensor;

/// At a face that is not tilted.
const LOOKS: usize = 2;
/// By how much a second look is turned, in radians.
const A_LITTLE: f32 = 0.35;
/// Two looks at an upright face are less apart than this, nine times in ten; at one that lies
/// on its side or is upside down they are more, nineteen times in twenty.
const SURE: f32 = 0.025;
/// Likewise after the view was turned as a face of a small tilt asks for, which a lying face
/// misleads, so that the two must be nearer: six times in ten they are.
const SURE_OF_TILT: f32 = 0.012;
/// All around, each 45 degrees from the next.
const VIEWS: u8 = 8;

pub(crate) struct LandmarkFinder {
    network: Network,
    model: LandmarkModel,
}

/// What was seen in one direction.
struct Seen {
    points: [Point; 5],
    /// How far apart a second look sees them, on average, as a share of the face.
    doubt: f32,
}

impl LandmarkFinder {
    pub(crate) fn load(assets: &Assets, model: LandmarkModel) -> Result<Self, PipelineError> {
        let network = Network::load(assets, &model.network)?;
        network.output(Some(&model.output), 2 * model.points)?;
        Ok(Self { network, model })
    }

    /// Runs the network on noise as often as for some faces; how long that took.
    pub(crate) fn run_on_noise(&self, faces: usize) -> Result<Duration, PipelineError> {
        self.network.run_on_noise(&self.model.network.input, LOOKS * faces)
    }

    /// The five points, in pixels of `photo`: left eye, right eye, nose, left and right
    /// corner of the mouth, as seen with the face upright.
    ///
    /// The detector saw it best in a photo turned by `angle`. The network takes every face for an
    /// upright one, and guesses where it is not. What it guesses moves with its view, and what it
    /// sees stays: so it looks again, turned a little; where the two looks are apart, upright to
    /// what the first saw; and then all around.
    pub(crate) fn find(
        &self,
        photo: &RgbImage,
        face: &Rect,
        angle: f32,
    ) -> Result<[Point; 5], PipelineError> {
        let straight = self.look_twice(photo, face, 0.0)?;
        if straight.doubt < SURE {
            return Ok(straight.points);
        }
        let levelled = self.look_twice(photo, face, angle_of(&straight.points))?;
        if levelled.doubt < SURE_OF_TILT {
            return Ok(levelled.points);
        }
        let views = (0..VIEWS).map(|view| f32::from(view) / f32::from(VIEWS) * TAU);
        let looks = views.map(|angle| self.look(photo, face, angle));
        let looks = looks.collect::<Result<Vec<_>, _>>()?;
        let pairs = looks.iter().zip(looks.iter().cycle().skip(1));
        let surest = pairs.min_by(|one, other| {
            apart(one.0, one.1, face).total_cmp(&apart(other.0, other.1, face))
        });
        let around = surest.map_or(angle, |(one, other)| angle_of(&between(one, other)));
        let tilted = self.look_twice(photo, face, around)?;
        let likely = if levelled.doubt < straight.doubt { levelled } else { straight };
        // Few faces lie on their side, so it takes more to believe that one does, unless the
        // detector saw it so.
        let seen_so = angle != 0.0 && (around - angle).cos() > FRAC_1_SQRT_2;
        let enough = if seen_so { 1.0 } else { 0.5 };
        Ok(if tilted.doubt < enough * likely.doubt { tilted.points } else { likely.points })
    }

    /// The five points of a face that is turned by `angle`, and how far apart a second look
    /// sees them, on average, as a share of the face.
    fn look_twice(&self, photo: &RgbImage, face: &Rect, angle: f32) -> Result<Seen, PipelineError> {
        let points = self.look(photo, face, angle)?;
        let again = self.look(photo, face, angle + A_LITTLE)?;
        Ok(Seen { points, doubt: apart(&points, &again, face) })
    }

    /// The five points as the network sees them when it turns its view by `angle`, clockwise.
    fn look(&self, photo: &RgbImage, face: &Rect, angle: f32) -> Result<[Point; 5], PipelineError> {
        let format = &self.model.network.input;
        // A square as high as the face, around its middle; faces are higher than wide.
        let scale = face.height.max(face.width) / format.height as f32;
        let middle = Point::new(format.width as f32 / 2.0, format.height as f32 / 2.0);
        let to_photo = Similarity::turn_and_scale(angle, scale, middle, face.center());
        let crop = warp(photo, &to_photo, format.width, format.height)?;
        let input = Tensor::from_image(&crop, format);
        let [values] = self.network.run(&input, [&self.model.output])?;
        let points: Vec<Point> = values
            .as_chunks::<2>()
            .0
            .iter()
            .map(|&[x, y]| Point::new(x * format.width as f32, y * format.height as f32))
            .map(|point| to_photo.apply(point))
            .collect();
        if points.len() != self.model.points {
            let expected = self.model.points;
            let detail = format!("it gave {} points, not {expected}", points.len());
            return Err(self.network.failed(&detail));
        }
        Ok(self.model.five_points.each_ref().map(|indices| mean_of(&points, indices)))
    }
}

/// How far apart two looks see a point, on average, as a share of the face.
fn apart(one: &[Point; 5], other: &[Point; 5], face: &Rect) -> f32 {
    let distances =
        one.iter().zip(other).map(|(one, other)| (one.x - other.x).hypot(one.y - other.y));
    distances.sum::<f32>() / 5.0 / face.height.max(face.width)
}

/// Half-way between two looks.
fn between(one: &[Point; 5], other: &[Point; 5]) -> [Point; 5] {
    let mut points = *one;
    for (point, other) in points.iter_mut().zip(other) {
        *point = Point::new(f32::midpoint(point.x, other.x), f32::midpoint(point.y, other.y));
    }
    points
}

/// By how much a face is turned: from between the eyes to the mouth is downwards.
fn angle_of(&[left_eye, right_eye, _, left_mouth, right_mouth]: &[Point; 5]) -> f32 {
    let x = left_mouth.x + right_mouth.x - left_eye.x - right_eye.x;
    let y = left_mouth.y + right_mouth.y - left_eye.y - right_eye.y;
    (-x).atan2(y)
}

fn mean_of(points: &[Point], indices: &[usize]) -> Point {
    let chosen = indices.iter().filter_map(|&index| points.get(index));
    let sum = chosen
        .fold(Point::new(0.0, 0.0), |sum, point| Point::new(sum.x + point.x, sum.y + point.y));
    let count = indices.len() as f32;
    Point::new(sum.x / count, sum.y / count)
}
