//! From the bytes of a photo to the people who look like a face in it.

use std::path::PathBuf;

use embed::{
    Assets, DecodeLimits, Face, Gallery, GalleryError, LookAlike, Photo, PhotoError, Pipeline,
    PipelineError,
};

use crate::eyes::{self, PortraitEyes};
use crate::lookalikes::{Answer, FoundFace, FoundPerson, Person, Question};
use crate::people::{self, PersonAnswer};
use crate::portraits;
use crate::problem::{Kind, Problem};
use crate::settings::Settings;

/// The networks that galleries are made with.
const MODEL: &str = "default";

/// Of how many people an answer says where the eyes are in the portrait: more than a page shows large.
const WITH_EYES: usize = 8;

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The networks or their runtime.
    #[error("cannot load the networks from MODELS_DIR={folder:?}: {source}")]
    Models {
        /// The folder that was looked in.
        folder: PathBuf,
        /// What is wrong there.
        source: Box<PipelineError>,
    },
    /// The gallery.
    #[error("cannot open the gallery STORE={folder:?}: {source}")]
    Gallery {
        /// The folder that was looked in.
        folder: PathBuf,
        /// What is wrong there.
        source: GalleryError,
    },
}

/// The networks and the gallery, open and ready; shared by all workers.
pub struct Finder {
    pipeline: Pipeline,
    gallery: Gallery,
    eyes: PortraitEyes,
    limits: DecodeLimits,
}

impl Finder {
    /// Opens what the settings name, and runs each network once, so that the first visitor's photo
    /// takes no longer than the next one's.
    ///
    /// # Errors
    ///
    /// Says what cannot be opened and what to do about it.
    pub fn open(settings: &Settings) -> Result<Self, OpenError> {
        let assets = Assets::new(&settings.models_dir);
        let models = |source| OpenError::Models {
            folder: settings.models_dir.clone(),
            source: Box::new(source),
        };
        let pipeline = Pipeline::load(&assets, MODEL).map_err(models)?;
        pipeline.warm_up().map_err(models)?;
        let gallery = Gallery::open(&settings.store, &pipeline)
            .map_err(|source| OpenError::Gallery { folder: settings.store.clone(), source })?;
        Ok(Self {
            pipeline,
            gallery,
            eyes: PortraitEyes::default(),
            limits: DecodeLimits::default(),
        })
    }

    /// The largest photo that is decoded, in bytes.
    pub(crate) fn max_bytes(&self) -> u64 {
        self.limits.max_bytes
    }

    /// How many photos the gallery holds.
    pub(crate) fn photos(&self) -> usize {
        self.gallery.len()
    }

    /// The folder with the portraits.
    pub(crate) fn portraits_dir(&self) -> PathBuf {
        self.gallery.portraits_dir()
    }

    /// Finds the faces of a photo, and the people who look like the one that is asked for.
    ///
    /// Takes a large part of a second of one processor: call it on a worker.
    pub(crate) fn find(&self, photo: &[u8], question: Question) -> Result<Answer, Problem> {
        let photo = Photo::decode(photo, &self.limits).map_err(unreadable)?;
        let faces = self.pipeline.detect(&photo).map_err(Problem::internal)?;
        let face = chosen(&faces, question.face)?;
        let embedding = self.pipeline.embed(&photo, face).map_err(|error| match error {
            PipelineError::NoSuchFace => no_face(),
            other => Problem::internal(other),
        })?;
        let found = self.gallery.lookalikes(&embedding, question.k).map_err(Problem::internal)?;
        Ok(Answer {
            faces: faces.iter().map(|face| within(face, &photo)).collect(),
            face: question.face,
            lookalikes: self.named(found),
        })
    }

    /// The person with this id, their portraits, and who looks like them.
    ///
    /// Reads the group of every record, and looks for the eyes in the portraits: call it on a worker.
    pub(crate) fn person(&self, id: &str) -> Result<PersonAnswer, Problem> {
        let found = self.gallery.profile(id, people::MOST_PORTRAITS, people::LOOKALIKES);
        let profile = found.map_err(Problem::internal)?.ok_or_else(|| {
            Problem::new(
                Kind::UnknownPerson,
                "Nobody in the gallery has this id; take it from an answer with look-alikes.",
            )
        })?;
        let portraits = profile.photos.into_iter().map(|photo| people::Portrait {
            eyes: self.eyes_in(&photo.portrait),
            portrait: portraits::url(&photo.portrait),
            details: photo.details,
        });
        Ok(PersonAnswer {
            person: profile.person.into(),
            portraits: portraits.collect(),
            lookalikes: self.named(profile.lookalikes),
        })
    }

    /// The people as they are answered, the first ones with the place of their eyes.
    fn named(&self, found: Vec<LookAlike>) -> Vec<FoundPerson> {
        let named = found.into_iter().enumerate().map(|(rank, found)| FoundPerson {
            portrait_eyes: (rank < WITH_EYES).then(|| self.eyes_in(&found.portrait)).flatten(),
            person: found.person.into(),
            score: found.score,
            similarity: found.similarity,
            portrait: portraits::url(&found.portrait),
        });
        named.collect()
    }

    fn eyes_in(&self, portrait: &str) -> Option<eyes::Eyes> {
        self.eyes.of(&self.pipeline, &self.gallery.portraits_dir(), portrait)
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
    FoundFace {
        bounds: [x, y, width, height],
        score: face.score,
        eyes: eyes::of_face(face),
        flaw,
        flaw_kind: face.quality.flaw,
    }
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

impl From<embed::Person> for Person {
    fn from(person: embed::Person) -> Self {
        Self { id: person.id, name: person.name }
    }
}
