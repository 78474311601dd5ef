//! Names of collections.

use std::fmt;

/// The longest name.
const MAX_LEN: usize = 64;

/// The name of a collection, and of its folder: 1 to 64 of `a` to `z`, `0` to `9`, `-` and `_`, the first
/// of them a letter or a digit. So it is a name in every file system and never a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name(String);

impl Name {
    /// The name that a text is.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let fits = (1..=MAX_LEN).contains(&text.len())
            && text.bytes().all(|byte| is_plain(byte) || matches!(byte, b'-' | b'_'))
            && text.bytes().next().is_some_and(is_plain);
        fits.then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_never_paths() {
        let long = "x".repeat(64);
        for name in ["a", "0", "faces", "faces-2_b", &long] {
            assert_eq!(Name::parse(name).unwrap().as_str(), name);
        }
        let too_long = "x".repeat(65);
        for text in
            ["", ".", "..", "a/b", "a\\b", "A", "-a", "_a", "a b", "a.b", "é", "a\0", &too_long]
        {
            assert_eq!(Name::parse(text), None, "{text:?}");
        }
    }
}
