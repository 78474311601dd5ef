//! Opening what photos are answered with: the networks, and the gallery or the index service.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use embed::{Assets, Gallery, GalleryError, PipelineError};
use reqwest::Url;
use tokio::task::{self, JoinError};

use crate::face_index::FaceIndex;
use crate::finder::Finder;
use crate::remote::{IndexError, RemoteFaces};
use crate::settings::{IndexAccess, Settings};

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
    /// The index service.
    #[error("cannot use the index service: {0}")]
    Index(#[from] IndexError),
    /// The thread that opens.
    #[error("cannot open the networks: {0}")]
    Thread(#[from] JoinError),
}

/// What photos are answered with.
pub(crate) struct Opened {
    pub(crate) finder: Arc<Finder>,
    pub(crate) faces: Box<dyn FaceIndex>,
}

/// Opens what the settings name.
///
/// An index service that does not answer yet is no error: the look-alikes are there when it is. One that
/// holds a gallery of another network, or refuses the key, is.
///
/// # Errors
///
/// Says what cannot be opened and what to do about it.
pub(crate) async fn open(settings: Settings) -> Result<Opened, OpenError> {
    let assets = Assets::new(&settings.models_dir);
    let finder = task::spawn_blocking(move || Finder::open(&assets)).await?;
    let finder = finder.map_err(|source| OpenError::Models {
        folder: settings.models_dir.clone(),
        source: Box::new(source),
    })?;
    let begin = Instant::now();
    let faces: Box<dyn FaceIndex> = match &settings.index_url {
        Some(url) => Box::new(remote(url, &settings.index, &finder).await?),
        None => Box::new(local(&settings, &finder)?),
    };
    tracing::info!(faces = ?begin.elapsed(), "ready");
    Ok(Opened { finder: Arc::new(finder), faces })
}

fn local(settings: &Settings, finder: &Finder) -> Result<Gallery, OpenError> {
    let folder = settings.store.clone();
    Gallery::open(&folder, finder.pipeline())
        .map_err(|source| OpenError::Gallery { folder, source })
}

async fn remote(
    url: &Url,
    access: &IndexAccess,
    finder: &Finder,
) -> Result<RemoteFaces, IndexError> {
    let faces = RemoteFaces::new(url, access, finder.pipeline())?;
    match faces.check().await {
        Ok(photos) => tracing::info!(photos, %url, "the index answers"),
        Err(error) if error.is_final() => return Err(error),
        Err(error) => tracing::warn!(%error, "no look-alikes yet"),
    }
    Ok(faces)
}
