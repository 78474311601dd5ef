//! MS-Celeb-1M: Guo et al., "MS-Celeb-1M: A Dataset and Benchmark for Large-Scale Face
//! Recognition", ECCV 2016.

use std::path::Path;

use super::lines::Lines;
use super::names::{Names, without_language};
use super::source::checked;
use super::{Image, ImportError, Source, Sources};
use crate::photo::DecodeLimits;

/// Addresses, names and tabs beside the photo, in bytes.
const LONGEST_REST: u64 = 64 * 1024;

/// The photos of a TSV file; `-` is standard input. Only the line that is read is in memory.
///
/// The columns are those of the published files, the last of them the photo in base64:
/// - faces, cropped or aligned: MID, search rank, image address, page address, face id, face
///   rectangle; also without the rectangle,
/// - whole images: MID, name, search rank, image address, page address,
/// - the development set: MID, name, image address, face id, face rectangle.
///
/// The face is looked for again, whatever the rectangle says. `names` is
/// `Top1M_MidList.Name.tsv`, or a MID, a space and a name in each line. A person without a
/// name is called by the MID.
///
/// # Errors
/// When a list cannot be read, does not follow its format, or is empty.
pub fn msceleb(list: &Path, names: Option<&Path>) -> Result<Sources, ImportError> {
    let names = names.map(Names::read).transpose()?.unwrap_or_default();
    let longest = DecodeLimits::default().max_bytes.div_ceil(3) * 4 + LONGEST_REST;
    checked(list, Lines::open(list, longest)?.entries(move |line| parse(line, &names)))
}

fn parse(line: &str, names: &Names) -> Result<Source, String> {
    let columns: Vec<&str> = line.split('\t').map(str::trim).collect();
    let is_rank = |text: &str| text.parse::<u32>().is_ok();
    let (name, rank, image_url, page_url, face) = match columns[..] {
        [_, rank, image, page, face, _, _] => (None, rank, image, page, face),
        [_, name, rank, image, page, _] if is_rank(rank) => (Some(name), rank, image, page, ""),
        [_, rank, image, page, face, _] if is_rank(rank) => (None, rank, image, page, face),
        [_, name, image, face, _, _] => (Some(name), "", image, "", face),
        _ => return Err(format!("{} columns, expected 6 or 7 with tabs between", columns.len())),
    };
    let (Some(&mid), Some(&photo)) = (columns.first(), columns.last()) else {
        return Err("no columns".to_owned());
    };
    if mid.is_empty() || photo.is_empty() {
        return Err("a MID or a photo is missing".to_owned());
    }
    let known = names.get(mid).or(name.map(|name| without_language(name).0));
    let parts = ["msceleb", mid, rank, face].into_iter().filter(|part| !part.is_empty());
    let details = [("mid", mid), ("image_url", image_url), ("page_url", page_url)];
    let details = details.into_iter().filter(|(_, value)| !value.is_empty());
    Ok(Source {
        image: Image::Base64(photo.to_owned()),
        key: parts.collect::<Vec<_>>().join("/"),
        name: known.unwrap_or(mid).to_owned(),
        details: details.map(|(column, value)| (column.to_owned(), value.to_owned())).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_and_name(line: &str) -> (String, String) {
        let source = parse(line, &Names::default()).unwrap();
        assert_eq!(source.image, Image::Base64("aGVsbG8=".to_owned()));
        assert_eq!(source.details["mid"], "m.01");
        assert_eq!(source.details["image_url"], "http://a/b.jpg");
        (source.key, source.name)
    }

    #[test]
    fn the_published_files_are_told_apart() {
        let faces = "m.01\t5\thttp://a/b.jpg\thttp://a\tFaceId-0\tAAAA\taGVsbG8=";
        assert_eq!(key_and_name(faces), ("msceleb/m.01/5/FaceId-0".into(), "m.01".into()));
        let without_rectangle = "m.01\t5\thttp://a/b.jpg\thttp://a\tFaceId-0\taGVsbG8=";
        assert_eq!(key_and_name(without_rectangle), key_and_name(faces));
        let images = "m.01\tAda Lovelace\t5\thttp://a/b.jpg\thttp://a\taGVsbG8=";
        assert_eq!(key_and_name(images), ("msceleb/m.01/5".into(), "Ada Lovelace".into()));
        let development = "m.01\t\"Ada\"@en\thttp://a/b.jpg\tFaceId-0\tAAAA\taGVsbG8=";
        assert_eq!(key_and_name(development), ("msceleb/m.01/FaceId-0".into(), "Ada".into()));
    }

    #[test]
    fn other_lines_are_refused() {
        let refused = |line: &str| parse(line, &Names::default()).unwrap_err();
        assert!(refused("000001.jpg 2880").contains("1 columns, expected 6 or 7"));
        assert!(refused("m.01\t5\tu\tp\tFaceId-0\tAAAA\t").contains("is missing"));
    }
}
