//! What goes into a store, and what comes out of a search.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// The largest payload, in bytes of JSON.
pub const MAX_PAYLOAD_BYTES: usize = 1 << 20;

/// The longest name of a group, in bytes.
pub const MAX_GROUP_BYTES: usize = 1 << 10;

/// The most tags that a record may have.
pub const MAX_TAGS: usize = 64;

/// The longest tag, in bytes.
pub const MAX_TAG_BYTES: usize = 256;

/// A vector under an id of the caller's choice, with optional group, tags and payload.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub(crate) id: u64,
    pub(crate) vector: Vec<f32>,
    pub(crate) group: Option<String>,
    /// In order, each once.
    pub(crate) tags: Vec<String>,
    pub(crate) payload: Payload,
}

impl Record {
    /// A vector under an id. Inserting it replaces what the store has under the same id.
    pub fn new(id: u64, vector: Vec<f32>) -> Self {
        Self { id, vector, group: None, tags: Vec::new(), payload: Payload::default() }
    }

    /// Puts the record into a group, for [`Query::distinct_groups`](crate::Query::distinct_groups):
    /// the person that a portrait shows, the document that a passage comes from.
    #[must_use]
    pub fn with_group(self, group: impl Into<String>) -> Self {
        Self { group: Some(group.into()), ..self }
    }

    /// Sets the tags, by which a [`Filter`](crate::Filter) can choose.
    #[must_use]
    pub fn with_tags(self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut tags: Vec<String> = tags.into_iter().map(Into::into).collect();
        tags.sort_unstable();
        tags.dedup();
        Self { tags, ..self }
    }

    /// Attaches data that comes back with the record; kept as JSON, at most
    /// [`MAX_PAYLOAD_BYTES`] long.
    ///
    /// # Errors
    ///
    /// [`Error::Payload`] if it cannot be turned into JSON, [`Error::TooLarge`] if it is too long.
    pub fn with_payload(self, payload: &impl Serialize) -> Result<Self> {
        let payload = Payload(serde_json::to_vec(payload)?.into());
        check_size("payload", payload.0.len(), MAX_PAYLOAD_BYTES)?;
        Ok(Self { payload, ..self })
    }

    /// The id.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The vector; as read from a store with [`Metric::Cosine`](crate::Metric::Cosine), the unit vector.
    pub fn vector(&self) -> &[f32] {
        &self.vector
    }

    /// The group, if the record is in one.
    pub fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    /// The tags, in order, each once.
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// The payload, or `None` if the record has none.
    ///
    /// # Errors
    ///
    /// [`Error::Payload`] if it does not fit `T`.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        parse_payload(&self.payload.0)
    }

    pub(crate) fn check(&self) -> Result<()> {
        check_size("group", self.group.as_ref().map_or(0, String::len), MAX_GROUP_BYTES)?;
        self.tags.iter().try_for_each(|tag| check_size("tag", tag.len(), MAX_TAG_BYTES))?;
        if self.tags.len() > MAX_TAGS {
            return Err(Error::TooManyTags { got: self.tags.len(), limit: MAX_TAGS });
        }
        Ok(())
    }
}

/// One result of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The id of the record found.
    pub id: u64,
    /// How near it is, as [`Metric`](crate::Metric) says: the cosine, the inner product, or the
    /// squared Euclidean distance.
    pub score: f32,
    /// Its group, if it is in one.
    pub group: Option<String>,
    pub(crate) payload: Payload,
}

impl Hit {
    /// The payload of the record found, or `None` if it has none.
    ///
    /// # Errors
    ///
    /// [`Error::Payload`] if it does not fit `T`.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        parse_payload(&self.payload.0)
    }
}

/// JSON text; empty where a record has no payload.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Payload(pub(crate) Box<[u8]>);

pub(crate) fn parse_payload<T: DeserializeOwned>(json: &[u8]) -> Result<Option<T>> {
    if json.is_empty() {
        return Ok(None);
    }
    Ok(Some(serde_json::from_slice(json)?))
}

fn check_size(what: &'static str, got: usize, limit: usize) -> Result<()> {
    if got > limit {
        return Err(Error::TooLarge { what, got, limit });
    }
    Ok(())
}
