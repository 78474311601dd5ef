//! One face in every kind of photo: it is found, and it is the same face.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use embed::{DecodeLimits, Embedding, Face, Photo, Pipeline};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, imageops};

use common::photos::{all_kinds, cut_out, encode};
use common::{assets, jpeg_with_orientation, pipeline};

const PHOTOS: [&str; 4] =
    ["Bronny_James.png", "AJ_Hoggard.jpg", "AJ_Johnson.png", "Adam_Flagler.png"];

fn decode(bytes: &[u8]) -> Photo {
    Photo::decode(bytes, &DecodeLimits::default()).unwrap()
}

fn photo(name: &str) -> Photo {
    Photo::open(&assets().join("gallery").join(name), &DecodeLimits::default()).unwrap()
}

fn surest(pipeline: &Pipeline, photo: &Photo) -> Option<(Face, Embedding)> {
    let face = *pipeline.detect(photo).unwrap().first()?;
    Some((face, pipeline.embed(photo, &face).unwrap()))
}

#[test]
fn a_face_is_the_same_in_every_kind_of_file() {
    let pipeline = pipeline();
    for name in PHOTOS {
        let original = photo(name);
        let (_, embedding) = surest(&pipeline, &original).unwrap();
        let picture = original.pixels();
        let transparent = DynamicImage::ImageRgba8(cut_out(picture));
        let mut kinds = all_kinds(picture);
        kinds.push(("transparent PNG", encode(&transparent, ImageFormat::Png)));
        kinds.push(("transparent WebP", encode(&transparent, ImageFormat::WebP)));
        for (kind, bytes) in kinds {
            let read = decode(&bytes);
            assert_eq!(read.pixels().dimensions(), picture.dimensions(), "{name} as {kind}");
            let (_, found) = surest(&pipeline, &read).unwrap_or_else(|| panic!("{name} as {kind}"));
            let cosine = found.cosine(&embedding);
            println!("{name} as {kind}: {cosine:.3}");
            // Nothing but the colour is missing of a grey one.
            let least = if kind.contains("grey") { 0.75 } else { 0.95 };
            assert!(cosine > least, "{name} as {kind}: {cosine}");
        }
    }
}

#[test]
fn all_eight_orientations_are_upright() {
    let pipeline = pipeline();
    let original = photo(PHOTOS[1]);
    let (face, embedding) = surest(&pipeline, &original).unwrap();
    let picture = original.pixels();
    let flipped = imageops::flip_horizontal(picture);
    // What undoes each orientation of EXIF (CIPA DC-008, tag 0x0112).
    let stored = [
        picture.clone(),
        flipped.clone(),
        imageops::rotate180(picture),
        imageops::flip_vertical(picture),
        imageops::rotate270(&flipped),
        imageops::rotate270(picture),
        imageops::rotate90(&flipped),
        imageops::rotate90(picture),
    ];
    for (stored, orientation) in stored.iter().zip(1..) {
        let read = decode(&jpeg_with_orientation(stored, orientation, 95));
        let (found, again) = surest(&pipeline, &read).unwrap();
        assert!(found.bounds.overlap(&face.bounds) > 0.9, "{orientation}: {found:?}");
        let cosine = again.cosine(&embedding);
        assert!(cosine > 0.98, "{orientation}: {cosine}");
    }
}

/// A picture turned clockwise by some degrees, on grey.
fn turned(picture: &RgbImage, degrees: f32) -> RgbImage {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let wide = width * cosine.abs() + height * sine.abs();
    let high = width * sine.abs() + height * cosine.abs();
    RgbImage::from_fn(wide.ceil() as u32, high.ceil() as u32, |x, y| {
        let (x, y) = (x as f32 + 0.5 - wide / 2.0, y as f32 + 0.5 - high / 2.0);
        let at = |along: f32, length: f32| (along + length / 2.0 - 0.5) / (length - 1.0);
        let (x, y) = (at(cosine * x + sine * y, width), at(cosine * y - sine * x, height));
        imageops::sample_bilinear(picture, x, y).unwrap_or(Rgb([128; 3]))
    })
}

#[test]
fn tilted_heads_are_found_up_to_upside_down() {
    let pipeline = pipeline();
    let mut files: Vec<_> =
        std::fs::read_dir(assets().join("gallery")).unwrap().map(|entry| entry.unwrap()).collect();
    files.sort_by_key(std::fs::DirEntry::file_name);
    let upright: Vec<_> = files
        .iter()
        .step_by(12)
        .map(|file| Photo::open(&file.path(), &DecodeLimits::default()).unwrap())
        .filter_map(|photo| surest(&pipeline, &photo).map(|(_, embedding)| (photo, embedding)))
        .collect();
    let (mut same, mut all) = (0, 0);
    for degrees in (30..360).step_by(30) {
        let cosines = upright.iter().map(|(photo, embedding)| {
            let photo = Photo::from_pixels(turned(photo.pixels(), degrees as f32));
            surest(&pipeline, &photo).map_or(-1.0, |(_, found)| found.cosine(embedding))
        });
        // The least that two photos of one person mostly have; of two people it is rare.
        let recognised = cosines.filter(|&cosine| cosine > 0.55).count();
        println!("turned by {degrees}: {recognised} of {} are the same", upright.len());
        assert!(recognised * 4 > upright.len() * 3, "{degrees}: {recognised} of {}", upright.len());
        (same, all) = (same + recognised, all + upright.len());
    }
    println!("{same} of {all}");
    assert!(same * 10 > all * 9, "{same} of {all}");
}
