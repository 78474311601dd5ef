//! Where the gallery comes from: a folder, or a snapshot of one in a bucket of S3.
//!
//! `STORE=s3://BUCKET/PREFIX` names a gallery that was published there, file by file. [`Snapshot::bring`]
//! lists what belongs to it, downloads that into a folder whose name stands for exactly these versions
//! ([`download`]), lets vecstore check it, and gives it its name when it is whole. A process that starts
//! again finds it there. Portraits are many and seldom asked for, so each comes when it first is
//! ([`portraits`]).

mod bucket;
mod download;
mod portraits;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::{Router, middleware};
use tokio::runtime;

use bucket::{Address, Bucket};
use download::Cache;
use portraits::Portraits;

use crate::causes::with_causes;

/// How often a gallery that is replaced while it is downloaded is begun anew.
const REPLACED: usize = 3;

/// A gallery on this machine.
#[derive(Debug)]
pub(crate) struct Snapshot {
    folder: PathBuf,
    /// Where its portraits are, if not in the folder; and what keeps the folder from being cleared away.
    remote: Option<(Bucket, fs::File)>,
}

/// Why there is no gallery.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// What STORE says cannot be an address.
    #[error(
        "STORE={store} is not an address of a bucket: {reason}; write s3://BUCKET/PREFIX, or a folder"
    )]
    Address {
        /// What was said.
        store: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nothing there.
    #[error("there is no gallery at {url}: {name} is missing; put one there with `make publish`")]
    Missing {
        /// The address.
        url: String,
        /// What was looked for.
        name: String,
    },
    /// The bucket cannot be read.
    #[error(
        "cannot read {url}: {}; check the bucket's name, AWS_REGION, the credentials, and that they allow \
         s3:GetObject and s3:ListBucket",
        with_causes(source)
    )]
    Refused {
        /// The address.
        url: String,
        /// What S3 or the network said.
        source: object_store::Error,
    },
    /// Less came than was announced, again and again.
    #[error("{name} at {url} breaks off after {have} of {size} bytes; try again")]
    Truncated {
        /// The address.
        url: String,
        /// The file.
        name: String,
        /// How many bytes came.
        have: u64,
        /// How many there should be.
        size: u64,
    },
    /// It was replaced while it was downloaded, again and again.
    #[error("the gallery at {url} is being replaced; try again when that is done")]
    Changing {
        /// The address.
        url: String,
    },
    /// What is there is not a sound gallery.
    #[error("the gallery at {url} is damaged: {reason}; publish it again")]
    Damaged {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The folder for downloads cannot be used.
    #[error("cannot keep the gallery in CACHE_DIR={folder:?}: {source}")]
    Cache {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Snapshot {
    /// The gallery that `store` names; one in a bucket is downloaded into `cache`, unless it is there.
    ///
    /// The bucket is reached as `AWS_REGION`, `AWS_ACCESS_KEY_ID` and the other variables of AWS say, which
    /// AWS Lambda sets; `AWS_ENDPOINT_URL` names another service that speaks as S3 does.
    ///
    /// # Errors
    ///
    /// Says what cannot be read and what to do about it. Nothing that is damaged or incomplete is kept.
    pub(crate) fn bring(store: &Path, cache: &Path) -> Result<Self, SnapshotError> {
        let Some(address) = Address::of(store)? else {
            return Ok(Self { folder: store.to_owned(), remote: None });
        };
        let bucket = Bucket::open(&address)?;
        let failed = |source| SnapshotError::Cache { folder: cache.to_owned(), source };
        let cache = Cache::open(cache, &address).map_err(failed)?;
        let runtime =
            runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        for _ in 0..REPLACED {
            let contents = runtime.block_on(bucket.contents())?;
            match runtime.block_on(cache.fetch(&bucket, &contents)) {
                Ok(()) => {
                    let in_use = cache.settle(&contents, &address)?;
                    return Ok(Self {
                        folder: cache.folder(&contents),
                        remote: Some((bucket, in_use)),
                    });
                }
                Err(download::Failure::Changed) => {
                    tracing::info!("the gallery was replaced while it was downloaded; once more");
                    std::thread::sleep(Duration::from_millis(200));
                }
                Err(download::Failure::Error(error)) => return Err(error),
            }
        }
        Err(SnapshotError::Changing { url: address.to_string() })
    }

    /// The gallery's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The application, with portraits brought from where they are.
    pub(crate) fn serve_portraits(self, app: Router) -> Router {
        match self.remote {
            None => app,
            Some((bucket, in_use)) => {
                let portraits = Portraits::new(bucket, self.folder.join("portraits"), in_use);
                app.layer(middleware::from_fn_with_state(portraits, portraits::bring))
            }
        }
    }
}
