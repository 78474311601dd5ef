//! What is known of each network, as data: `models.json`, compiled in.
//!
//! Another network is another entry there and no new code.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::geometry::Point;
use crate::pipeline::PipelineError;

/// All networks and the pipelines made of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    detectors: BTreeMap<String, DetectorModel>,
    landmarks: BTreeMap<String, LandmarkModel>,
    embeddings: BTreeMap<String, EmbeddingModel>,
    pipelines: BTreeMap<String, PipelineEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PipelineEntry {
    detector: String,
    landmarks: String,
    embedding: String,
}

/// The three networks that lead from a photo to an embedding.
#[derive(Debug, Clone)]
pub(crate) struct PipelineModels {
    pub(crate) detector: DetectorModel,
    pub(crate) landmarks: LandmarkModel,
    pub(crate) embedding: EmbeddingModel,
}

/// A network's file and what it takes in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkModel {
    /// Path below the assets directory.
    pub file: String,
    /// SHA-256 of the file, in lowercase hex.
    pub sha256: String,
    /// The licence under which its publisher gives it.
    pub licence: String,
    /// Where the file comes from.
    pub source: String,
    /// How an image becomes the network's input.
    pub input: InputFormat,
}

/// How an image becomes a tensor: each value is `(channel - mean) * scale`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputFormat {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Order of the axes.
    pub layout: Layout,
    /// Which channels, in which order.
    pub colour: Colour,
    /// Taken from each 0–255 channel value.
    pub mean: f32,
    /// Then multiplied by this.
    pub scale: f32,
}

/// Order of a tensor's axes: N images, C channels, H rows, W columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// One plane per channel.
    Nchw,
    /// Channels side by side in each pixel.
    Nhwc,
}

/// The channels of a pixel, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
    /// One channel: luma as in ITU-R BT.601.
    Grey,
}

/// A face detector whose outputs are scores `[1, n, 2]` (background, face) and
/// corner boxes `[1, n, 4]` relative to its input.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DetectorModel {
    /// The network.
    pub(crate) network: NetworkModel,
    /// Name of the output with the scores.
    pub(crate) scores: String,
    /// Name of the output with the boxes.
    pub(crate) boxes: String,
    /// A face must score more than this, 0 to 1.
    pub(crate) min_score: f32,
    /// Of two boxes that overlap (intersection over union) more than this, the better one stays.
    pub(crate) max_overlap: f32,
}

/// A network that puts points on a face, as `[1, 2 * points]`: x and y in turn,
/// relative to its input.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LandmarkModel {
    /// The network.
    pub(crate) network: NetworkModel,
    /// Name of the output with the points.
    pub(crate) output: String,
    /// How many points it finds.
    pub(crate) points: usize,
    /// Which of them, averaged, give each of the five that alignment needs:
    /// left eye, right eye, nose tip, left and right corner of the mouth, as seen in the photo.
    pub(crate) five_points: [Vec<usize>; 5],
}

/// A network that turns an aligned face into a vector.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingModel {
    /// The network.
    pub network: NetworkModel,
    /// Name of the output with the vector, `[1, dimension]`.
    pub output: String,
    /// Length of the vector.
    pub dimension: usize,
    /// Where the five points of an aligned face lie in the input; whole numbers are
    /// centres of pixels, as the networks' authors count.
    pub template: [Point; 5],
    /// From the cosine of two embeddings to the figure that people see.
    pub similarity: SimilarityCurve,
}

/// A logistic curve from cosine to a similarity between 0 and 1:
/// `1 / (1 + exp(-slope * (cosine - midpoint)))`.
///
/// The default network's curve is provisional: it puts 0.30, where look-alikes
/// among strangers begin, at one half and 0.41 at 0.72, and is not fitted to
/// people's judgement.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimilarityCurve {
    /// The cosine whose similarity is one half.
    pub midpoint: f32,
    /// How fast the similarity grows; four times the curve's slope at the midpoint.
    pub slope: f32,
}

impl SimilarityCurve {
    /// The similarity, 0 to 1, of two embeddings with this cosine.
    pub fn at(&self, cosine: f32) -> f32 {
        1.0 / (1.0 + (-self.slope * (cosine - self.midpoint)).exp())
    }
}

/// The networks of the pipeline called `name` in `models.json`.
pub(crate) fn find(name: &str) -> Result<PipelineModels, PipelineError> {
    let manifest: Manifest = serde_json::from_str(include_str!("../models.json"))
        .map_err(|error| PipelineError::Manifest(error.to_string()))?;
    let entry = manifest.pipelines.get(name).ok_or_else(|| PipelineError::UnknownModel {
        name: name.to_owned(),
        known: manifest.pipelines.keys().cloned().collect(),
    })?;
    Ok(PipelineModels {
        detector: pick(&manifest.detectors, "detectors", &entry.detector)?,
        landmarks: pick(&manifest.landmarks, "landmarks", &entry.landmarks)?,
        embedding: pick(&manifest.embeddings, "embeddings", &entry.embedding)?,
    })
}

fn pick<T: Clone>(
    entries: &BTreeMap<String, T>,
    section: &str,
    name: &str,
) -> Result<T, PipelineError> {
    entries
        .get(name)
        .cloned()
        .ok_or_else(|| PipelineError::Manifest(format!("`{section}` has no entry `{name}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pipeline_of_the_manifest_is_whole() {
        let manifest: Manifest = serde_json::from_str(include_str!("../models.json")).unwrap();
        for name in manifest.pipelines.keys() {
            let models = find(name).unwrap();
            assert!(models.embedding.dimension > 0);
            let points = models.landmarks.five_points.iter().flatten();
            assert!(points.copied().all(|point| point < models.landmarks.points));
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let message = find("nobody").unwrap_err().to_string();
        assert!(message.contains("nobody") && message.contains("default"), "{message}");
    }

    #[test]
    fn similarity_passes_through_its_two_anchors() {
        let curve = find("default").unwrap().embedding.similarity;
        assert!((curve.at(0.30) - 0.5).abs() < 1e-6);
        assert!((curve.at(0.41) - 0.72).abs() < 1e-3);
        assert!(curve.at(-1.0) < 0.001 && curve.at(1.0) > 0.99);
    }
}
