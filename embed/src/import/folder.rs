//! A folder per person, or files named `First_Last.jpg`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{ImportError, Source};

/// The photos in `root`, in order of their names.
///
/// A directory in it is a person: its name, with `_` as space, and all files in it.
/// A file in it is a photo of the person it is named after, with `_` as space and a
/// number at the end left out: `First_Last.jpg`, `First_Last_0002.jpg`. Hidden files
/// are left out.
///
/// # Errors
/// When a directory cannot be read, or there is no file.
pub fn folder(root: &Path) -> Result<Vec<Source>, ImportError> {
    let mut sources = Vec::new();
    for path in entries(root)? {
        if path.is_dir() {
            let name = person_name(&path);
            for path in entries(&path)?.into_iter().filter(|path| path.is_file()) {
                sources.push(source(root, path, name.clone()));
            }
        } else {
            let name = person_name(&path.with_extension(""));
            let name = name.trim_end_matches(|sign: char| sign.is_ascii_digit()).to_owned();
            sources.push(source(root, path, name));
        }
    }
    if sources.is_empty() {
        return Err(ImportError::Nothing(root.to_owned()));
    }
    Ok(sources)
}

fn source(root: &Path, path: PathBuf, name: String) -> Source {
    let parts = path.strip_prefix(root).unwrap_or(&path).components();
    let key = parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
    Source { path, key, name, details: BTreeMap::new() }
}

fn person_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().replace('_', " ")
}

/// What is in a directory, sorted, hidden files left out.
fn entries(directory: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let failed = |source| ImportError::Io { action: "read", path: directory.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_folders_and_files() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("Ada_Lovelace")).unwrap();
        for file in [
            "Ada_Lovelace/2.png",
            "Ada_Lovelace/1.jpg",
            "Grace_Hopper.jpg",
            "Al_G_0012.webp",
            ".hidden",
        ] {
            fs::write(root.path().join(file), b"").unwrap();
        }
        let sources = folder(root.path()).unwrap();
        let found: Vec<_> =
            sources.iter().map(|source| (&source.key[..], source.name.trim())).collect();
        assert_eq!(
            found,
            [
                ("Ada_Lovelace/1.jpg", "Ada Lovelace"),
                ("Ada_Lovelace/2.png", "Ada Lovelace"),
                ("Al_G_0012.webp", "Al G"),
                ("Grace_Hopper.jpg", "Grace Hopper"),
            ]
        );
    }

    #[test]
    fn nothing_to_import_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(folder(root.path()), Err(ImportError::Nothing(_))));
        assert!(matches!(folder(&root.path().join("no")), Err(ImportError::Io { .. })));
    }
}
