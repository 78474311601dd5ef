//! A photo in, face embeddings out; builds and searches galleries of faces.
//!
//! A [`Photo`] is decoded within limits; a [`Pipeline`] finds its [`Face`]s and turns
//! each into an [`Embedding`]; a [`Gallery`] knows whose portraits are near to it.
//! The networks and ONNX Runtime are files that `make assets` brings; `models.json`
//! beside this crate says what is known of each; a file of that name among them adds more.
//!
//! ```no_run
//! use embed::{Assets, DecodeLimits, Gallery, Photo, Pipeline};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pipeline = Pipeline::load(&Assets::new("assets"), "default")?;
//! let gallery = Gallery::open("data/demo", &pipeline)?;
//! let photo = Photo::decode(&std::fs::read("me.jpg")?, &DecodeLimits::default())?;
//! for face in pipeline.detect(&photo)? {
//!     for found in gallery.lookalikes(&pipeline.embed(&photo, &face)?, 5)? {
//!         println!("{} {:.0} %", found.person.name, 100.0 * found.similarity);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod align;
mod assets;
mod catalogue;
mod crop;
mod detect;
mod digest;
mod embedding;
pub mod eval;
mod files;
mod gallery;
mod geometry;
pub mod import;
mod landmarks;
mod memory;
mod model;
mod parallel;
mod photo;
mod pipeline;
mod quality;
mod resample;
mod runtime;
mod similarity;
mod tensor;
mod weights;

pub use assets::Assets;
pub use embedding::Embedding;
pub use gallery::{
    Entry, Gallery, GalleryError, LookAlike, Manifest, NameError, Person, PersonPhoto,
};
pub use geometry::{Point, Rect};
pub use model::{Colour, Crop, EmbeddingModel, InputFormat, Layout, NetworkModel, Values};
pub use photo::{DecodeLimits, Photo, PhotoError};
pub use pipeline::{Face, NetworkTimes, Pipeline, PipelineError};
pub use quality::{Flaw, Quality};
pub use similarity::SimilarityCurve;
