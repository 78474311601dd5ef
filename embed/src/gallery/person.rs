//! Who a photo shows.

use serde::{Deserialize, Serialize};

/// A person, known by an id made of the name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Person {
    /// Lowercase letters and digits of the name, other signs as single hyphens: `lebron-james`.
    pub id: String,
    /// The name as people write it.
    pub name: String,
}

/// Why a text is no name of a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing in it can be part of an id.
    #[error("the name {0:?} has no letter or digit")]
    Empty(String),
    /// Longer than any name.
    #[error("the name has {0} bytes, more than the {LONGEST_NAME} allowed")]
    TooLong(usize),
}

/// In bytes.
const LONGEST_NAME: usize = 250;

impl Person {
    /// The person called `name`; space around it is dropped.
    ///
    /// # Errors
    /// When no id can be made of it.
    pub fn named(name: &str) -> Result<Self, NameError> {
        let name = name.trim();
        if name.len() > LONGEST_NAME {
            return Err(NameError::TooLong(name.len()));
        }
        let words =
            name.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty());
        let id = words.collect::<Vec<_>>().join("-").to_lowercase();
        if id.is_empty() {
            return Err(NameError::Empty(name.to_owned()));
        }
        // A few signs grow in lower case.
        if id.len() > LONGEST_NAME {
            return Err(NameError::TooLong(id.len()));
        }
        Ok(Self { id, name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> String {
        Person::named(name).unwrap().id
    }

    #[test]
    fn ids_are_plain() {
        assert_eq!(id("LeBron James"), "lebron-james");
        assert_eq!(id("  D'Angelo  Russell, Jr. "), "d-angelo-russell-jr");
        assert_eq!(id("Андрей Тарковский"), "андрей-тарковский");
        assert_eq!(id("O/../etc/passwd"), "o-etc-passwd");
    }

    #[test]
    fn no_name_no_person() {
        assert_eq!(Person::named(" -- "), Err(NameError::Empty("--".to_owned())));
        assert_eq!(Person::named(&"a".repeat(251)), Err(NameError::TooLong(251)));
    }
}
