//! 584 portraits: each, re-encoded, shrunk and turned, finds itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Mutex;

use embed::import::{csv, import};
use embed::{DecodeLimits, Gallery, Person, Photo};
use image::imageops;

use common::{jpeg_with_orientation, pipeline, shared_data};

#[test]
fn every_portrait_finds_itself_after_being_degraded() {
    let Some(data) = shared_data("us-politicians") else {
        return;
    };
    let pipeline = pipeline();
    let store = tempfile::tempdir().unwrap();
    let images = data.join("images");
    let list = || csv(&data.join("people.csv"), &images).unwrap();
    let report = import(&pipeline, list(), store.path(), |_| ()).unwrap();
    assert_eq!((report.added, report.skipped), (584, 0), "{:?}", report.reasons);

    let gallery = Gallery::open(store.path(), &pipeline).unwrap();
    assert_eq!(gallery.len(), 584);
    let rest = Mutex::new(list().map(|entry| entry.unwrap().photo.unwrap()).enumerate());
    let scores = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                while let Some((at, source)) = { rest.lock().unwrap().next() } {
                    let original =
                        Photo::open(&images.join(&source.key), &DecodeLimits::default()).unwrap();
                    let jpeg = degraded(&original, at);
                    let photo = Photo::decode(&jpeg, &DecodeLimits::default()).unwrap();
                    let faces = pipeline.detect(&photo).unwrap();
                    let face = faces.first().unwrap_or_else(|| panic!("no face: {}", source.key));
                    let embedding = pipeline.embed(&photo, face).unwrap();
                    let found = gallery.lookalikes(&embedding, 3).unwrap();
                    assert_eq!(found[0].person, Person::named(&source.name).unwrap());
                    assert!(gallery.portraits_dir().join(&found[0].portrait).is_file());
                    scores.lock().unwrap().push(found[0].score);
                }
            });
        }
    });
    let mut scores = scores.into_inner().unwrap();
    scores.sort_by(f32::total_cmp);
    let median = scores[scores.len() / 2];
    eprintln!("own score: least {}, median {median}", scores[0]);
    assert_eq!(scores.len(), 584);
    assert!(median > 0.95, "{median}");
}

/// Shrunk to 60 %, stored lying on its side or head as EXIF says, JPEG quality 70.
fn degraded(photo: &Photo, at: usize) -> Vec<u8> {
    let (width, height) = (photo.width() * 6 / 10, photo.height() * 6 / 10);
    let small = imageops::resize(photo.pixels(), width, height, imageops::FilterType::Triangle);
    let (stored, orientation) = match at % 3 {
        0 => (imageops::rotate180(&small), 3),
        1 => (imageops::rotate270(&small), 6),
        _ => (imageops::rotate90(&small), 8),
    };
    jpeg_with_orientation(&stored, orientation, 70)
}
