//! Segments made to mislead: changed, and their checksums made right again.
#![allow(clippy::unwrap_used, clippy::panic)]

mod found;
mod layout;
mod seeds;

use std::fs;

use vecstore::Reader;

use crate::layout::seal;

#[test]
fn valid_segments_are_sealed_already() {
    let directory = tempfile::tempdir().unwrap();
    for (number, file) in seeds::segments().into_iter().enumerate() {
        let mut sealed = file.clone();
        seal(&mut sealed);
        assert!(sealed == file, "seed {number}");
        let path = directory.path().join("sound.seg");
        fs::write(&path, file).unwrap();
        Reader::open_segment(&path).unwrap().snapshot().verify().unwrap();
    }
}
