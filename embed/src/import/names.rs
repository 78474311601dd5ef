//! Names of people who are known by an id in their data set.

use std::collections::HashMap;
use std::path::Path;

use super::ImportError;
use super::lines::Lines;

/// In bytes; far more than any name.
const LONGEST_LINE: u64 = 4096;

/// Id and name.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<String, String>);

impl Names {
    /// Reads a list with an id and a name in each line, and space or a tab between them.
    ///
    /// The list of MS-Celeb-1M, `m.01d0fp⇥"Ada Lovelace"@en`, is read, too; of the names of
    /// an id the English one counts, else the first.
    pub(super) fn read(list: &Path) -> Result<Self, ImportError> {
        let mut names = HashMap::new();
        for line in Lines::open(list, LONGEST_LINE)? {
            let line = line?;
            let fields = line.text.as_deref().and_then(|text| text.trim().split_once([' ', '\t']));
            let Some((id, name)) = fields else {
                let detail = format!("line {}: expected an id, a space and a name", line.number);
                return Err(ImportError::List { path: list.to_owned(), detail });
            };
            let (name, english) = without_language(name.trim());
            if english || !names.contains_key(id) {
                names.insert(id.to_owned(), name.to_owned());
            }
        }
        Ok(Self(names))
    }

    pub(super) fn get(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }
}

/// A name without quotes and language, and whether the language is English.
pub(super) fn without_language(name: &str) -> (&str, bool) {
    name.strip_prefix('"')
        .and_then(|rest| rest.rsplit_once("\"@"))
        .map_or((name, false), |(name, language)| (name, language == "en"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Names, ImportError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Names::read(file.path())
    }

    #[test]
    fn both_forms_are_read() {
        let names = read(
            "2880 Ada King Lovelace\n7\tGrace\nm.1\t\"Эйда\"@ru\nm.1\t\"Ada\"@en\nm.1\t\"Ade\"@de\n",
        )
        .unwrap();
        assert_eq!(names.get("2880"), Some("Ada King Lovelace"));
        assert_eq!(names.get("7"), Some("Grace"));
        assert_eq!(names.get("m.1"), Some("Ada"));
        assert_eq!(names.get("8"), None);
    }

    #[test]
    fn a_line_without_a_name_is_named() {
        let message = read("1 Ada\n2\n").unwrap_err().to_string();
        assert!(message.contains("line 2: expected an id, a space and a name"), "{message}");
    }
}
