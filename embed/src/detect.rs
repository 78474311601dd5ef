//! Finding faces.

use std::f32::consts::FRAC_PI_2;
use std::time::Duration;

use image::{RgbImage, imageops};

use crate::assets::Assets;
use crate::geometry::{Point, Rect, Similarity};
use crate::model::{DetectorModel, InputFormat};
use crate::pipeline::PipelineError;
use crate::resample::{Region, resize, warp};
use crate::runtime::Network;
use crate::tensor::Tensor;

pub(crate) struct Detector {
    network: Network,
    model: DetectorModel,
}

/// Nearly all upright faces have a higher score; lying ones have a lower one, and a box that
/// fits them badly.
const SURE: f32 = 0.99;

/// Where a face is, and how sure the network is of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Detection {
    pub(crate) bounds: Rect,
    pub(crate) score: f32,
    /// By how much the photo was turned when the network saw it best, clockwise, in radians:
    /// about as much as the face is.
    pub(crate) angle: f32,
}

impl Detector {
    pub(crate) fn load(assets: &Assets, model: DetectorModel) -> Result<Self, PipelineError> {
        let network = Network::load(assets, &model.network)?;
        network.output(Some(&model.scores), 2)?;
        network.output(Some(&model.boxes), 4)?;
        Ok(Self { network, model })
    }

    /// Runs the network on noise as often as for some photos; how long that took.
    pub(crate) fn run_on_noise(&self, photos: usize) -> Result<Duration, PipelineError> {
        self.network.run_on_noise(&self.model.network.input, photos)
    }

    /// All faces, the surest first; bounds in pixels of `photo`. Where it is sure of none,
    /// they are also looked for in the photo turned by a quarter, a half and three quarters.
    pub(crate) fn detect(&self, photo: &RgbImage) -> Result<Vec<Detection>, PipelineError> {
        let mut found = self.upright(photo)?;
        if found.iter().all(|found| found.score < SURE) {
            for quarters in 1..4 {
                found.extend(self.turned(photo, quarters)?);
            }
        }
        Ok(keep_best(found, self.model.max_overlap))
    }

    fn upright(&self, photo: &RgbImage) -> Result<Vec<Detection>, PipelineError> {
        let canvas = Canvas::around(photo, &self.model.network.input);
        let shown = canvas.draw(photo, &self.model.network.input)?;
        let Canvas { width, height } = canvas;
        self.run(&shown, 0.0, |[left, top, right, bottom]| {
            Rect::from_corners(left * width, top * height, right * width, bottom * height)
        })
    }

    /// Faces that are turned clockwise by some quarters of a turn.
    fn turned(&self, photo: &RgbImage, quarters: u8) -> Result<Vec<Detection>, PipelineError> {
        let format = &self.model.network.input;
        let (width, height) = (format.width as f32, format.height as f32);
        let lying = quarters % 2 == 1;
        let whole = Region::all(photo).rect();
        let seen = if lying { whole.lying() } else { whole };
        let scale = (seen.width / width).max(seen.height / height);
        let middle = Point::new(width / 2.0, height / 2.0);
        let angle = f32::from(quarters) * FRAC_PI_2;
        let to_photo = Similarity::turn_and_scale(angle, scale, middle, whole.center());
        let shown = warp(photo, &to_photo, format.width, format.height)?;
        self.run(&shown, angle, |[left, top, right, bottom]| {
            let found =
                Rect::from_corners(left * width, top * height, right * width, bottom * height);
            let placed = found.scaled_to(scale, to_photo.apply(found.center()));
            if lying { placed.lying() } else { placed }
        })
    }

    /// What the network sees in its input. `place` takes corners (left, top, right, bottom;
    /// 0 to 1) to bounds.
    fn run(
        &self,
        shown: &RgbImage,
        angle: f32,
        place: impl Fn([f32; 4]) -> Rect,
    ) -> Result<Vec<Detection>, PipelineError> {
        let input = Tensor::from_image(shown, &self.model.network.input);
        let outputs = [self.model.scores.as_str(), self.model.boxes.as_str()];
        let [scores, boxes] = self.network.run(&input, outputs)?;
        let mut found = Vec::new();
        for (scores, &corners) in scores.as_chunks::<2>().0.iter().zip(boxes.as_chunks::<4>().0) {
            let [_background, score] = *scores;
            let bounds = place(corners);
            if score > self.model.min_score && bounds.area().is_normal() {
                found.push(Detection { bounds, score, angle });
            }
        }
        Ok(found)
    }
}

/// What the network's input shows, in pixels of the photo: the photo in the upper
/// left corner, and nothing below or to the right of a very long one.
///
/// The network has learnt to find faces that are stretched or squeezed, and a photo
/// that fills the input shows them larger. Faces squeezed more than twofold it
/// misses: all of them in a photo of 4:1.
struct Canvas {
    width: f32,
    height: f32,
}

impl Canvas {
    const MOST_SQUEEZED: f32 = 2.0;

    fn around(photo: &RgbImage, format: &InputFormat) -> Self {
        let (width, height) = (photo.width() as f32, photo.height() as f32);
        let ratio = format.width as f32 / format.height as f32;
        Self {
            width: width.max(height * ratio / Self::MOST_SQUEEZED),
            height: height.max(width / ratio / Self::MOST_SQUEEZED),
        }
    }

    fn draw(&self, photo: &RgbImage, format: &InputFormat) -> Result<RgbImage, PipelineError> {
        let shown = |input: u32, photo: u32, canvas: f32| {
            ((input as f32 * photo as f32 / canvas).round() as u32).clamp(1, input)
        };
        let width = shown(format.width, photo.width(), self.width);
        let height = shown(format.height, photo.height(), self.height);
        let small = resize(photo, Region::all(photo), width, height)?;
        if (width, height) == (format.width, format.height) {
            return Ok(small);
        }
        let mut drawn = RgbImage::new(format.width, format.height);
        imageops::replace(&mut drawn, &small, 0, 0);
        Ok(drawn)
    }
}

/// Non-maximum suppression: of detections that overlap more than `max_overlap`
/// (intersection over union), only the one with the best score stays. Best first.
fn keep_best(mut found: Vec<Detection>, max_overlap: f32) -> Vec<Detection> {
    found.sort_by(|one, other| other.score.total_cmp(&one.score));
    let mut kept: Vec<Detection> = Vec::new();
    for candidate in found {
        if kept.iter().all(|better| better.bounds.overlap(&candidate.bounds) <= max_overlap) {
            kept.push(candidate);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detection(x: f32, score: f32) -> Detection {
        let bounds = Rect { x, y: 0.0, width: 10.0, height: 10.0 };
        Detection { bounds, score, angle: 0.0 }
    }

    #[test]
    fn one_of_each_overlapping_group_stays_best_first() {
        let found = vec![
            detection(0.0, 0.7),
            detection(1.0, 0.9),
            detection(50.0, 0.8),
            detection(2.0, 0.75),
        ];
        let kept: Vec<f32> = keep_best(found, 0.4).iter().map(|kept| kept.score).collect();
        assert_eq!(kept, [0.9, 0.8]);
    }

    #[test]
    fn neighbours_that_overlap_a_little_both_stay() {
        let kept = keep_best(vec![detection(0.0, 0.9), detection(6.0, 0.8)], 0.4);
        assert_eq!(kept.len(), 2, "their overlap is 4/16");
    }

    #[test]
    fn a_box_is_suppressed_by_kept_ones_only() {
        // The middle one falls to the first; it must not take the last with it.
        let kept =
            keep_best(vec![detection(0.0, 0.9), detection(4.0, 0.8), detection(8.0, 0.7)], 0.3);
        let kept: Vec<f32> = kept.iter().map(|kept| kept.score).collect();
        assert_eq!(kept, [0.9, 0.7]);
    }
}
