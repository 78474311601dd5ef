//! `gallery.json`: which network made the embeddings.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::GalleryError;
use crate::files;
use crate::model::{Crop, InputFormat};
use crate::pipeline::Pipeline;

/// The format written; a gallery with a higher number is refused.
const FORMAT: u32 = 1;

/// What says which network made the embeddings of a gallery: the content of `gallery.json`, which goes
/// along where the vectors are kept elsewhere.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    format: u32,
    model: String,
    embedding_sha256: String,
    /// What the network was shown; not there in galleries of earlier versions.
    shown: Option<Shown>,
}

/// What goes into an embedding network, apart from the photo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Shown {
    input: InputFormat,
    crop: Crop,
}

impl Manifest {
    /// Of galleries that `pipeline` makes.
    pub fn of(pipeline: &Pipeline) -> Self {
        let model = pipeline.embedding_model();
        let shown = Shown { input: model.network.input.clone(), crop: model.crop.clone() };
        Self {
            format: FORMAT,
            model: pipeline.name().to_owned(),
            embedding_sha256: pipeline.embedding_sha256().to_owned(),
            shown: Some(shown),
        }
    }

    /// Of the gallery in `root`.
    ///
    /// # Errors
    /// When there is no gallery, or its `gallery.json` cannot be understood.
    pub fn read(root: &Path) -> Result<Self, GalleryError> {
        let path = path_in(root);
        let bytes = std::fs::read(&path).map_err(|source| match source.kind() {
            ErrorKind::NotFound => GalleryError::NotAGallery { path: root.to_owned() },
            _ => GalleryError::Io { action: "read", path: path.clone(), source },
        })?;
        Self::parse(&bytes, &path)
    }

    /// Understands the JSON that lies at `place`, a file or an address.
    ///
    /// # Errors
    /// When it is not what this program writes, or a later one wrote it.
    pub fn parse(json: &[u8], place: &Path) -> Result<Self, GalleryError> {
        let broken = |error: serde_json::Error| GalleryError::Broken {
            path: place.to_owned(),
            detail: error.to_string(),
        };
        /// Only this much is certain of a format that is not known yet.
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } = serde_json::from_slice(json).map_err(broken)?;
        if format > FORMAT {
            let path = place.to_owned();
            return Err(GalleryError::NewerFormat { path, found: format, known: FORMAT });
        }
        serde_json::from_slice(json).map_err(broken)
    }

    pub(super) fn write(&self, root: &Path) -> Result<(), GalleryError> {
        let path = path_in(root);
        let json = serde_json::to_vec_pretty(self).map_err(|error| GalleryError::Broken {
            path: path.clone(),
            detail: error.to_string(),
        })?;
        files::replace(&path, &json).map_err(|source| GalleryError::Io {
            action: "write",
            path,
            source,
        })
    }

    /// Refuses a pipeline whose embeddings are not comparable with the gallery's.
    pub(super) fn check(&self, root: &Path, pipeline: &Pipeline) -> Result<(), GalleryError> {
        self.admit(root, &Self::of(pipeline))
    }

    /// Refuses `asked`, if its embeddings are not comparable with those of this one, which lies at `root`.
    ///
    /// # Errors
    /// When another network made them, or it was shown something else.
    pub fn admit(&self, root: &Path, asked: &Self) -> Result<(), GalleryError> {
        if self.embedding_sha256 == asked.embedding_sha256 {
            if self.shown.is_none() || self.shown == asked.shown {
                return Ok(());
            }
            return Err(GalleryError::OtherInput { path: root.to_owned() });
        }
        Err(GalleryError::OtherModel {
            path: root.to_owned(),
            found: self.describe(),
            asked: asked.describe(),
        })
    }

    fn describe(&self) -> String {
        format!("{}, sha256 {}", self.model, self.embedding_sha256)
    }
}

fn path_in(root: &Path) -> PathBuf {
    root.join("gallery.json")
}
