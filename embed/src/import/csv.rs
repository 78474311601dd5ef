//! A list of people as CSV.

use std::path::Path;

use super::{ImportError, Source};

/// The photos that `list` names: a column `file` (below `images`), a column `name`,
/// and any others, which are kept with the photo.
///
/// # Errors
/// When the list cannot be read, lacks one of the two columns, or is empty.
pub fn csv(list: &Path, images: &Path) -> Result<Vec<Source>, ImportError> {
    let wrong = |detail: String| ImportError::List { path: list.to_owned(), detail };
    let mut reader = ::csv::Reader::from_path(list).map_err(|error| wrong(error.to_string()))?;
    let header = reader.headers().map_err(|error| wrong(error.to_string()))?.clone();
    let column = |wanted: &str| {
        header.iter().position(|column| column.trim() == wanted).ok_or_else(|| {
            let found = header.iter().collect::<Vec<_>>().join(", ");
            wrong(format!("it has no column `{wanted}`, only: {found}"))
        })
    };
    let (file, name) = (column("file")?, column("name")?);
    let mut sources = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| wrong(error.to_string()))?;
        let field = |at: usize| row.get(at).unwrap_or_default().trim().to_owned();
        let others = header.iter().enumerate().filter(|&(at, _)| at != file && at != name);
        sources.push(Source {
            path: images.join(field(file)),
            key: field(file),
            name: field(name),
            details: others.map(|(at, column)| (column.trim().to_owned(), field(at))).collect(),
        });
    }
    if sources.is_empty() {
        return Err(ImportError::Nothing(list.to_owned()));
    }
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Source>, ImportError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        csv(file.path(), Path::new("photos"))
    }

    #[test]
    fn other_columns_become_details() {
        let sources =
            read("\u{feff}name,file,role\n\"Lovelace, Ada\",a/ada.jpg,countess\n").unwrap();
        assert_eq!(
            sources,
            [Source {
                path: Path::new("photos").join("a/ada.jpg"),
                key: "a/ada.jpg".to_owned(),
                name: "Lovelace, Ada".to_owned(),
                details: [("role".to_owned(), "countess".to_owned())].into(),
            }]
        );
    }

    #[test]
    fn a_list_that_is_not_one_says_what_is_wrong() {
        let message = read("photo,name\na.jpg,Ada\n").unwrap_err().to_string();
        assert!(message.contains("no column `file`, only: photo, name"), "{message}");
        let message = read("file,name\na.jpg,Ada,extra\n").unwrap_err().to_string();
        assert!(message.contains('3') && message.contains('2'), "{message}");
        assert!(matches!(read("file,name\n"), Err(ImportError::Nothing(_))));
    }
}
