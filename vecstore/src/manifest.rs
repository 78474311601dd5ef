//! The one commit point of a store: which files make it up.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::part::MAX_SEQ;
use crate::{Config, Error, Result, dir};

const NAME: &str = "MANIFEST";
const VERSION: u32 = 1;

/// Which files make up the store. On disk: a line that names the format, a line of JSON, and a line
/// with the crc32c of both; replaced as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) config: Config,
    /// The file name of the segment; a store that was never checkpointed has none.
    pub(crate) segment: Option<String>,
    /// The last change that the segment includes.
    pub(crate) seq: u64,
    /// The first change of each tail, oldest first; it also names the tail. The last tail is written to.
    pub(crate) tails: Vec<u64>,
}

impl Manifest {
    pub(crate) fn exists(store: &Path) -> bool {
        store.join(NAME).exists()
    }

    pub(crate) fn read(store: &Path) -> Result<Self> {
        let path = store.join(NAME);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Err(Error::NotAStore { path: store.to_owned() });
            }
            Err(error) => return Err(Error::io("read", &path)(error)),
        };
        let damaged = |what: &str| Error::corrupt(&path, what);
        let text = std::str::from_utf8(&text).map_err(|_| damaged("it is not text"))?;
        let found = text
            .strip_prefix("vecstore manifest ")
            .and_then(|rest| rest.lines().next()?.parse::<u32>().ok())
            .ok_or_else(|| damaged("it does not begin like a vecstore manifest"))?;
        if found > VERSION {
            return Err(Error::NewerVersion { path, found, supported: VERSION });
        }
        let (body, checksum) = text
            .strip_suffix('\n')
            .and_then(|text| text.rsplit_once("crc32c "))
            .ok_or_else(|| damaged("its checksum is missing; it was cut off"))?;
        if checksum != format!("{:08x}", crc32c::crc32c(body.as_bytes())) {
            return Err(damaged("it has the wrong checksum"));
        }
        let json = body.lines().nth(1).unwrap_or_default();
        let manifest: Self =
            serde_json::from_str(json).map_err(|error| damaged(&error.to_string()))?;
        manifest.config.validate().map_err(|error| damaged(&error.to_string()))?;
        if manifest.tails.is_empty() {
            return Err(damaged("it names no tail"));
        }
        if manifest.seq > MAX_SEQ {
            return Err(damaged("no store has seen as many changes as it says"));
        }
        if manifest.segment.as_ref().is_some_and(|name| *name != segment_name(manifest.seq)) {
            return Err(damaged("the segment it names is not that of its last change"));
        }
        Ok(manifest)
    }

    pub(crate) fn write(&self, store: &Path) -> Result<()> {
        dir::replace(store, NAME, |file| {
            let json = serde_json::to_string(self)?;
            let body = format!("vecstore manifest {VERSION}\n{json}\n");
            writeln!(file, "{body}crc32c {:08x}", crc32c::crc32c(body.as_bytes()))
        })
    }

    /// The path of the segment, if there is one.
    pub(crate) fn segment_path(&self, store: &Path) -> Option<PathBuf> {
        self.segment.as_ref().map(|name| segments_dir(store).join(name))
    }
}

/// The file name of the segment that includes all changes up to `seq`.
pub(crate) fn segment_name(seq: u64) -> String {
    format!("{seq:020}.seg")
}

pub(crate) fn segments_dir(store: &Path) -> PathBuf {
    store.join("segments")
}

pub(crate) fn tails_dir(store: &Path) -> PathBuf {
    store.join("tail")
}

pub(crate) fn tail_path(store: &Path, start: u64) -> PathBuf {
    tails_dir(store).join(format!("{start:020}"))
}
