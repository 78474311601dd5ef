//! Five points on a face: eyes, tip of the nose, corners of the mouth.

use std::time::Duration;

use image::RgbImage;

use crate::assets::Assets;
use crate::geometry::{Point, Rect, Similarity};
use crate::model::LandmarkModel;
use crate::pipeline::PipelineError;
use crate::resample::warp;
use crate::runtime::Network;
use crate::tensor::Tensor;

pub(crate) struct LandmarkFinder {
    network: Network,
    model: LandmarkModel,
}

impl LandmarkFinder {
    pub(crate) fn load(assets: &Assets, model: LandmarkModel) -> Result<Self, PipelineError> {
        Ok(Self { network: Network::load(assets, &model.network)?, model })
    }

    /// Runs the network once on noise; how long that took.
    pub(crate) fn warm_up(&self) -> Result<Duration, PipelineError> {
        self.network.warm_up(&self.model.network.input)
    }

    /// The five points, in pixels of `photo`: left eye, right eye, nose, left and
    /// right corner of the mouth, as seen in the photo.
    pub(crate) fn find(&self, photo: &RgbImage, face: &Rect) -> Result<[Point; 5], PipelineError> {
        let format = &self.model.network.input;
        // A square as high as the face, around its middle; faces are higher than wide.
        let scale = face.height / format.height as f32;
        let corner = Point::new(face.center().x - face.height / 2.0, face.y);
        let to_photo = Similarity::scale_and_shift(scale, corner);
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

fn mean_of(points: &[Point], indices: &[usize]) -> Point {
    let chosen = indices.iter().filter_map(|&index| points.get(index));
    let sum = chosen
        .fold(Point::new(0.0, 0.0), |sum, point| Point::new(sum.x + point.x, sum.y + point.y));
    let count = indices.len() as f32;
    Point::new(sum.x / count, sum.y / count)
}
