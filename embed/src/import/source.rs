//! What is to be imported: a stream, so that a list may be as long as it likes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{ImportError, Skipped};
use crate::photo::{DecodeLimits, Photo, PhotoError};

/// A photo to be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Where its bytes are.
    pub image: Image,
    /// Names it for good: importing under the same key again replaces.
    pub key: String,
    /// The name of the person in it.
    pub name: String,
    /// What else is known: column and value.
    pub details: BTreeMap<String, String>,
}

/// Where the bytes of a photo are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Image {
    /// In a file.
    File(PathBuf),
    /// Here, in base64 (RFC 4648, section 4).
    Base64(String),
}

impl Image {
    /// The bytes, unless there are too many.
    pub(super) fn read(&self, limits: &DecodeLimits) -> Result<Vec<u8>, PhotoError> {
        match self {
            Self::File(path) => Photo::read(path, limits),
            Self::Base64(text) => STANDARD
                .decode(text)
                .map_err(|error| PhotoError::Broken { detail: format!("its base64: {error}") }),
        }
    }
}

/// An entry of a list of photos.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The photo, or why the entry names none.
    pub photo: Result<Source, Skipped>,
    /// How much of the list is read once this entry is, 0 to 1, where that is known.
    pub share: Option<f64>,
}

/// The entries of a list, read as they are asked for. An error ends them.
pub type Sources = Box<dyn Iterator<Item = Result<Entry, ImportError>> + Send>;

/// The entries of `list`, unless there are none. Where the first one names no photo it is
/// taken for another kind of list.
pub(super) fn checked(
    list: &Path,
    mut entries: impl Iterator<Item = Result<Entry, ImportError>> + Send + 'static,
) -> Result<Sources, ImportError> {
    let first = entries.next().ok_or_else(|| ImportError::Nothing(list.to_owned()))??;
    if let Err(skipped) = &first.photo {
        let detail = format!("{}: {}", skipped.file, skipped.reason);
        return Err(ImportError::List { path: list.to_owned(), detail });
    }
    Ok(Box::new(std::iter::once(Ok(first)).chain(entries)))
}

/// The path of `file` below `root`, with `/` between its parts.
pub(super) fn key_below(root: &Path, file: &Path) -> String {
    let parts = file.strip_prefix(root).unwrap_or(file).components();
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<Cow<'_, str>>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded_and_what_is_none_says_so() {
        let read = |text: &str| Image::Base64(text.to_owned()).read(&DecodeLimits::default());
        assert_eq!(read("aGVsbG8=").unwrap(), b"hello");
        assert!(read("aGVs bG8=").unwrap_err().to_string().contains("its base64"));
    }
}
