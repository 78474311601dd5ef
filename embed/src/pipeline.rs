//! Photo to faces, face to embedding.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::assets::Assets;
use crate::catalogue;
use crate::crop::cut_out;
use crate::detect::{Detection, Detector};
use crate::embedding::{Embedder, Embedding};
use crate::geometry::{Point, Rect};
use crate::landmarks::LandmarkFinder;
use crate::model::EmbeddingModel;
use crate::photo::Photo;
use crate::quality::Quality;
use crate::similarity::{self, SimilarityCurve};

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
    /// Whether it shows enough to be told from others.
    pub quality: Quality,
}

/// The networks, opened once. Its methods may be called from several threads at once.
pub struct Pipeline {
    name: String,
    detector: Detector,
    landmarks: LandmarkFinder,
    embedder: Embedder,
    similarity: Option<SimilarityCurve>,
}

/// How long the networks took, without what leads to their input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkTimes {
    /// Of the face detector, run once a photo.
    pub detector: Duration,
    /// Of the landmarks, run twice a face.
    pub landmarks: Duration,
    /// Of the embedding, run once a face, or twice where the model wants its mirror image too.
    pub embedding: Duration,
}

/// Why a network cannot be used or gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// A file is not there.
    #[error("{} is missing; {obtain}", path.display())]
    MissingFile {
        /// Where it should be.
        path: PathBuf,
        /// What to do about it.
        obtain: String,
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
        "{} is not the expected file (sha256 expected {expected}, found {found}); {obtain}",
        path.display()
    )]
    WrongFile {
        /// The file.
        path: PathBuf,
        /// SHA-256 in `models.json`.
        expected: String,
        /// SHA-256 of the file.
        found: String,
        /// What to do about it.
        obtain: String,
    },
    /// A network takes or gives something else than `models.json` says.
    #[error(
        "the {what} of {} has the shape {found}, not {expected} as models.json says; it is \
         another network, or its entry is wrong",
        path.display()
    )]
    WrongShape {
        /// The network's file.
        path: PathBuf,
        /// Which input or output.
        what: String,
        /// The shape by `models.json`.
        expected: String,
        /// The shape that the network declares; -1 where any length will do.
        found: String,
    },
    /// The curve beside a network cannot be used.
    #[error("{} is wrong: {detail}; run `embed calibrate` again, or remove it", path.display())]
    Curve {
        /// The file with the curve.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A curve cannot be written beside its network.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The library at this path is not a usable ONNX Runtime.
    #[error("ONNX Runtime cannot be loaded from {}: {detail}; run `make assets`", path.display())]
    Runtime {
        /// The library.
        path: PathBuf,
        /// What the loader said.
        detail: String,
    },
    /// `models.json` has no such entry.
    #[error("no {kind} is called `{name}`; there is: {}", known.join(", "))]
    UnknownModel {
        /// What was looked for.
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// `models.json` does not follow its format.
    #[error("{} is wrong: {detail}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
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
    /// A face whose landmarks are all in one place or not finite cannot be aligned, nor one
    /// whose box lies outside the photo be cut out.
    #[error(
        "the face cannot be aligned: its landmarks do not span an area, or lie outside the photo"
    )]
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
        let models = catalogue::find(assets, name)?;
        let detector = Detector::load(assets, models.detector)?;
        let landmarks = LandmarkFinder::load(assets, models.landmarks)?;
        let embedder = Embedder::load(assets, models.embedding)?;
        let network = embedder.network();
        let fitted = similarity::read(network.file(), network.sha256())?;
        let similarity = fitted.or(embedder.model().similarity);
        Ok(Self { name: name.to_owned(), detector, landmarks, embedder, similarity })
    }

    /// The name under which `models.json` lists it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What makes its embeddings comparable: the embedding network.
    pub fn embedding_model(&self) -> &EmbeddingModel {
        self.embedder.model()
    }

    /// SHA-256 of the embedding network's file, in lowercase hex.
    pub fn embedding_sha256(&self) -> &str {
        self.embedder.network().sha256()
    }

    /// From the cosine of two of its embeddings to the figure that people see: the curve
    /// that lies beside the network, or else the one in `models.json`.
    pub fn similarity(&self) -> Option<SimilarityCurve> {
        self.similarity
    }

    /// Puts `curve` beside the embedding network, for pipelines that are loaded from now
    /// on; gives the path of the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn store_similarity(&self, curve: SimilarityCurve) -> Result<PathBuf, PipelineError> {
        let network = self.embedder.network();
        similarity::write(network.file(), network.sha256(), curve)
    }

    /// Runs each network once on noise: the first run takes longer than
    /// later ones, so a server does this before it says that it is ready.
    ///
    /// # Errors
    /// When a network fails.
    pub fn warm_up(&self) -> Result<(), PipelineError> {
        self.run_on_noise(1).map(|_| ())
    }

    /// Runs the networks on noise as often as some photos need them at least, each of one upright
    /// face, and does nothing else.
    ///
    /// # Errors
    /// When a network fails.
    pub fn run_on_noise(&self, photos: usize) -> Result<NetworkTimes, PipelineError> {
        Ok(NetworkTimes {
            detector: self.detector.run_on_noise(photos)?,
            landmarks: self.landmarks.run_on_noise(photos)?,
            embedding: self.embedder.run_on_noise(photos)?,
        })
    }

    /// All faces of a photo, the largest and most central first; none is not an error.
    /// Faces may be tilted, up to upside down.
    ///
    /// By area, less twice the squared distance from the middle of the photo: of two faces
    /// alike in size the photo is of the one in its middle. So order FaceNet's
    /// `align_dataset_mtcnn.py` and InsightFace.
    ///
    /// # Errors
    /// When a network fails.
    pub fn detect(&self, photo: &Photo) -> Result<Vec<Face>, PipelineError> {
        self.detections(photo)?.iter().map(|found| self.detected(photo, found)).collect()
    }

    /// The first of the faces that [`detect`](Self::detect) finds, without looking closer at the others.
    ///
    /// # Errors
    /// When a network fails.
    pub fn detect_first(&self, photo: &Photo) -> Result<Option<Face>, PipelineError> {
        self.detections(photo)?.first().map(|found| self.detected(photo, found)).transpose()
    }

    fn detections(&self, photo: &Photo) -> Result<Vec<Detection>, PipelineError> {
        let middle = Point::new(photo.width() as f32 / 2.0, photo.height() as f32 / 2.0);
        let weight = |face: &Detection| {
            let center = face.bounds.center();
            face.bounds.area()
                - 2.0 * ((center.x - middle.x).powi(2) + (center.y - middle.y).powi(2))
        };
        let mut found = self.detector.detect(photo.pixels())?;
        found.sort_by(|one, other| weight(other).total_cmp(&weight(one)));
        Ok(found)
    }

    fn detected(&self, photo: &Photo, found: &Detection) -> Result<Face, PipelineError> {
        Ok(Face { score: found.score, ..self.face(photo, found.bounds, found.angle)? })
    }

    /// The face inside a box that is known already, with a score of 1.
    ///
    /// # Errors
    /// When the network fails.
    pub fn face_in(&self, photo: &Photo, bounds: Rect) -> Result<Face, PipelineError> {
        self.face(photo, bounds, 0.0)
    }

    fn face(&self, photo: &Photo, bounds: Rect, angle: f32) -> Result<Face, PipelineError> {
        let landmarks = self.landmarks.find(photo.pixels(), &bounds, angle)?;
        let quality = Quality::measure(photo.pixels(), &bounds, &landmarks)?;
        Ok(Face { bounds, score: 1.0, landmarks, quality })
    }

    /// The face as a vector: aligned by its landmarks, then embedded.
    ///
    /// # Errors
    /// When the landmarks span no area, or the network fails.
    pub fn embed(&self, photo: &Photo, face: &Face) -> Result<Embedding, PipelineError> {
        self.embedder.embed(&cut_out(photo.pixels(), face, self.embedder.model())?)
    }
}
