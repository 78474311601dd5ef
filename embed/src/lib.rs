//! A photo in, face embeddings out; builds and searches galleries of faces.

mod align;
mod assets;
mod detect;
mod digest;
mod embedding;
pub mod eval;
mod files;
mod gallery;
mod geometry;
pub mod import;
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
pub use gallery::{Gallery, GalleryError, LookAlike, NameError, Person};
pub use geometry::{Point, Rect};
pub use model::{Colour, EmbeddingModel, InputFormat, Layout, NetworkModel, SimilarityCurve};
pub use photo::{DecodeLimits, Photo, PhotoError};
pub use pipeline::{Face, Pipeline, PipelineError};
