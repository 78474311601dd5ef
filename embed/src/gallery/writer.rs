//! Adding photos to a gallery.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use vecstore::{Config, Metric, Query, Record, Store};

use super::manifest::Manifest;
use super::{Entry, GalleryError, Person, portrait, portraits_dir, vectors_dir};
use crate::embedding::Embedding;
use crate::files;
use crate::geometry::Rect;
use crate::photo::Photo;
use crate::pipeline::Pipeline;

/// The one writer of a gallery.
pub(crate) struct GalleryWriter {
    root: PathBuf,
    vectors: Store,
}

/// A photo to be added, with what was found in it.
pub(crate) struct NewPhoto<'a> {
    /// Names the photo for good: adding under the same key replaces.
    pub(crate) key: &'a str,
    pub(crate) person: &'a Person,
    pub(crate) details: &'a BTreeMap<String, String>,
    /// SHA-256 of the file, in hex.
    pub(crate) sha256: String,
    pub(crate) photo: &'a Photo,
    pub(crate) face: Rect,
    pub(crate) embedding: Embedding,
}

impl GalleryWriter {
    /// Opens the gallery in `root`, or makes an empty one there.
    pub(crate) fn open_or_create(root: &Path, pipeline: &Pipeline) -> Result<Self, GalleryError> {
        let portraits = portraits_dir(root);
        std::fs::create_dir_all(&portraits).map_err(|source| GalleryError::Io {
            action: "create",
            path: portraits,
            source,
        })?;
        match Manifest::read(root) {
            Ok(manifest) => manifest.check(root, pipeline)?,
            Err(GalleryError::NotAGallery { .. }) => Manifest::of(pipeline).write(root)?,
            Err(error) => return Err(error),
        }
        let config = Config::new(pipeline.embedding_model().dimension, Metric::Cosine);
        let vectors = Store::open_or_create(vectors_dir(root), config)?;
        Ok(Self { root: root.to_owned(), vectors })
    }

    /// Whether exactly this photo of this person is there already, portrait included.
    pub(crate) fn has(
        &self,
        key: &str,
        sha256: &str,
        person: &Person,
        details: &BTreeMap<String, String>,
    ) -> Result<bool, GalleryError> {
        let Some(record) = self.vectors.get(id_of(key))? else {
            return Ok(false);
        };
        let Some(entry) = record.payload::<Entry>()? else {
            return Ok(false);
        };
        Ok(entry.photo_sha256 == sha256
            && entry.person == *person
            && entry.details == *details
            && portraits_dir(&self.root).join(&entry.portrait).is_file())
    }

    /// Writes the portrait; the record that it gives is for [`GalleryWriter::insert`].
    pub(crate) fn prepare(&self, new: NewPhoto<'_>) -> Result<Record, GalleryError> {
        let id = id_of(new.key);
        let portrait = format!("{id:016x}.jpg");
        let path = portraits_dir(&self.root).join(&portrait);
        files::replace(&path, &portrait::portrait(new.photo, &new.face)?)
            .map_err(|source| GalleryError::Io { action: "write", path, source })?;
        let entry = Entry {
            person: new.person.clone(),
            portrait,
            photo_sha256: new.sha256,
            details: new.details.clone(),
        };
        let record = Record::new(id, new.embedding.into_vec()).with_group(new.person.id.as_str());
        Ok(record.with_payload(&entry)?)
    }

    /// Inserts prepared records; durable when it returns.
    pub(crate) fn insert(&self, records: &[Record]) -> Result<(), GalleryError> {
        Ok(self.vectors.insert_batch(records)?)
    }

    /// The person whose photo is the most like the one under `key`, other than the
    /// person in it, with the cosine.
    pub(crate) fn nearest_other(&self, key: &str) -> Result<Option<(Person, f32)>, GalleryError> {
        let Some(record) = self.vectors.get(id_of(key))? else {
            return Ok(None);
        };
        let hits = self.vectors.search(&Query::new(record.vector(), 2).distinct_groups())?;
        let Some(other) = hits.iter().find(|hit| hit.group.as_deref() != record.group()) else {
            return Ok(None);
        };
        let entry = other.payload::<Entry>()?;
        Ok(entry.map(|entry| (entry.person, other.score)))
    }

    /// Makes everything visible to readers.
    pub(crate) fn finish(&self) -> Result<(), GalleryError> {
        Ok(self.vectors.checkpoint()?)
    }
}

/// The first 64 bits of the key's SHA-256: the same in every run and on every machine.
fn id_of(key: &str) -> u64 {
    let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    digest.first_chunk().copied().map_or(0, u64::from_be_bytes)
}
