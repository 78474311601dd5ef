//! A photo in, face embeddings out; builds and searches galleries of faces.

mod align;
mod assets;
mod detect;
mod embedding;
pub mod eval;
mod geometry;
mod landmarks;
mod model;
mod parallel;
mod photo;
mod pipeline;
mod resample;
mod runtime;
mod tensor;
mod weights;

pub use assets::Assets;
pub use embedding::Embedding;
pub use geometry::{Point, Rect};
pub use model::{Colour, EmbeddingModel, InputFormat, Layout, NetworkModel, SimilarityCurve};
pub use photo::{DecodeLimits, Photo, PhotoError};
pub use pipeline::{Face, Pipeline, PipelineError};
