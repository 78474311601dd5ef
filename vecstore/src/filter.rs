//! Which records a search may return.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::Result;
use crate::part::Part;
use crate::record::parse_payload;

/// Which records a search may return: by their tags, by any function of theirs, and by combinations.
///
/// ```
/// use vecstore::{Filter, Query};
///
/// let recent = |record: &vecstore::RecordRef<'_>| {
///     record.payload::<u32>().ok().flatten().is_some_and(|year| year >= 2000)
/// };
/// let filter = Filter::any(["singer", "actor"]).and(Filter::tag("retired").not()).and(Filter::by(&recent));
/// let query = Query::new(&[1.0, 0.0], 10).filter(&filter);
/// ```
///
/// Tags are kept as bitmaps, so a filter of tags alone costs little at any size. A tag that 4,000 records or
/// more have, far from many of the others, gets a graph of its own when they are brought into a segment, which
/// takes some 140 bytes (with M = 16) for each of them: a search for it, or for it and other tags that most of
/// its records have, is then fast from wherever it starts. A function is called for each record that the
/// search meets, for all records if few are accepted.
#[derive(Clone)]
pub struct Filter<'a>(pub(crate) Node<'a>);

#[derive(Clone)]
pub(crate) enum Node<'a> {
    Tag(String),
    All(Vec<Node<'a>>),
    Any(Vec<Node<'a>>),
    Not(Box<Node<'a>>),
    By(&'a dyn Fn(&RecordRef<'_>) -> bool),
}

impl<'a> Filter<'a> {
    /// Records that have a tag.
    pub fn tag(tag: impl Into<String>) -> Self {
        Self(Node::Tag(tag.into()))
    }

    /// Records that have at least one of the tags; none if there are no tags.
    pub fn any(tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(Node::Any(tags.into_iter().map(|tag| Node::Tag(tag.into())).collect()))
    }

    /// Records that have each of the tags; every record if there are no tags.
    pub fn all(tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(Node::All(tags.into_iter().map(|tag| Node::Tag(tag.into())).collect()))
    }

    /// Records that a function accepts.
    pub fn by(accepts: &'a dyn Fn(&RecordRef<'_>) -> bool) -> Self {
        Self(Node::By(accepts))
    }

    /// Records that pass both filters.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(Node::All(vec![self.0, other.0]))
    }

    /// Records that pass at least one of both filters.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(Node::Any(vec![self.0, other.0]))
    }

    /// Records that do not pass the filter.
    #[must_use]
    #[allow(clippy::should_implement_trait, reason = "it reads as `and` and `or` do")]
    pub fn not(self) -> Self {
        Self(Node::Not(Box::new(self.0)))
    }
}

impl fmt::Debug for Filter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => write!(f, "{tag:?}"),
            Self::All(nodes) => f.debug_tuple("all").field(nodes).finish(),
            Self::Any(nodes) => f.debug_tuple("any").field(nodes).finish(),
            Self::Not(node) => f.debug_tuple("not").field(node).finish(),
            Self::By(_) => f.write_str("by a function"),
        }
    }
}

/// A record in the store, as a [`Filter`]'s function sees it: read where it lies, without its vector.
pub struct RecordRef<'a> {
    pub(crate) part: &'a dyn Part,
    pub(crate) slot: u32,
}

impl RecordRef<'_> {
    /// The id.
    pub fn id(&self) -> u64 {
        self.part.id(self.slot)
    }

    /// The group, if the record is in one.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`](crate::Error::Corrupt) where damage to the segment is met.
    pub fn group(&self) -> Result<Option<&str>> {
        self.part.group(self.slot)
    }

    /// The payload, or `None` if the record has none.
    ///
    /// # Errors
    ///
    /// [`Error::Payload`](crate::Error::Payload) if it does not fit `T`;
    /// [`Error::Corrupt`](crate::Error::Corrupt) where damage to the segment is met.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        parse_payload(self.part.payload(self.slot)?)
    }
}

impl fmt::Debug for RecordRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordRef").field("id", &self.id()).finish_non_exhaustive()
    }
}
