//! Portraits out of the bucket, each when it is first asked for.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tempfile::NamedTempFile;

use super::bucket::Bucket;
use crate::causes::with_causes;
use crate::problem::{Kind, Problem};

/// How the path of a portrait begins.
const PREFIX: &str = "/portraits/";

/// The portraits of one gallery.
#[derive(Clone)]
pub(super) struct Portraits(Arc<Inner>);

struct Inner {
    bucket: Bucket,
    folder: PathBuf,
    _in_use: File,
}

impl Portraits {
    pub(super) fn new(bucket: Bucket, folder: PathBuf, in_use: File) -> Self {
        Self(Arc::new(Inner { bucket, folder, _in_use: in_use }))
    }

    /// Brings a portrait into the folder, if it is not there and the bucket has it.
    async fn bring(&self, file: &str) -> Result<(), Problem> {
        let path = self.0.folder.join(file);
        if path.exists() {
            return Ok(());
        }
        match self.0.bucket.portrait(file).await {
            Ok(bytes) => keep(&path, &bytes).map_err(Problem::internal),
            // Whoever serves the folder says that it is not there.
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => {
                tracing::warn!("cannot bring a portrait: {}", with_causes(&error));
                let words = "The portraits cannot be reached; try again in a moment.";
                Err(Problem::new(Kind::TooBusy, words))
            }
        }
    }
}

/// Writes a file so that nobody sees half of it.
fn keep(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let part = NamedTempFile::new_in(folder)?;
    fs::write(part.path(), bytes)?;
    part.persist(path)?;
    Ok(())
}

/// Sees to it that the portrait that is asked for lies in its folder.
pub(super) async fn bring(
    State(portraits): State<Portraits>,
    request: Request,
    next: Next,
) -> Response {
    let asked = request.uri().path().strip_prefix(PREFIX).filter(|file| is_portrait(file));
    if let Some(file) = asked
        && let Err(problem) = portraits.bring(file).await
    {
        return problem.into_response();
    }
    next.run(request).await
}

/// Whether an import gives portraits such names: letters and digits, and an ending.
fn is_portrait(file: &str) -> bool {
    file.strip_suffix(".jpg").is_some_and(|stem| {
        !stem.is_empty() && stem.len() <= 64 && stem.bytes().all(|it| it.is_ascii_alphanumeric())
    })
}
