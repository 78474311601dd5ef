//! Where the eyes are in portraits, so that two faces can be laid over each other.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use embed::{DecodeLimits, Face, Photo, Pipeline};

/// The left and the right eye as seen, each as x and y in pixels.
pub(crate) type Eyes = [[f32; 2]; 2];

/// How many portraits are remembered: a megabyte at most.
const MOST_KNOWN: usize = 8192;

/// Galleries do not say where the eyes are; what was looked for once is remembered.
#[derive(Default)]
pub(crate) struct PortraitEyes(Mutex<HashMap<String, Option<Eyes>>>);

impl PortraitEyes {
    /// The eyes in a portrait; `None` where no face is found in it.
    ///
    /// The first time, it takes some milliseconds of one processor.
    pub(crate) fn of(&self, pipeline: &Pipeline, folder: &Path, portrait: &str) -> Option<Eyes> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&eyes) = known().get(portrait) {
            return eyes;
        }
        let eyes = look(pipeline, &folder.join(portrait));
        let mut known = known();
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(portrait.to_owned(), eyes);
        eyes
    }
}

/// The eyes of a face.
pub(crate) fn of_face(face: &Face) -> Eyes {
    let [left, right, ..] = face.landmarks;
    [[left.x, left.y], [right.x, right.y]]
}

/// A portrait that cannot be read has no eyes: it is shown without.
fn look(pipeline: &Pipeline, file: &Path) -> Option<Eyes> {
    let bytes = std::fs::read(file).ok()?;
    let photo = Photo::decode(&bytes, &DecodeLimits::default()).ok()?;
    pipeline.detect(&photo).ok()?.first().map(of_face)
}
