//! Files that are downloaded once, go on where they stopped, and are whole or not there.
//!
//! ```text
//! CACHE_DIR/<address>.lock               held while something is downloaded
//! CACHE_DIR/<address>-<versions>.part/   what came so far; only ever of these versions
//! CACHE_DIR/<address>-<versions>/        whole and checked
//! ```

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::TryStreamExt;
use vecstore::Reader;

use super::SnapshotError;
use super::bucket::{Address, Bucket, Contents, Item};

/// How often in a row nothing more may come of a file.
const BROKEN_OFF: usize = 5;

/// In a folder of the cache: locked by whoever uses it.
const IN_USE: &str = "in-use";

/// What has been downloaded from one address.
pub(super) struct Cache {
    root: PathBuf,
    address: String,
    /// Others wait until this process has what it wants.
    _lock: File,
}

/// Why a download ended early.
pub(super) enum Failure {
    /// A file is not the version any more that was listed.
    Changed,
    Error(SnapshotError),
}

impl Cache {
    pub(super) fn open(root: &Path, address: &Address) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        let address = address.digest();
        let lock = File::create(root.join(format!("{address}.lock")))?;
        lock.lock()?;
        Ok(Self { root: root.to_owned(), address, _lock: lock })
    }

    /// Where these versions are, once they are.
    pub(super) fn folder(&self, contents: &Contents) -> PathBuf {
        self.root.join(format!("{}-{}", self.address, contents.digest()))
    }

    fn part(&self, contents: &Contents) -> PathBuf {
        self.folder(contents).with_extension("part")
    }

    /// Downloads what is missing.
    pub(super) async fn fetch(&self, bucket: &Bucket, contents: &Contents) -> Result<(), Failure> {
        if self.folder(contents).exists() {
            return Ok(());
        }
        for item in &contents.0 {
            let file = self.part(contents).join(&item.name);
            self.fetch_file(bucket, item, &file).await?;
        }
        Ok(())
    }

    async fn fetch_file(&self, bucket: &Bucket, item: &Item, path: &Path) -> Result<(), Failure> {
        let failed = |error| Failure::Error(self.failed(error));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut file = File::options().create(true).append(true).open(path).map_err(failed)?;
        let mut have = file.metadata().map_err(failed)?.len();
        let mut idle = 0;
        while have < item.size {
            let came = receive(bucket, item, have, &mut file).await;
            let now = file.metadata().map_err(failed)?.len();
            match came {
                Err(Interruption::Disk(error)) => return Err(failed(error)),
                Err(Interruption::Network(object_store::Error::Precondition { .. })) => {
                    return Err(Failure::Changed);
                }
                // Deleted since it was listed: the next list tells.
                Err(Interruption::Network(object_store::Error::NotFound { .. })) => {
                    return Err(Failure::Changed);
                }
                Err(Interruption::Network(error)) if idle == BROKEN_OFF => {
                    return Err(Failure::Error(bucket.error(&item.name, error)));
                }
                Err(Interruption::Network(error)) => {
                    tracing::warn!("{} broke off after {now} bytes: {error}", item.name);
                }
                Ok(()) => {}
            }
            idle = if now > have { 0 } else { idle + 1 };
            have = now;
            if idle > BROKEN_OFF {
                let (url, name) = (bucket.url(), item.name.clone());
                let size = item.size;
                return Err(Failure::Error(SnapshotError::Truncated { url, name, have, size }));
            }
            if idle > 0 {
                tokio::time::sleep(Duration::from_millis(100 << idle)).await;
            }
        }
        file.sync_all().map_err(failed)
    }

    /// Checks what was downloaded, gives it its name, and clears away what it replaces. The file that is
    /// returned keeps others from clearing this away.
    pub(super) fn settle(
        &self,
        contents: &Contents,
        address: &Address,
    ) -> Result<File, SnapshotError> {
        let (part, folder) = (self.part(contents), self.folder(contents));
        let failed = |error| self.failed(error);
        if !folder.exists() {
            if let Err(error) = check(&part, contents) {
                // Whatever it is, going on with it would not make it better.
                fs::remove_dir_all(&part).map_err(failed)?;
                let reason = error.to_string();
                return Err(SnapshotError::Damaged { url: address.to_string(), reason });
            }
            fs::create_dir_all(part.join("portraits")).map_err(failed)?;
            fs::rename(&part, &folder).map_err(failed)?;
            File::open(&self.root).and_then(|root| root.sync_all()).map_err(failed)?;
        }
        let in_use = File::create(folder.join(IN_USE)).map_err(failed)?;
        in_use.lock_shared().map_err(failed)?;
        self.clear_others(&folder).map_err(failed)?;
        Ok(in_use)
    }

    /// Removes what came from the same address before, unless a process uses it.
    fn clear_others(&self, kept: &Path) -> io::Result<()> {
        let ours = format!("{}-", self.address);
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            if entry.path() == kept || !entry.file_name().to_string_lossy().starts_with(&ours) {
                continue;
            }
            let used = match File::open(entry.path().join(IN_USE)) {
                Ok(file) => file.try_lock().is_err(),
                Err(error) if error.kind() == ErrorKind::NotFound => false,
                Err(error) => return Err(error),
            };
            if !used {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    fn failed(&self, source: io::Error) -> SnapshotError {
        SnapshotError::Cache { folder: self.root.clone(), source }
    }
}

/// What ends a transfer before its end.
enum Interruption {
    Network(object_store::Error),
    Disk(io::Error),
}

/// Appends what comes of a file from byte `from` on.
async fn receive(
    bucket: &Bucket,
    item: &Item,
    from: u64,
    file: &mut File,
) -> Result<(), Interruption> {
    let got = bucket.get(item, from).await.map_err(Interruption::Network)?;
    if got.range.start != from {
        // A service that does not know ranges; what came of it cannot be put to what is there.
        file.set_len(0).map_err(Interruption::Disk)?;
    }
    let mut rest = item.size.saturating_sub(got.range.start);
    let mut stream = got.into_stream();
    while let Some(bytes) = stream.try_next().await.map_err(Interruption::Network)? {
        let bytes = &bytes[..bytes.len().min(rest as usize)];
        file.write_all(bytes).map_err(Interruption::Disk)?;
        rest -= bytes.len() as u64;
    }
    Ok(())
}

/// All files are there in full, and vecstore finds nothing wrong with them.
fn check(folder: &Path, contents: &Contents) -> Result<(), Box<dyn std::error::Error>> {
    for item in &contents.0 {
        let size = fs::metadata(folder.join(&item.name))?.len();
        if size != item.size {
            return Err(format!("{} has {size} bytes, not {}", item.name, item.size).into());
        }
    }
    Reader::open(folder.join("vectors"))?.snapshot().verify()?;
    Ok(())
}
