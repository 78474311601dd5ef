//! From the bytes of a photo to the faces in it, and the embedding of one.

use std::time::Instant;

use embed::{Assets, DecodeLimits, Embedding, Face, Photo, PhotoError, Pipeline, PipelineError};

use crate::lookalikes::FoundFace;
use crate::problem::{Kind, Problem};

/// The networks that galleries are made with.
const MODEL: &str = "default";

/// The networks, open and ready; shared by all workers.
pub(crate) struct Finder(Pipeline);

/// What was found in a photo.
pub(crate) struct Found {
    /// All faces, the largest and most central first.
    pub(crate) faces: Vec<FoundFace>,
    /// Of the face that was asked for.
    pub(crate) embedding: Embedding,
}

impl Finder {
    /// Opens the networks, and runs each once, so that the first visitor's photo takes no longer than
    /// the next one's.
    ///
    /// # Errors
    ///
    /// Says what cannot be opened and what to do about it.
    pub(crate) fn open(assets: &Assets) -> Result<Self, PipelineError> {
        let begin = Instant::now();
        let pipeline = Pipeline::load(assets, MODEL)?;
        let (loaded, begin) = (begin.elapsed(), Instant::now());
        pipeline.warm_up()?;
        tracing::info!(?loaded, first_run = ?begin.elapsed(), "the networks are open");
        Ok(Self(pipeline))
    }

    /// The networks.
    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.0
    }

    /// The largest photo that is decoded, in bytes.
    pub(crate) fn max_bytes() -> u64 {
        DecodeLimits::default().max_bytes
    }

    /// Finds the faces of a photo, and embeds the one that is asked for.
    ///
    /// Takes a large part of a second of one processor: call it on a worker.
    pub(crate) fn find(&self, photo: &[u8], face: usize) -> Result<Found, Problem> {
        let photo = Photo::decode(photo, &DecodeLimits::default()).map_err(unreadable)?;
        let faces = self.0.detect(&photo).map_err(Problem::internal)?;
        let embedding =
            self.0.embed(&photo, chosen(&faces, face)?).map_err(|error| match error {
                PipelineError::NoSuchFace => no_face(),
                other => Problem::internal(other),
            })?;
        Ok(Found { faces: faces.iter().map(|face| within(face, &photo)).collect(), embedding })
    }
}

fn chosen(faces: &[Face], index: usize) -> Result<&Face, Problem> {
    let last = faces.len().checked_sub(1).ok_or_else(no_face)?;
    faces.get(index).ok_or_else(|| {
        Problem::new(
            Kind::InvalidParameter,
            format!("`face` is {index}; the faces of this photo are numbered from 0 to {last}."),
        )
    })
}

/// The face as it is answered: its box ends where the photo ends.
fn within(face: &Face, photo: &Photo) -> FoundFace {
    let span = |start: f32, length: f32, end: u32| {
        let from = start.max(0.0);
        (from, (start + length).min(end as f32) - from)
    };
    let (x, width) = span(face.bounds.x, face.bounds.width, photo.width());
    let (y, height) = span(face.bounds.y, face.bounds.height, photo.height());
    let flaw = face.quality.reason();
    FoundFace { bounds: [x, y, width, height], score: face.score, flaw }
}

fn no_face() -> Problem {
    Problem::new(
        Kind::NoFace,
        "No face was found; send a photo in which a face is large, bright and looks at the camera.",
    )
}

fn unreadable(error: PhotoError) -> Problem {
    let kind = match error {
        PhotoError::TooManyBytes { .. } | PhotoError::TooManyPixels { .. } => Kind::TooLarge,
        PhotoError::UnsupportedFormat { .. } => Kind::UnsupportedMedia,
        _ => Kind::NotAnImage,
    };
    Problem::new(kind, format!("The photo cannot be used: {error}."))
}
