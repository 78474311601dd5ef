//! Adding photos to a gallery.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use vecstore::{Config, Metric, Query, Record, Store};

use super::manifest::Manifest;
use super::{Entry, GalleryError, Person, portrait, portraits_dir, vectors_dir};
use crate::digest::id_of;
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

    /// The record of exactly this photo, if it is there already, portrait included.
    pub(crate) fn find(&self, key: &str, sha256: &str) -> Result<Option<Record>, GalleryError> {
        let Some(record) = self.vectors.get(id_of(key))? else {
            return Ok(None);
        };
        let Some(entry) = record.payload::<Entry>()? else {
            return Ok(None);
        };
        let portrait = portraits_dir(&self.root).join(&entry.portrait);
        Ok((entry.photo_sha256 == sha256 && portrait.is_file()).then_some(record))
    }

    /// A record with what is known of its photo now; nothing if that is what it says.
    pub(crate) fn relabel(
        &self,
        record: Record,
        person: &Person,
        details: &BTreeMap<String, String>,
    ) -> Result<Option<Record>, GalleryError> {
        let Some(mut entry) = record.payload::<Entry>()? else {
            return Ok(None);
        };
        if entry.person == *person && entry.details == *details {
            return Ok(None);
        }
        entry.person = person.clone();
        entry.details = details.clone();
        Ok(Some(of_person(record, person).with_payload(&entry)?))
    }

    /// Writes the portrait beside its place; [`GalleryWriter::insert`] puts it there, with
    /// the record that this gives.
    pub(crate) fn prepare(&self, new: NewPhoto<'_>) -> Result<Record, GalleryError> {
        let id = id_of(new.key);
        let path = self.portrait_part(id);
        std::fs::write(&path, portrait::portrait(new.photo, &new.face)?)
            .map_err(|source| GalleryError::Io { action: "write", path, source })?;
        let entry = Entry {
            person: new.person.clone(),
            portrait: portrait_name(id),
            photo_sha256: new.sha256,
            details: new.details.clone(),
        };
        let record = of_person(Record::new(id, new.embedding.into_vec()), new.person);
        Ok(record.with_payload(&entry)?)
    }

    /// Inserts records and the portraits prepared with them; durable when it returns. A
    /// record is never there without its portrait.
    pub(crate) fn insert(&self, records: &[Record]) -> Result<(), GalleryError> {
        let portraits = portraits_dir(&self.root);
        for record in records {
            let (part, path) =
                (self.portrait_part(record.id()), portraits.join(portrait_name(record.id())));
            if part.is_file() {
                files::settle(&part, &path).map_err(|source| GalleryError::Io {
                    action: "write",
                    path,
                    source,
                })?;
            }
        }
        files::sync_dir(&portraits).map_err(|source| GalleryError::Io {
            action: "write",
            path: portraits,
            source,
        })?;
        Ok(self.vectors.insert_batch(records)?)
    }

    /// The person in a photo, and the one whose photo is the most like it, other than that
    /// person, with the cosine.
    pub(crate) fn nearest_other(
        &self,
        id: u64,
    ) -> Result<Option<(Person, Person, f32)>, GalleryError> {
        let Some(record) = self.vectors.get(id)? else {
            return Ok(None);
        };
        let hits = self.vectors.search(&Query::new(record.vector(), 2).distinct_groups())?;
        let Some(other) = hits.iter().find(|hit| hit.group.as_deref() != record.group()) else {
            return Ok(None);
        };
        let people = record.payload::<Entry>()?.zip(other.payload::<Entry>()?);
        Ok(people.map(|(own, entry)| (own.person, entry.person, other.score)))
    }

    /// Makes everything visible to readers.
    pub(crate) fn finish(&self) -> Result<(), GalleryError> {
        Ok(self.vectors.checkpoint()?)
    }

    fn portrait_part(&self, id: u64) -> PathBuf {
        portraits_dir(&self.root).join(format!("{}.part", portrait_name(id)))
    }
}

/// A record that takes one place with others of the person, and is found by the person's id.
fn of_person(record: Record, person: &Person) -> Record {
    record.with_group(person.id.as_str()).with_tags([person.id.as_str()])
}

fn portrait_name(id: u64) -> String {
    format!("{id:016x}.jpg")
}
