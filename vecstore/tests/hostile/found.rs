//! Files that once led the reader astray.

use std::fs;

use vecstore::{Error, MAX_TAGS, Reader, Store};

use crate::layout::*;
use crate::seeds;

/// A reader of the first seed after a change, its checksums made right.
fn opened(change: impl Fn(&mut Vec<u8>)) -> Result<Reader, Error> {
    let directory = tempfile::tempdir().unwrap();
    let mut file = seeds::segments().swap_remove(0);
    change(&mut file);
    seal(&mut file);
    let path = directory.path().join("changed.seg");
    fs::write(&path, file).unwrap();
    Reader::open_segment(&path)
}

fn refused<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Corrupt { .. }))
}

/// Where an entry of a section lies in the file.
fn entry_at(file: &[u8], section: usize, index: usize) -> usize {
    extent(file, section).0 as usize + index * WIDTHS[section]
}

/// Pages after the checksums have none, and reading them gave nothing: `verify` panicked.
#[test]
fn sections_lie_before_the_checksums() {
    for section in 0..CHECKSUMS {
        let reader = opened(|file| {
            let (start, len) = extent(file, CHECKSUMS);
            let end = (start + len).next_multiple_of(64);
            file.resize((end + extent(file, section).1) as usize, 0);
            set_u64(file, extent_at(section), end);
        });
        assert!(refused(reader), "section {section}");
    }
}

/// With a record's tags in another order, or one of them twice, `verify` was content, and the record
/// came back with tags that were not as [`Record::tags`](vecstore::Record::tags) says.
#[test]
fn tags_are_listed_in_order() {
    let reader = opened(|file| {
        // Each record of the seed has two.
        let first = entry_at(file, TAG_LISTS, 0);
        file[first..first + 8].rotate_left(4);
    });
    assert!(refused(reader.unwrap().snapshot().verify()));
}

/// A list of tags as long as the file, each a name as long as the file, was read into memory.
#[test]
fn a_record_is_not_larger_than_a_store_takes() {
    let reader = opened(|file| {
        let (start, end) = (entry_at(file, TAG_LIST_STARTS, 0), entry_at(file, TAG_LIST_STARTS, 1));
        let (_, lists) = extent(file, TAG_LISTS);
        assert!(lists > 4 * MAX_TAGS as u64);
        set_u64(file, start, 0);
        set_u64(file, end, lists);
    });
    assert!(refused(reader.unwrap().snapshot().iter().next().unwrap()));
}

/// The highest number stands for never: nothing was visible in a segment that ends with it, and
/// counting on from it overflowed.
#[test]
fn changes_are_numbered_within_reason() {
    assert!(refused(opened(|file| set_u64(file, SEQ, u64::MAX))));
    let manifest = |seq| manifest(&format!(r#""segment":null,"seq":{seq},"tails":[{seq}]"#));
    assert!(refused(Store::open(manifest(u64::MAX).path())));
    assert!(refused(Store::open(manifest(u64::MAX / 2 + 1).path())));
    assert_eq!(Reader::open(manifest(u64::MAX / 2).path()).unwrap().len(), 0);
}

/// Any file was opened, wherever it lay.
#[test]
fn a_manifest_names_a_segment_of_its_store() {
    for name in ["/dev/zero", "../0.seg", "", "00000000000000000002.seg"] {
        let manifest = manifest(&format!(r#""segment":"{name}","seq":1,"tails":[2]"#));
        assert!(refused(Reader::open(manifest.path())), "{name}");
    }
}

/// A store that is nothing but a MANIFEST of this.
fn manifest(rest: &str) -> tempfile::TempDir {
    let config = r#"{"dimension":3,"metric":"cosine","m":4,"ef_construction":20}"#;
    let body = format!("vecstore manifest 1\n{{\"config\":{config},{rest}}}\n");
    let directory = tempfile::tempdir().unwrap();
    let text = format!("{body}crc32c {:08x}\n", crc32c::crc32c(body.as_bytes()));
    fs::write(directory.path().join("MANIFEST"), text).unwrap();
    for name in ["segments", "tail"] {
        fs::create_dir(directory.path().join(name)).unwrap();
    }
    directory
}
