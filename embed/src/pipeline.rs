//! Photo to faces, face to embedding.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::align::align;
use crate::assets::Assets;
use crate::detect::Detector;
use crate::embedding::{Embedder, Embedding};
use crate::geometry::{Point, Rect};
use crate::landmarks::LandmarkFinder;
use crate::model::{self, EmbeddingModel};
use crate::photo::Photo;

/// A face in a photo.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Face {
    /// Where it is, in pixels of the upright photo; may reach beyond its edge.
    pub bounds: Rect,
    /// How sure the detector is, 0 to 1.
    pub score: f32,
    /// Left eye, right eye, tip of the nose, left and right corner of the mouth, as
    /// seen in the photo, in its pixels.
    pub landmarks: [Point; 5],
}

/// The networks, opened once. Its methods may be called from several threads at once.
pub struct Pipeline {
    name: String,
    detector: Detector,
    landmarks: LandmarkFinder,
    embedder: Embedder,
}

/// How long one run of each network took, without what leads to its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkTimes {
    /// Of the face detector, run once a photo.
    pub detector: Duration,
    /// Of the landmarks, run once a face.
    pub landmarks: Duration,
    /// Of the embedding, run once a face.
    pub embedding: Duration,
}

/// Why a network cannot be used or gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// A downloaded file is not there.
    #[error("{} is missing; run `make assets`", path.display())]
    MissingFile {
        /// Where it should be.
        path: PathBuf,
    },
    /// A file is there and cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A network's file is not the one that `models.json` describes.
    #[error(
        "{} is not the expected file (sha256 expected {expected}, found {found}); run `make assets`",
        path.display()
    )]
    WrongFile {
        /// The file.
        path: PathBuf,
        /// SHA-256 in `models.json`.
        expected: String,
        /// SHA-256 of the file.
        found: String,
    },
    /// The library at this path is not a usable ONNX Runtime.
    #[error("ONNX Runtime cannot be loaded from {}: {detail}; run `make assets`", path.display())]
    Runtime {
        /// The library.
        path: PathBuf,
        /// What the loader said.
        detail: String,
    },
    /// No pipeline has this name.
    #[error("no model is called `{name}`; there is: {}", known.join(", "))]
    UnknownModel {
        /// The name asked for.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// `models.json` contradicts itself.
    #[error("models.json is wrong: {0}")]
    Manifest(String),
    /// A network could not be opened or run.
    #[error("the network {} failed: {detail}", path.display())]
    Network {
        /// The network's file.
        path: PathBuf,
        /// What ONNX Runtime said.
        detail: String,
    },
    /// An image could not be brought to another size.
    #[error("cannot resize an image: {0}")]
    Resize(String),
    /// A face whose landmarks are all in one place or not finite cannot be aligned.
    #[error("the face cannot be aligned: its landmarks do not span an area")]
    NoSuchFace,
}

impl Pipeline {
    /// Opens ONNX Runtime and the networks of the entry `name` in `models.json`.
    ///
    /// ONNX Runtime is loaded once in a process: from the assets of the first
    /// pipeline that loads.
    ///
    /// # Errors
    /// When a file is missing or not the expected one, or a network cannot be opened.
    pub fn load(assets: &Assets, name: &str) -> Result<Self, PipelineError> {
        let models = model::find(name)?;
        Ok(Self {
            name: name.to_owned(),
            detector: Detector::load(assets, models.detector)?,
            landmarks: LandmarkFinder::load(assets, models.landmarks)?,
            embedder: Embedder::load(assets, models.embedding)?,
        })
    }

    /// The name under which `models.json` lists it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What makes its embeddings comparable: the embedding network.
    pub fn embedding_model(&self) -> &EmbeddingModel {
        self.embedder.model()
    }

    /// Runs each network once on noise: the first run takes longer than
    /// later ones, so a server does this before it says that it is ready.
    ///
    /// # Errors
    /// When a network fails.
    pub fn warm_up(&self) -> Result<NetworkTimes, PipelineError> {
        Ok(NetworkTimes {
            detector: self.detector.warm_up()?,
            landmarks: self.landmarks.warm_up()?,
            embedding: self.embedder.warm_up()?,
        })
    }

    /// All faces of a photo, the surest first; none is not an error. Faces may be tilted, up
    /// to upside down.
    ///
    /// # Errors
    /// When a network fails.
    pub fn detect(&self, photo: &Photo) -> Result<Vec<Face>, PipelineError> {
        let found = self.detector.detect(photo.pixels())?;
        found
            .into_iter()
            .map(|found| Ok(Face { score: found.score, ..self.face_in(photo, found.bounds)? }))
            .collect()
    }

    /// The face inside a box that is known already, with a score of 1.
    ///
    /// # Errors
    /// When the network fails.
    pub fn face_in(&self, photo: &Photo, bounds: Rect) -> Result<Face, PipelineError> {
        let landmarks = self.landmarks.find(photo.pixels(), &bounds)?;
        Ok(Face { bounds, score: 1.0, landmarks })
    }

    /// The face as a vector: aligned by its landmarks, then embedded.
    ///
    /// # Errors
    /// When the landmarks span no area, or the network fails.
    pub fn embed(&self, photo: &Photo, face: &Face) -> Result<Embedding, PipelineError> {
        let aligned = align(photo.pixels(), &face.landmarks, self.embedder.model())?;
        self.embedder.embed(&aligned)
    }
}
