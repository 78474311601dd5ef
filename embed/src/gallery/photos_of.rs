//! The photos of one person.

use std::collections::BTreeMap;

use vecstore::{Filter, Query};

use super::{Entry, Gallery, GalleryError, Person};
use crate::embedding::Embedding;

/// A photo of a person of the gallery.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonPhoto {
    /// Who it shows.
    pub person: Person,
    /// File name in [`Gallery::portraits_dir`].
    pub portrait: String,
    /// What else the list of people said: column and value.
    pub details: BTreeMap<String, String>,
    /// Of the face in it.
    pub embedding: Embedding,
}

impl Entry {
    /// As a photo of its person, by the vector that it lies beside; `None` if that has no direction.
    pub fn photo(self, vector: Vec<f32>) -> Option<PersonPhoto> {
        let Self { person, portrait, details, .. } = self;
        Some(PersonPhoto { person, portrait, details, embedding: Embedding::normalised(vector)? })
    }
}

impl Gallery {
    /// At most `most` photos of the person with this id, in no order; none if there is nobody.
    ///
    /// # Errors
    /// When `most` is 0 or the store cannot be read.
    pub fn photos_of(&self, person: &str, most: usize) -> Result<Vec<PersonPhoto>, GalleryError> {
        // All that are theirs match, whatever they are asked to be near to.
        let any = vec![1.0; self.vectors.config().dimension()];
        let theirs = Filter::tag(person);
        let hits = self.vectors.search(&Query::new(&any, most).filter(&theirs))?;
        let mut photos = Vec::with_capacity(hits.len());
        for hit in hits {
            let entry: Entry = hit.payload()?.ok_or_else(|| self.without_entry(hit.id))?;
            let record = self.vectors.get(hit.id)?.ok_or_else(|| self.without_entry(hit.id))?;
            photos.extend(entry.photo(record.vector().to_vec()));
        }
        Ok(photos)
    }
}
