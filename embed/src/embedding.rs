//! A face as a unit vector.

use std::time::Duration;

use image::{RgbImage, imageops};

use crate::assets::Assets;
use crate::model::EmbeddingModel;
use crate::pipeline::PipelineError;
use crate::runtime::Network;
use crate::tensor::Tensor;

/// A face as a vector of length one: the nearer two point the same way, the more
/// alike the faces.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding(Vec<f32>);

impl Embedding {
    /// Scales `values` to length one; `None` if they have no direction (zero, NaN or infinite).
    pub fn normalised(mut values: Vec<f32>) -> Option<Self> {
        let squared: f64 = values.iter().map(|&value| f64::from(value).powi(2)).sum();
        let length = squared.sqrt();
        if !(length.is_normal()) {
            return None;
        }
        for value in &mut values {
            *value = (f64::from(*value) / length) as f32;
        }
        Some(Self(values))
    }

    /// The components; their squares sum to one.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// The components, given away.
    pub fn into_vec(self) -> Vec<f32> {
        self.0
    }

    /// Cosine of the angle to another embedding of the same network, -1 to 1.
    pub fn cosine(&self, other: &Self) -> f32 {
        self.0.iter().zip(&other.0).map(|(one, other)| one * other).sum()
    }
}

pub(crate) struct Embedder {
    network: Network,
    output: String,
    model: EmbeddingModel,
}

impl Embedder {
    pub(crate) fn load(assets: &Assets, model: EmbeddingModel) -> Result<Self, PipelineError> {
        let network = Network::load(assets, &model.network)?;
        let output = network.output(model.output.as_deref(), model.dimension)?;
        Ok(Self { network, output, model })
    }

    /// Runs the network on noise as often as for some faces; how long that took.
    pub(crate) fn run_on_noise(&self, faces: usize) -> Result<Duration, PipelineError> {
        let runs = if self.model.mirrored { 2 * faces } else { faces };
        self.network.run_on_noise(&self.model.network.input, runs)
    }

    pub(crate) fn model(&self) -> &EmbeddingModel {
        &self.model
    }

    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// The embedding of a face that is cut out as the model wants it.
    ///
    /// With its mirror image, if the model asks for it, as in ArcFace's `verification.py`: the
    /// outputs are added before they are brought to length one.
    pub(crate) fn embed(&self, cut_out: &RgbImage) -> Result<Embedding, PipelineError> {
        let mut values = self.run(cut_out)?;
        if self.model.mirrored {
            let mirrored = self.run(&imageops::flip_horizontal(cut_out))?;
            values.iter_mut().zip(mirrored).for_each(|(value, mirrored)| *value += mirrored);
        }
        Embedding::normalised(values)
            .ok_or_else(|| self.network.failed(&"its output has no direction"))
    }

    fn run(&self, cut_out: &RgbImage) -> Result<Vec<f32>, PipelineError> {
        let input = Tensor::from_image(cut_out, &self.model.network.input);
        let [values] = self.network.run(&input, [&self.output])?;
        let expected = self.model.dimension;
        if values.len() != expected {
            let detail = format!("it gave {} values, not {expected}", values.len());
            return Err(self.network.failed(&detail));
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_one_and_direction_stays() {
        let embedding = Embedding::normalised(vec![3.0, 0.0, -4.0]).unwrap();
        assert_eq!(embedding.as_slice(), [0.6, 0.0, -0.8]);
        assert!((embedding.cosine(&embedding) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn no_direction_no_embedding() {
        assert!(Embedding::normalised(vec![0.0; 4]).is_none());
        assert!(Embedding::normalised(vec![1.0, f32::NAN]).is_none());
        assert!(Embedding::normalised(vec![1.0, f32::INFINITY]).is_none());
        assert!(Embedding::normalised(Vec::new()).is_none());
    }
}
