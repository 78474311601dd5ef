//! Damaged and hostile images of all kinds: an answer or a typed error, never a panic, never
//! more than 256 MB, never two seconds.
//!
//! Another process goes through them, so that its death would be seen. `EMBED_HOSTILE` sets
//! how many (default 120), `EMBED_SEED` which; with it set, the time is asserted, too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use embed::{DecodeLimits, Photo, PhotoError, Pipeline};
use image::{DynamicImage, ImageFormat, RgbImage};
use jpeg_encoder::ColorType;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustix::time::{ClockId, clock_gettime};

use common::photos::{all_kinds, deflated_zeros, encode, flat, jpeg, lossy_webp, with_png_chunk};
use common::{assets, jpeg_with_orientation, pipeline};

const MOST_MEMORY_KB: u64 = 256 * 1000;
const MOST_TIME_MS: u64 = 2000;
/// One image in so many is a giant.
const GIANTS: u64 = 20;

/// Set for the process that looks at the images.
const CHILD: &str = "EMBED_HOSTILE_CHILD";

#[test]
fn hostile_images_do_no_harm() {
    if std::env::var(CHILD).is_ok() {
        return look_at_what_is_named();
    }
    let full = std::env::var("EMBED_HOSTILE").ok();
    let count: u64 = full.as_deref().map_or(120, |n| n.parse().unwrap());
    let seed: u64 = std::env::var("EMBED_SEED").map_or(1, |n| n.parse().unwrap());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "hostile_images_do_no_harm", "--nocapture"])
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ask = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("image");
    let (bases, giants) = (bases(), giants());
    let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
    let (mut most_memory, mut most_time) = ((0, String::new()), (0, String::new()));
    for number in 0..count {
        let mut random = StdRng::seed_from_u64(seed << 32 | number);
        let (what, bytes) = hostile(number, &bases, &giants, &mut random);
        fs::write(&file, bytes).unwrap();
        writeln!(ask, "{}", file.display()).unwrap();
        // The answer is the line with tabs; the test runner prints others.
        let answer = answers.find_map(|line| line.ok().filter(|line| line.contains('\t')));
        let answer = answer.unwrap_or_else(|| panic!("{number}, {what}: it killed the process"));
        let fields: Vec<&str> = answer.split('\t').collect();
        *outcomes.entry(fields[0].to_owned()).or_default() += 1;
        most_memory = most_memory.max((fields[1].parse::<u64>().unwrap(), what.clone()));
        most_time = most_time.max((fields[2].parse::<u64>().unwrap(), what));
    }
    drop(ask);
    assert!(child.wait().unwrap().success());
    println!("{count} images: {outcomes:?}");
    println!("most memory: {} MB, {}", most_memory.0 / 1000, most_memory.1);
    println!("most time: {} ms of one core, {}", most_time.0, most_time.1);
    assert!(most_memory.0 <= MOST_MEMORY_KB, "{most_memory:?}");
    assert!(full.is_none() || most_time.0 <= MOST_TIME_MS, "{most_time:?}");
    assert!(outcomes.len() > 3 && outcomes.contains_key("a face"), "{outcomes:?}");
}

/// An image that is damaged, or a giant, and what was done to it.
fn hostile(
    number: u64,
    bases: &[(String, Vec<u8>)],
    giants: &[Giant],
    random: &mut StdRng,
) -> (String, Vec<u8>) {
    let giant = number.is_multiple_of(GIANTS);
    let (mut what, mut bytes) = if giant {
        let giant = &giants[random.random_range(0..giants.len())];
        (giant.what.clone(), (giant.make)())
    } else {
        bases[random.random_range(0..bases.len())].clone()
    };
    // A giant is harm enough; half of them stay whole.
    let damages = if giant { random.random_range(0..2) } else { random.random_range(1..4) };
    for _ in 0..damages {
        what = format!("{what}, {}", damage(&mut bytes, random));
    }
    (what, bytes)
}

/// Reads names of images, a line each, and answers with what came of each, the most memory
/// of the process in KB, and the milliseconds of processor time.
fn look_at_what_is_named() {
    let pipeline = pipeline();
    pipeline.warm_up().unwrap();
    for name in std::io::stdin().lines() {
        let bytes = fs::read(name.unwrap()).unwrap();
        fs::write("/proc/self/clear_refs", "5").unwrap();
        let start = cpu_time();
        let outcome = look(&pipeline, &bytes);
        let time = (cpu_time() - start).as_millis();
        println!("{outcome}\t{}\t{time}", peak_memory_kb());
    }
}

/// What a request does with an image, and what came of it.
fn look(pipeline: &Pipeline, bytes: &[u8]) -> &'static str {
    let photo = match Photo::decode(bytes, &DecodeLimits::default()) {
        Ok(photo) => photo,
        Err(PhotoError::NotAnImage) => return "not an image",
        Err(PhotoError::UnsupportedFormat { .. }) => return "another format",
        Err(PhotoError::TooManyPixels { .. }) => return "too many pixels",
        Err(PhotoError::Truncated) => return "cut off",
        Err(PhotoError::Broken { .. }) => return "broken",
        Err(error) => panic!("{error}"),
    };
    match pipeline.detect(&photo).unwrap().first() {
        // A face whose landmarks define no transform is refused with an error, too.
        Some(face) => pipeline.embed(&photo, face).map_or("no such face", |_| "a face"),
        None => "no face",
    }
}

/// Six photos with a face, in every kind of file.
fn bases() -> Vec<(String, Vec<u8>)> {
    let photos = fs::read_dir(assets().join("gallery")).unwrap().map(|entry| entry.unwrap().path());
    let mut photos: Vec<_> = photos.collect();
    photos.sort();
    let mut bases = Vec::new();
    for path in photos.iter().step_by(80) {
        let photo = Photo::open(path, &DecodeLimits::default()).unwrap();
        let name = path.file_name().unwrap().to_string_lossy();
        bases.push((format!("{name} as it is"), fs::read(path).unwrap()));
        for (kind, bytes) in all_kinds(photo.pixels()) {
            bases.push((format!("{name} as {kind}"), bytes));
        }
    }
    bases
}

/// A small file that is a large picture; made when it is needed.
struct Giant {
    what: String,
    make: Box<dyn Fn() -> Vec<u8>>,
}

/// Pictures as large as is allowed, and larger, and more than that in what lies beside them.
fn giants() -> Vec<Giant> {
    type Make = fn(RgbImage) -> Vec<u8>;
    fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
        encode(&picture.into(), ImageFormat::Png)
    }
    let kinds: [(&str, Make); 9] = [
        ("JPEG", |picture| jpeg(&picture, ColorType::Rgb, false)),
        ("progressive JPEG", |picture| jpeg(&picture, ColorType::Rgb, true)),
        ("CMYK JPEG", |picture| jpeg(&picture, ColorType::Cmyk, false)),
        ("JPEG on its side", |picture| jpeg_with_orientation(&picture, 6, 50)),
        ("PNG", png),
        ("grey PNG", |picture| png(DynamicImage::from(picture).into_luma8())),
        ("PNG of 16 bits", |picture| png(DynamicImage::from(picture).into_rgba16())),
        ("WebP", |picture| encode(&picture.into(), ImageFormat::WebP)),
        ("lossy WebP", |picture| lossy_webp(&picture)),
    ];
    let sizes = [(7300, 5400), (5400, 4600), (4000, 3100), (3900, 3100), (16_000, 1000)];
    let mut giants = Vec::new();
    for (width, height) in sizes {
        for (kind, make) in kinds {
            let what = format!("{kind} of {width}x{height}");
            giants.push(Giant { what, make: Box::new(move || make(flat(width, height))) });
        }
    }
    for (chunk, before) in [(b"iCCP", b"p\0\0".as_slice()), (b"zTXt", b"Comment\0\0")] {
        let make = move || {
            let content = [before, &deflated_zeros(400 << 20)].concat();
            with_png_chunk(&png(flat(300, 300)), chunk, &content)
        };
        let what = format!("PNG with a huge {}", String::from_utf8_lossy(chunk));
        giants.push(Giant { what, make: Box::new(make) });
    }
    giants
}

/// Damages an image in one of the ways that disks, networks and enemies do.
fn damage(bytes: &mut Vec<u8>, random: &mut StdRng) -> String {
    if bytes.len() < 2 {
        return "nothing left".to_owned();
    }
    // Headers say how large things are: a third of the damage goes there.
    let reach = if random.random_range(0..3) == 0 { bytes.len().min(700) } else { bytes.len() };
    let at = random.random_range(0..reach);
    let run = random.random_range(1..=(bytes.len() - at).min(4096));
    match random.random_range(0..8) {
        0 | 1 => {
            let bit = random.random_range(0..8);
            bytes[at] ^= 1 << bit;
            format!("bit {bit} of byte {at} flipped")
        }
        2 => {
            bytes.truncate(at);
            format!("cut off at {at}")
        }
        3 => {
            bytes[at..at + run].fill(if run % 2 == 0 { 0 } else { 0xFF });
            format!("{run} bytes from {at} on filled")
        }
        4 => {
            random.fill(&mut bytes[at..at + run]);
            format!("{run} bytes from {at} on overwritten")
        }
        5 => {
            bytes.drain(at..at + run);
            format!("{run} bytes from {at} on left out")
        }
        6 => {
            let again = bytes[at..at + run].to_vec();
            bytes.splice(at..at, again);
            format!("{run} bytes from {at} on twice")
        }
        _ => resized(bytes, random),
    }
}

/// Another size in the header, with the right checksum where there is one.
fn resized(bytes: &mut [u8], random: &mut StdRng) -> String {
    let side = || [1u32, 2, 255, 6000, 6500, 16_383, 40_000, 65_535];
    let mut pick = || side()[random.random_range(0..side().len())];
    let (width, height) = (pick(), pick());
    let large = |side: u32| (side as u16).to_be_bytes();
    if bytes.starts_with(b"\x89PNG") && bytes.len() > 33 {
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let mut checksum = flate2::Crc::new();
        checksum.update(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&checksum.sum().to_be_bytes());
    } else if bytes.starts_with(b"\xFF\xD8") {
        let frame = bytes.windows(2).position(|at| matches!(at, [0xFF, 0xC0 | 0xC2]));
        if let Some(frame) = frame.filter(|frame| frame + 9 < bytes.len()) {
            bytes[frame + 5..frame + 7].copy_from_slice(&large(height));
            bytes[frame + 7..frame + 9].copy_from_slice(&large(width));
        }
    } else if bytes.len() > 32 {
        // VP8X keeps its canvas at 24, VP8 its sides at 26; each little-endian.
        bytes[24..28].copy_from_slice(&width.to_le_bytes());
        bytes[27..31].copy_from_slice(&height.to_le_bytes());
    }
    format!("header says {width}x{height}")
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The most memory that was resident since it was last cleared, all of the process.
fn peak_memory_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
