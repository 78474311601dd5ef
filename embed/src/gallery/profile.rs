//! All that a gallery says of one person.

use std::collections::BTreeMap;

use serde::Serialize;
use vecstore::{Filter, Query, RecordRef};

use super::{Entry, Gallery, GalleryError, LookAlike, Person};
use crate::embedding::Embedding;

/// A person of the gallery: their photos, and who looks like them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    /// Who it is.
    pub person: Person,
    /// Their photos, the one nearest to their mean face first.
    pub photos: Vec<PersonPhoto>,
    /// Other people, best first.
    pub lookalikes: Vec<LookAlike>,
}

/// A photo of a person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PersonPhoto {
    /// File name in [`Gallery::portraits_dir`].
    pub portrait: String,
    /// What else the list of people said: column and value.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

impl Gallery {
    /// The person with this id: at most `photos` photos, and the `k` people who look most like
    /// the mean of these photos' embeddings; `None` if there is nobody with this id.
    ///
    /// Reads the group of every record: some milliseconds where there are 100,000.
    ///
    /// # Errors
    /// When `photos` or `k` is 0 or the store cannot be read.
    pub fn profile(
        &self,
        id: &str,
        photos: usize,
        k: usize,
    ) -> Result<Option<Profile>, GalleryError> {
        // Damage that hides a group hides the photo; whoever searches for it is told.
        let theirs = |record: &RecordRef<'_>| record.group().is_ok_and(|group| group == Some(id));
        let theirs = Filter::by(&theirs);
        let mut any = vec![0.0; self.vectors.config().dimension()];
        any.fill(1.0);
        let mut sum = vec![0.0; any.len()];
        for hit in self.vectors.search(&Query::new(&any, photos).filter(&theirs))? {
            let record = self.vectors.get(hit.id)?.ok_or_else(|| self.without_entry(hit.id))?;
            for (sum, value) in sum.iter_mut().zip(record.vector()) {
                *sum += value;
            }
        }
        let Some(mean) = Embedding::normalised(sum) else {
            return Ok(None);
        };
        let mut person = None;
        let mut found = Vec::new();
        for hit in self.vectors.search(&Query::new(mean.as_slice(), photos).filter(&theirs))? {
            let entry: Entry = hit.payload()?.ok_or_else(|| self.without_entry(hit.id))?;
            found.push(PersonPhoto { portrait: entry.portrait, details: entry.details });
            person.get_or_insert(entry.person);
        }
        let mut lookalikes = self.lookalikes(&mean, k + 1)?;
        lookalikes.retain(|other| other.person.id != id);
        lookalikes.truncate(k);
        Ok(person.map(|person| Profile { person, photos: found, lookalikes }))
    }
}
