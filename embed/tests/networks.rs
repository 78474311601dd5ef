//! The real networks on real photos.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::PathBuf;

use embed::{DecodeLimits, Face, Photo, Pipeline};
use image::{DynamicImage, Rgb, RgbImage, imageops};

use common::{assets, jpeg_with_orientation, pipeline};

fn open(file: &str) -> Photo {
    let path: PathBuf = assets().join("gallery").join(file);
    Photo::open(&path, &DecodeLimits::default()).unwrap()
}

/// A portrait in a corner of a larger picture, so that left, right, up and down differ.
fn portrait_in_a_corner() -> RgbImage {
    let portrait = open("Bronny_James.png");
    let mut scene = RgbImage::from_pixel(900, 600, Rgb([90, 120, 90]));
    let small =
        imageops::thumbnail(portrait.pixels(), 400, 400 * portrait.height() / portrait.width());
    imageops::overlay(&mut scene, &small, 40, 30);
    scene
}

fn only_face(pipeline: &Pipeline, photo: &Photo) -> Face {
    let faces = pipeline.detect(photo).unwrap();
    assert_eq!(faces.len(), 1, "{faces:?}");
    faces[0]
}

/// `upright` stored as a camera held in another way would: pixels turned, EXIF says how.
fn stored_with_orientation(upright: &RgbImage, orientation: u8) -> Vec<u8> {
    let picture = DynamicImage::ImageRgb8(upright.clone());
    let stored = match orientation {
        1 => picture,
        2 => picture.fliph(),
        3 => picture.rotate180(),
        4 => picture.flipv(),
        5 => picture.rotate90().fliph(),
        6 => picture.rotate270(),
        7 => picture.rotate270().fliph(),
        8 => picture.rotate90(),
        other => panic!("EXIF has no orientation {other}"),
    }
    .into_rgb8();
    jpeg_with_orientation(&stored, orientation, 95)
}

#[test]
fn every_exif_orientation_shows_the_same_face_in_the_same_place() {
    let pipeline = pipeline();
    let scene = portrait_in_a_corner();
    let upright = Photo::from_pixels(scene.clone());
    let expected = only_face(&pipeline, &upright);
    assert!(expected.bounds.center().x < 450.0 && expected.bounds.center().y < 300.0);
    let embedding = pipeline.embed(&upright, &expected).unwrap();
    for orientation in 1..=8 {
        let jpeg = stored_with_orientation(&scene, orientation);
        let photo = Photo::decode(&jpeg, &DecodeLimits::default()).unwrap();
        assert_eq!((photo.width(), photo.height()), (900, 600), "orientation {orientation}");
        let face = only_face(&pipeline, &photo);
        let overlap = face.bounds.overlap(&expected.bounds);
        assert!(overlap > 0.9, "orientation {orientation}: overlap {overlap}");
        let cosine = pipeline.embed(&photo, &face).unwrap().cosine(&embedding);
        assert!(cosine > 0.97, "orientation {orientation}: cosine {cosine}");
    }
}

#[test]
fn landmarks_lie_on_the_face_in_their_order() {
    let pipeline = pipeline();
    let photo = Photo::from_pixels(portrait_in_a_corner());
    let Face { bounds, landmarks: [left_eye, right_eye, nose, mouth_left, mouth_right], .. } =
        only_face(&pipeline, &photo);
    assert!(left_eye.x < nose.x && nose.x < right_eye.x);
    assert!(mouth_left.x < mouth_right.x);
    assert!(left_eye.y < nose.y && nose.y < mouth_left.y);
    for point in [left_eye, right_eye, nose, mouth_left, mouth_right] {
        assert!(point.x > bounds.x && point.x < bounds.x + bounds.width, "{point:?}");
        assert!(point.y > bounds.y && point.y < bounds.y + bounds.height, "{point:?}");
    }
}

#[test]
fn every_face_of_a_group_is_found() {
    let pipeline = pipeline();
    let mut group = RgbImage::from_pixel(1200, 500, Rgb([200, 200, 200]));
    let people = ["Bronny_James.png", "AJ_Johnson.png", "AJ_Lawson.png"];
    for (at, file) in people.into_iter().enumerate() {
        let portrait = open(file);
        let height = 380 * portrait.height() / portrait.width();
        let small = imageops::thumbnail(portrait.pixels(), 380, height);
        imageops::overlay(&mut group, &small, 10 + 395 * at as i64, 60);
    }
    let photo = Photo::from_pixels(group);
    let mut faces = pipeline.detect(&photo).unwrap();
    assert_eq!(faces.len(), 3, "{faces:?}");
    let bounds = faces.iter().map(|face| face.bounds.center().x);
    let from_middle: Vec<f32> = bounds.map(|x| (x - 600.0).abs()).collect();
    assert!(from_middle[0] < 100.0, "of faces of one size the middle one is first: {faces:?}");
    assert!(faces.iter().all(|face| face.quality.flaw.is_none()), "{faces:?}");
    faces.sort_by(|one, other| one.bounds.x.total_cmp(&other.bounds.x));
    for (face, file) in faces.iter().zip(people) {
        let alone = open(file);
        let alone_face = only_face(&pipeline, &alone);
        let in_group = pipeline.embed(&photo, face).unwrap();
        let cosine = in_group.cosine(&pipeline.embed(&alone, &alone_face).unwrap());
        assert!(cosine > 0.9, "{file}: {cosine}");
    }
}

#[test]
fn a_face_is_found_in_a_long_strip() {
    let pipeline = pipeline();
    let portrait = open("Bronny_James.png");
    let alone = pipeline.embed(&portrait, &only_face(&pipeline, &portrait)).unwrap();
    let (width, height) = (portrait.width(), portrait.height());
    for (wide, high) in [(4 * width, height), (width, 4 * height)] {
        let mut strip = RgbImage::from_pixel(wide, high, Rgb([90, 120, 90]));
        let (x, y) = (i64::from(wide - width) / 2, i64::from(high - height) / 2);
        imageops::overlay(&mut strip, portrait.pixels(), x, y);
        let strip = Photo::from_pixels(strip);
        let cosine = pipeline.embed(&strip, &only_face(&pipeline, &strip)).unwrap().cosine(&alone);
        assert!(cosine > 0.9, "{wide}x{high}: {cosine}");
    }
}

#[test]
fn no_face_is_no_error() {
    let pipeline = pipeline();
    for (width, height) in [(1, 1), (3000, 2), (640, 480)] {
        let plain = Photo::from_pixels(RgbImage::from_pixel(width, height, Rgb([120; 3])));
        assert_eq!(pipeline.detect(&plain).unwrap(), []);
    }
}

#[test]
fn a_face_much_larger_than_the_network_keeps_its_embedding() {
    let pipeline = pipeline();
    let portrait = open("Bronny_James.png");
    let small = only_face(&pipeline, &portrait);
    let embedding = pipeline.embed(&portrait, &small).unwrap();
    let large = imageops::resize(
        portrait.pixels(),
        4 * portrait.width(),
        4 * portrait.height(),
        imageops::FilterType::CatmullRom,
    );
    let large = Photo::from_pixels(large);
    let cosine = pipeline.embed(&large, &only_face(&pipeline, &large)).unwrap().cosine(&embedding);
    assert!(cosine > 0.98, "{cosine}");
}

#[test]
fn threads_share_a_pipeline() {
    let pipeline = pipeline();
    let photo = Photo::from_pixels(portrait_in_a_corner());
    let face = only_face(&pipeline, &photo);
    let expected = pipeline.embed(&photo, &face).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    assert_eq!(only_face(&pipeline, &photo), face);
                    assert_eq!(pipeline.embed(&photo, &face).unwrap(), expected);
                }
            });
        }
    });
}

#[test]
fn a_face_without_extent_is_refused() {
    let pipeline = pipeline();
    let photo = Photo::from_pixels(portrait_in_a_corner());
    let mut face = only_face(&pipeline, &photo);
    face.landmarks = [face.landmarks[0]; 5];
    let message = pipeline.embed(&photo, &face).unwrap_err().to_string();
    assert!(message.contains("cannot be aligned"), "{message}");
    face.landmarks[3].x = f32::NAN;
    assert!(pipeline.embed(&photo, &face).is_err());
}
