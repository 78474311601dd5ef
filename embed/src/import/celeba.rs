//! CelebA: <https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html>.

use std::path::Path;

use super::lines::Lines;
use super::names::Names;
use super::source::checked;
use super::{Image, ImportError, Source, Sources};

/// In bytes.
const LONGEST_LINE: u64 = 4096;

/// The photos that `identities` names (`identity_CelebA.txt`), a file and the number of a
/// person in each line; the files lie in `images` (`img_align_celeba`).
///
/// CelebA does not say who its people are. `names` may: a number, a space and a name in each
/// line. A person without one is called `CelebA 2880`.
///
/// # Errors
/// When a list cannot be read, does not follow its format, or is empty.
pub fn celeba(
    images: &Path,
    identities: &Path,
    names: Option<&Path>,
) -> Result<Sources, ImportError> {
    let names = names.map(Names::read).transpose()?.unwrap_or_default();
    let images = images.to_owned();
    let entries = Lines::open(identities, LONGEST_LINE)?.entries(move |line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [file, identity] = fields[..] else {
            return Err("expected a file and the number of a person".to_owned());
        };
        let name = names.get(identity).map_or_else(|| format!("CelebA {identity}"), str::to_owned);
        Ok(Source {
            image: Image::File(images.join(file)),
            key: format!("celeba/{file}"),
            name,
            details: [("celeba_identity".to_owned(), identity.to_owned())].into(),
        })
    });
    checked(identities, entries)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn people_have_numbers_or_names() {
        let directory = tempfile::tempdir().unwrap();
        let (list, names) = (directory.path().join("list"), directory.path().join("names"));
        fs::write(&list, "000001.jpg 2880\n000002.jpg\n000003.jpg  12\n").unwrap();
        fs::write(&names, "12 Ada Lovelace\n").unwrap();
        let found: Vec<_> = celeba(Path::new("photos"), &list, Some(&names))
            .unwrap()
            .map(|entry| entry.unwrap().photo)
            .collect();
        let first = found[0].as_ref().unwrap();
        assert_eq!(first.image, Image::File(Path::new("photos").join("000001.jpg")));
        assert_eq!((&first.key[..], &first.name[..]), ("celeba/000001.jpg", "CelebA 2880"));
        assert_eq!(found[1].as_ref().unwrap_err().file, "line 2");
        assert_eq!(found[2].as_ref().unwrap().name, "Ada Lovelace");
    }

    #[test]
    fn another_list_is_refused() {
        let list = tempfile::NamedTempFile::new().unwrap();
        fs::write(list.path(), "202599\n5_o_Clock_Shadow Arched_Eyebrows\n").unwrap();
        let error = celeba(Path::new("photos"), list.path(), None).err().unwrap().to_string();
        assert!(error.contains("line 1: expected a file and the number"), "{error}");
        fs::write(list.path(), "\n").unwrap();
        let error = celeba(Path::new("photos"), list.path(), None).err().unwrap();
        assert!(matches!(error, ImportError::Nothing(_)), "{error}");
    }
}
