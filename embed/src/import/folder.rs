//! A folder per person, or files named `First_Last.jpg`; LFW.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::source::{checked, key_below};
use super::{Entry, Image, ImportError, Skipped, Source, Sources};

/// The photos in `root`, in order of their names.
///
/// A directory in it is a person: its name, with `_` as space, and all files in it.
/// A file in it is a photo of the person it is named after, with `_` as space and a
/// number at the end left out: `First_Last.jpg`, `First_Last_0002.jpg`. Hidden files
/// are left out. Kept in memory are the names in `root`, and in the folder of one person.
///
/// # Errors
/// When a directory cannot be read, or there is no file.
pub fn folder(root: &Path) -> Result<Sources, ImportError> {
    photos(root, entries(root)?, |path, person| {
        let name = match person {
            Some(folder) => person_name(folder),
            None => person_name(&path.with_extension(""))
                .trim_end_matches(|sign: char| sign.is_ascii_digit())
                .to_owned(),
        };
        Ok(name)
    })
}

/// The photos of Labeled Faces in the Wild (Huang et al., 2007): a folder per person,
/// `Ada_Lovelace/Ada_Lovelace_0001.jpg`. Files beside the folders are lists, and left out.
///
/// # Errors
/// When a directory cannot be read, or holds something else.
pub fn lfw(root: &Path) -> Result<Sources, ImportError> {
    let mut people = entries(root)?;
    people.retain(|path| path.is_dir());
    photos(root, people, |path, person| {
        let folder = person.and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let number = stem.strip_prefix(&*folder).and_then(|rest| rest.strip_prefix('_'));
        if number.is_some_and(|number| number.parse::<u32>().is_ok()) {
            return Ok(folder.replace('_', " "));
        }
        Err(format!("expected {folder}/{folder}_0001.jpg; import other folders as `folder`"))
    })
}

/// The files that `top` names or holds. `name` says whose a file is, given the folder that
/// it lies in, if that is not `root`.
fn photos(
    root: &Path,
    top: Vec<PathBuf>,
    name: impl Fn(&Path, Option<&Path>) -> Result<String, String> + Send + 'static,
) -> Result<Sources, ImportError> {
    // Counted ahead, since one folder may hold most of them. One that cannot be read is met again.
    let count =
        |path: &PathBuf| if path.is_dir() { entries(path).map_or(0, |it| it.len()) } else { 1 };
    let all = top.iter().map(count).sum::<usize>() as f64;
    let (owned_root, mut place) = (root.to_owned(), 0.0);
    let in_order = top.into_iter().flat_map(move |path| {
        let (person, files) = if path.is_dir() {
            let files = entries(&path).map(|mut files| {
                files.retain(|file| file.is_file());
                files
            });
            (Some(path), files)
        } else {
            (None, Ok(vec![path]))
        };
        let found: Vec<_> = match files {
            Ok(files) => files
                .into_iter()
                .map(|file| {
                    place += 1.0;
                    Ok((person.clone(), file, place / all))
                })
                .collect(),
            Err(error) => vec![Err(error)],
        };
        found
    });
    let sources = in_order.map(move |found| {
        let (person, file, share) = found?;
        let key = key_below(&owned_root, &file);
        let photo = match name(&file, person.as_deref()) {
            Ok(name) => {
                Ok(Source { image: Image::File(file), key, name, details: BTreeMap::new() })
            }
            Err(reason) => Err(Skipped { file: key, reason }),
        };
        Ok(Entry { photo, share: Some(share) })
    });
    checked(root, sources)
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

    fn files(root: &Path, names: &[&str]) {
        for name in names {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"").unwrap();
        }
    }

    #[test]
    fn names_come_from_folders_and_files() {
        let root = tempfile::tempdir().unwrap();
        files(
            root.path(),
            &[
                "Ada_Lovelace/2.png",
                "Ada_Lovelace/1.jpg",
                "Grace_Hopper.jpg",
                "Al_G_0012.webp",
                ".hidden",
            ],
        );
        let found: Vec<_> = folder(root.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.photo.unwrap(), entry.share.unwrap()))
            .map(|(source, share)| (source.key, source.name.trim().to_owned(), share))
            .collect();
        let expected = [
            ("Ada_Lovelace/1.jpg", "Ada Lovelace", 0.25),
            ("Ada_Lovelace/2.png", "Ada Lovelace", 0.5),
            ("Al_G_0012.webp", "Al G", 0.75),
            ("Grace_Hopper.jpg", "Grace Hopper", 1.0),
        ];
        assert_eq!(found, expected.map(|(key, name, share)| (key.into(), name.into(), share)));
    }

    #[test]
    fn nothing_to_import_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(folder(root.path()), Err(ImportError::Nothing(_))));
        fs::create_dir(root.path().join("Nobody")).unwrap();
        assert!(matches!(folder(root.path()), Err(ImportError::Nothing(_))));
        assert!(matches!(folder(&root.path().join("no")), Err(ImportError::Io { .. })));
    }

    #[test]
    fn lfw_is_folders_of_numbered_files() {
        let root = tempfile::tempdir().unwrap();
        files(
            root.path(),
            &["pairs.txt", "Al_G/Al_G_0001.jpg", "Al_G/notes.txt", "Zoe/Zoe_0010.jpg"],
        );
        let found: Vec<_> = lfw(root.path()).unwrap().map(|entry| entry.unwrap().photo).collect();
        assert_eq!(found[0].as_ref().unwrap().name, "Al G");
        assert_eq!(found[1].as_ref().unwrap_err().file, "Al_G/notes.txt");
        assert_eq!(found[2].as_ref().unwrap().key, "Zoe/Zoe_0010.jpg");

        files(root.path(), &["Ada/1.jpg"]);
        let error = lfw(root.path()).err().unwrap().to_string();
        assert!(error.contains("Ada/1.jpg: expected Ada/Ada_0001.jpg; import other"), "{error}");
    }
}
