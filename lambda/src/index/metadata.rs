//! What the maker of a collection wants to be kept about it: a file beside the store.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::collections::OpenError;
use crate::problem::{Kind, Problem};

/// Any JSON object.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub(super) struct Metadata(Map<String, Value>);

const FILE: &str = "metadata.json";

/// The largest, in bytes of JSON: all of it is listed with the collections.
const MAX_BYTES: usize = 64 << 10;

/// What is kept in the folder of a collection, if there is something.
pub(super) fn read(folder: &Path) -> Result<Option<Metadata>, OpenError> {
    let path = folder.join(FILE);
    let read = match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(Into::into),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    read.map_err(|source| OpenError::Metadata { path, source })
}

impl Metadata {
    /// Refuses what is too large.
    pub(super) fn checked(object: Map<String, Value>) -> Result<Self, Problem> {
        let bytes = serde_json::to_vec(&object).map_err(Problem::internal)?.len();
        if bytes > MAX_BYTES {
            let words = format!("`metadata` has {bytes} bytes of JSON; it may have {MAX_BYTES}.");
            return Err(Problem::new(Kind::InvalidBody, words));
        }
        Ok(Self(object))
    }

    /// Keeps it in the folder of a collection: after a crash there is what was before, or this.
    pub(super) fn write(&self, folder: &Path) -> Result<(), Problem> {
        let json = serde_json::to_vec(self).map_err(Problem::internal)?;
        replace(folder, &json).map_err(Problem::internal)
    }
}

fn replace(folder: &Path, json: &[u8]) -> io::Result<()> {
    let part = folder.join(format!("{FILE}.part"));
    let mut file = File::create(&part)?;
    file.write_all(json)?;
    file.sync_all()?;
    fs::rename(&part, folder.join(FILE))?;
    File::open(folder)?.sync_all()
}
