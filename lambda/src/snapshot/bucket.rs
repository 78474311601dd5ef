//! A gallery in a bucket: what belongs to it, and its files.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::path::Path as Key;
use object_store::{
    BackoffConfig, ClientOptions, GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore,
    ObjectStoreExt, RetryConfig,
};
use sha2::{Digest, Sha256};

use super::SnapshotError;

/// How long nothing may come before a transfer is given up and tried again.
const SILENCE: Duration = Duration::from_secs(10);

/// How long one request is tried; the function has to be ready long before its users lose patience.
const TRIED: RetryConfig = RetryConfig {
    backoff: BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(2),
        base: 2.0,
    },
    max_retries: 4,
    retry_timeout: Duration::from_secs(20),
};

/// `s3://BUCKET/PREFIX`.
#[derive(Debug, Clone)]
pub(super) struct Address {
    bucket: String,
    prefix: Key,
}

impl Address {
    /// The address of a bucket, or nothing when `store` is a folder.
    pub(super) fn of(store: &Path) -> Result<Option<Self>, SnapshotError> {
        let text = store.to_string_lossy();
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(None);
        };
        let wrong = |reason: &str| SnapshotError::Address {
            store: text.clone().into_owned(),
            reason: reason.to_owned(),
        };
        if scheme != "s3" {
            return Err(wrong("it does not begin with s3://"));
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '-');
        if bucket.len() < 3 || !bucket.chars().all(plain) {
            return Err(wrong("the bucket's name has other letters than a-z, 0-9, . and -"));
        }
        let prefix =
            Key::parse(prefix.trim_end_matches('/')).map_err(|error| wrong(&error.to_string()))?;
        Ok(Some(Self { bucket: bucket.to_owned(), prefix }))
    }

    /// A short name for it.
    pub(super) fn digest(&self) -> String {
        digest([self.to_string()])
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

/// The bucket, reached with the address's prefix.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    address: Address,
    store: Arc<dyn ObjectStore>,
}

/// A file of the gallery, in one certain version.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Below the gallery's folder, its parts plain names.
    pub(super) name: String,
    pub(super) size: u64,
    etag: String,
}

/// The versions of all files that make up the gallery, apart from its portraits.
#[derive(Debug)]
pub(super) struct Contents(pub(super) Vec<Item>);

impl Contents {
    /// A short name for exactly these versions.
    pub(super) fn digest(&self) -> String {
        digest(self.0.iter().flat_map(|it| [it.name.clone(), it.etag.clone(), it.size.to_string()]))
    }
}

impl Bucket {
    pub(super) fn open(address: &Address) -> Result<Self, SnapshotError> {
        let client = ClientOptions::new()
            .with_connect_timeout(Duration::from_secs(5))
            .with_read_timeout(SILENCE)
            // A large file takes as long as it takes.
            .with_timeout_disabled();
        let allow_http =
            std::env::var("AWS_ENDPOINT_URL").is_ok_and(|it| it.starts_with("http://"));
        let store = AmazonS3Builder::from_env()
            .with_bucket_name(&address.bucket)
            .with_client_options(client.with_allow_http(allow_http))
            .with_retry(TRIED)
            .build()
            .map_err(|source| SnapshotError::Refused { url: address.to_string(), source })?;
        Ok(Self { address: address.clone(), store: Arc::new(store) })
    }

    /// What belongs to the gallery now. The logs of its vecstore do not: who only reads needs none.
    pub(super) async fn contents(&self) -> Result<Contents, SnapshotError> {
        let mut found =
            vec![self.head("gallery.json").await?, self.head("vectors/MANIFEST").await?];
        let segments = self.key("vectors/segments");
        let listed: Vec<_> = self
            .store
            .list(Some(&segments))
            .try_collect()
            .await
            .map_err(|error| self.error("vectors/segments", error))?;
        for meta in listed {
            if let Some(file) = meta.location.filename() {
                found.push(self.item(&format!("vectors/segments/{file}"), meta.clone())?);
            }
        }
        Ok(Contents(found))
    }

    /// The file from byte `from` on, unless it is not this version any more.
    pub(super) async fn get(&self, item: &Item, from: u64) -> object_store::Result<GetResult> {
        let options = GetOptions {
            if_match: Some(item.etag.clone()),
            range: (from > 0).then_some(GetRange::Offset(from)),
            ..GetOptions::default()
        };
        self.store.get_opts(&self.key(&item.name), options).await
    }

    /// A portrait, if it is there.
    pub(super) async fn portrait(&self, file: &str) -> object_store::Result<Vec<u8>> {
        let got = self.store.get(&self.key(&format!("portraits/{file}"))).await?;
        Ok(got.bytes().await?.into())
    }

    /// What went wrong with a file, in words.
    pub(super) fn error(&self, name: &str, error: object_store::Error) -> SnapshotError {
        let url = self.address.to_string();
        match error {
            object_store::Error::NotFound { .. } => {
                SnapshotError::Missing { url, name: name.to_owned() }
            }
            source => SnapshotError::Refused { url, source },
        }
    }

    pub(super) fn url(&self) -> String {
        self.address.to_string()
    }

    async fn head(&self, name: &str) -> Result<Item, SnapshotError> {
        let meta =
            self.store.head(&self.key(name)).await.map_err(|error| self.error(name, error))?;
        self.item(name, meta)
    }

    fn item(&self, name: &str, meta: ObjectMeta) -> Result<Item, SnapshotError> {
        let etag = meta.e_tag.ok_or_else(|| SnapshotError::Damaged {
            url: self.url(),
            reason: format!("{name} has no ETag"),
        })?;
        Ok(Item { name: name.to_owned(), size: meta.size, etag })
    }

    fn key(&self, name: &str) -> Key {
        name.split('/').fold(self.address.prefix.clone(), |key, part| key.join(part))
    }
}

fn digest(parts: impl IntoIterator<Item = String>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let of = |text: &str| Address::of(Path::new(text)).map(|it| it.map(|it| it.to_string()));
        assert_eq!(of("s3://bucket/a/b/").unwrap().unwrap(), "s3://bucket/a/b");
        assert_eq!(of("s3://bucket").unwrap().unwrap(), "s3://bucket/");
        for folder in ["data/demo", "/data/s3", "./s3:/x"] {
            assert!(of(folder).unwrap().is_none(), "{folder}");
        }
        for wrong in [
            "https://bucket/a",
            "s3://",
            "s3:///a",
            "s3://b_c/a",
            "s3://bucket/a//b",
            "s3://bucket/../b",
        ] {
            let error = of(wrong).unwrap_err().to_string();
            assert!(error.contains(wrong) && error.contains("s3://BUCKET/PREFIX"), "{error}");
        }
    }
}
