//! A list of people as CSV.

use std::path::Path;

use super::source::checked;
use super::{Entry, Image, ImportError, Skipped, Source, Sources};

/// The photos that `list` names: a column `file` (below `images`), a column `name`,
/// and any others, which are kept with the photo.
///
/// # Errors
/// When the list cannot be read, lacks one of the two columns, or is empty.
pub fn csv(list: &Path, images: &Path) -> Result<Sources, ImportError> {
    let wrong = |detail: String| ImportError::List { path: list.to_owned(), detail };
    let mut reader = ::csv::Reader::from_path(list).map_err(|error| wrong(error.to_string()))?;
    let length = std::fs::metadata(list).map_or(0, |metadata| metadata.len());
    let header = reader.headers().map_err(|error| wrong(error.to_string()))?.clone();
    let column = |wanted: &str| {
        header.iter().position(|column| column.trim() == wanted).ok_or_else(|| {
            let found = header.iter().collect::<Vec<_>>().join(", ");
            wrong(format!("it has no column `{wanted}`, only: {found}"))
        })
    };
    let (file, name) = (column("file")?, column("name")?);
    let (images, path) = (images.to_owned(), list.to_owned());
    let parse = move |row: &::csv::StringRecord| {
        let field = |at: usize| row.get(at).unwrap_or_default().trim().to_owned();
        let others = header.iter().enumerate().filter(|&(at, _)| at != file && at != name);
        Source {
            image: Image::File(images.join(field(file))),
            key: field(file),
            name: field(name),
            details: others.map(|(at, column)| (column.trim().to_owned(), field(at))).collect(),
        }
    };
    let mut rows = reader.into_records();
    let entries = std::iter::from_fn(move || {
        let row = rows.next()?;
        let at = rows.reader().position();
        let share = (length > 0).then(|| at.byte() as f64 / length as f64);
        let photo = match row {
            Ok(row) => Ok(parse(&row)),
            Err(error) if error.is_io_error() => {
                let source = error.into();
                return Some(Err(ImportError::Io { action: "read", path: path.clone(), source }));
            }
            Err(error) => Err(Skipped {
                file: error.position().map_or_else(String::new, |at| format!("line {}", at.line())),
                reason: error.to_string(),
            }),
        };
        Some(Ok(Entry { photo, share }))
    });
    checked(list, entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Result<Source, Skipped>>, ImportError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Ok(csv(file.path(), Path::new("photos"))?.map(|entry| entry.unwrap().photo).collect())
    }

    #[test]
    fn other_columns_become_details() {
        let sources =
            read("\u{feff}name,file,role\n\"Lovelace, Ada\",a/ada.jpg,countess\n").unwrap();
        assert_eq!(
            sources,
            [Ok(Source {
                image: Image::File(Path::new("photos").join("a/ada.jpg")),
                key: "a/ada.jpg".to_owned(),
                name: "Lovelace, Ada".to_owned(),
                details: [("role".to_owned(), "countess".to_owned())].into(),
            })]
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

    #[test]
    fn a_broken_row_further_down_is_passed_over() {
        let sources = read("file,name\na.jpg,Ada\nb.jpg\nc.jpg,Grace\n").unwrap();
        assert_eq!(sources[1].as_ref().unwrap_err().file, "line 3");
        assert_eq!(sources[2].as_ref().unwrap().name, "Grace");
    }
}
