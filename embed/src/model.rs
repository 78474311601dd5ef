//! What is known of a network: its file, what it takes in, what it gives.

use serde::{Deserialize, Serialize};

use crate::geometry::Point;
use crate::similarity::SimilarityCurve;

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
    /// SHA-256 of the file, in lowercase hex. Without one any file is taken whose inputs and
    /// outputs fit: for a network that no registry carries, and that is exported by hand.
    pub sha256: Option<String>,
    /// The licence under which its publisher gives it.
    pub licence: String,
    /// Where the file comes from.
    pub source: String,
    /// What to do when it is not there, as the second half of a sentence.
    pub obtain: String,
    /// How an image becomes the network's input.
    pub input: InputFormat,
}

/// How an image becomes a tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// What becomes of each value.
    pub values: Values,
}

/// What becomes of the channel values, which are 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Values {
    /// Each becomes `(value - mean) * scale`.
    Fixed {
        /// Taken from each value.
        mean: f32,
        /// Then multiplied by this.
        scale: f32,
    },
    /// Each image for itself gets a mean of 0 and a standard deviation of 1, over all its
    /// `n` values: `(value - mean) / max(deviation, 1 / sqrt(n))`. FaceNet's `prewhiten`.
    PerImage,
}

/// Order of a tensor's axes: N images, C channels, H rows, W columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// One plane per channel.
    Nchw,
    /// Channels side by side in each pixel.
    Nhwc,
}

/// The channels of a pixel, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Name of the output with the vector, `[1, dimension]`; not needed where there is one only.
    pub output: Option<String>,
    /// Length of the vector.
    pub dimension: usize,
    /// Which part of the photo it is shown.
    pub crop: Crop,
    /// Whether it is shown the face's mirror image too, and the embedding is the mean of the
    /// two: a little more accurate, and twice the work.
    #[serde(default)]
    pub mirrored: bool,
    /// From the cosine of two embeddings to the figure that people see; `embed calibrate`
    /// fits one.
    pub similarity: Option<SimilarityCurve>,
}

/// Which part of a photo an embedding network is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Crop {
    /// The photo is turned and scaled so that the five points of the face come to lie here;
    /// whole numbers are centres of pixels, as the networks' authors count.
    Template([Point; 5]),
    /// The upright box around the face, stretched to the size of the input. FaceNet's way.
    Box {
        /// By what share of itself the box is made wider and higher.
        margin: f32,
    },
}
