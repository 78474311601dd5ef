//! A directory of people: their portraits and the embeddings of them.
//!
//! ```text
//! DIR/gallery.json   which network made the embeddings
//! DIR/portraits/     a web-sized JPEG of each photo
//! DIR/vectors/       the vecstore
//! ```

mod manifest;
mod person;
mod portrait;
mod writer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vecstore::{Query, Reader};

use crate::embedding::Embedding;
use crate::pipeline::Pipeline;
use crate::similarity::SimilarityCurve;

pub use manifest::Manifest;
pub use person::{NameError, Person};
pub(crate) use portrait::square_around;
pub(crate) use writer::{GalleryWriter, NewPhoto};

/// A gallery opened to be searched, by any number of processes at once.
#[derive(Debug)]
pub struct Gallery {
    root: PathBuf,
    vectors: Reader,
    similarity: SimilarityCurve,
}

/// A person of the gallery who looks like the one asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LookAlike {
    /// Who it is.
    pub person: Person,
    /// Cosine of the two embeddings, -1 to 1.
    pub score: f32,
    /// The figure that people see, 0 to 1, by the network's [`SimilarityCurve`].
    pub similarity: f32,
    /// File name in [`Gallery::portraits_dir`].
    pub portrait: String,
    /// What else the list of people said: column and value.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

/// Why a gallery cannot be opened, searched or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GalleryError {
    /// The system refused something about a file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no gallery here.
    #[error("{} is not a gallery: it has no gallery.json; make one with `embed import`", path.display())]
    NotAGallery {
        /// The directory.
        path: PathBuf,
    },
    /// `gallery.json` cannot be understood.
    #[error("{} is broken: {detail}; import the photos into a new directory", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The gallery was written by a newer version of this program.
    #[error("{} has format {found}, this program knows up to {known}; update the program", path.display())]
    NewerFormat {
        /// `gallery.json`.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// The embeddings were made by another network, so no cosine with them means anything.
    #[error(
        "{} was made with the model `{found}`, not with `{asked}`; use that model, or import the \
         photos into a new directory",
        path.display()
    )]
    OtherModel {
        /// The directory.
        path: PathBuf,
        /// Name and hash in `gallery.json`.
        found: String,
        /// Name and hash of the pipeline.
        asked: String,
    },
    /// The same network was shown another part of the photos, or other colours.
    #[error(
        "{} was made with the same network and another `input` or `crop` in models.json; restore \
         them, or import the photos into a new directory",
        path.display()
    )]
    OtherInput {
        /// The directory.
        path: PathBuf,
    },
    /// The model has no curve from cosine to the figure that people see.
    #[error(
        "the model `{model}` has no `similarity` in models.json; run `embed calibrate lfw ROOT \
         --model {model}`, or write one"
    )]
    NotCalibrated {
        /// The model's name.
        model: String,
    },
    /// The portrait cannot be made.
    #[error("cannot make a portrait: {0}")]
    Portrait(String),
    /// The store of vectors failed.
    #[error(transparent)]
    Vectors(#[from] vecstore::Error),
}

/// What a gallery keeps with each vector: the payload of the record, whose group is the person's id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    person: Person,
    portrait: String,
    /// Of the photo's file, so that a changed photo is noticed.
    photo_sha256: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    details: BTreeMap<String, String>,
}

impl Entry {
    /// The person as one who looks like the one asked for, by the cosine of their embeddings.
    pub fn look_alike(self, cosine: f32, curve: SimilarityCurve) -> LookAlike {
        LookAlike {
            person: self.person,
            score: cosine,
            similarity: curve.at(cosine),
            portrait: self.portrait,
            details: self.details,
        }
    }
}

impl Gallery {
    /// Opens the gallery in `root` as its last import left it.
    ///
    /// # Errors
    /// When there is none, it is broken, or `pipeline` has another embedding network
    /// than the one that made it, or one without a [`SimilarityCurve`].
    pub fn open(root: impl Into<PathBuf>, pipeline: &Pipeline) -> Result<Self, GalleryError> {
        let root = root.into();
        Manifest::read(&root)?.check(&root, pipeline)?;
        Ok(Self { vectors: Self::vectors(&root)?, similarity: Self::curve(pipeline)?, root })
    }

    /// The curve by which `pipeline` turns cosines into the figure that people see.
    ///
    /// # Errors
    /// When it has none.
    pub fn curve(pipeline: &Pipeline) -> Result<SimilarityCurve, GalleryError> {
        let none = || GalleryError::NotCalibrated { model: pipeline.name().to_owned() };
        pipeline.similarity().ok_or_else(none)
    }

    /// The `k` people who look most like `face`, each once, best first.
    ///
    /// # Errors
    /// When `k` is 0 or the store cannot be read.
    pub fn lookalikes(&self, face: &Embedding, k: usize) -> Result<Vec<LookAlike>, GalleryError> {
        let hits = self.vectors.search(&Query::new(face.as_slice(), k).distinct_groups())?;
        hits.into_iter()
            .map(|hit| {
                let entry: Entry = hit.payload()?.ok_or_else(|| self.without_entry(hit.id))?;
                Ok(entry.look_alike(hit.score, self.similarity))
            })
            .collect()
    }

    /// The vectors of the gallery in `root`, whichever network made them: to be kept elsewhere, too.
    ///
    /// # Errors
    /// When they cannot be opened.
    pub fn vectors(root: &Path) -> Result<Reader, GalleryError> {
        Ok(Reader::open(vectors_dir(root))?)
    }

    /// The directory with the portraits.
    pub fn portraits_dir(&self) -> PathBuf {
        Self::portraits_in(&self.root)
    }

    /// The directory with the portraits of the gallery in `root`.
    pub fn portraits_in(root: &Path) -> PathBuf {
        portraits_dir(root)
    }

    /// How many photos it has.
    pub fn len(&self) -> usize {
        self.vectors.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn without_entry(&self, id: u64) -> GalleryError {
        GalleryError::Broken {
            path: vectors_dir(&self.root),
            detail: format!("vector {id:016x} does not say whose it is"),
        }
    }
}

fn portraits_dir(root: &Path) -> PathBuf {
    root.join("portraits")
}

fn vectors_dir(root: &Path) -> PathBuf {
    root.join("vectors")
}
