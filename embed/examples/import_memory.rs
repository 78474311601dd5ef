//! What an import keeps in memory, for 1,000, 5,000 and 20,000 photos.
//!
//! `cargo run --release -p embed --example import_memory -- ROOT [ASSETS]`
//!
//! ROOT holds a folder per person, or files named after people, all JPEGs. Where there are
//! not enough they come again, each time with other bytes after its end, as other photos.

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use embed::import::{Entry, Image, ImportError, Source, folder, import};
use embed::{Assets, Pipeline};

/// Says how many photos a process is to import, where it is one of those that are measured.
const PHOTOS: &str = "IMPORT_MEMORY_PHOTOS";

fn main() -> Result<(), Box<dyn Error>> {
    if let Ok(photos) = std::env::var(PHOTOS) {
        return measure(photos.parse()?);
    }
    for photos in [1_000, 5_000, 20_000] {
        let status = Command::new(std::env::current_exe()?)
            .args(std::env::args().skip(1))
            .env(PHOTOS, photos.to_string())
            .status()?;
        if !status.success() {
            return Err("an import failed".into());
        }
    }
    Ok(())
}

fn measure(photos: u64) -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let root = arguments.next().ok_or("usage: import_memory ROOT [ASSETS]")?;
    let assets = arguments.next().unwrap_or_else(|| "assets".to_owned());
    let pipeline = Pipeline::load(&Assets::new(assets), "default")?;
    let store = std::env::temp_dir().join(format!("import-memory-{}", std::process::id()));
    let all: Vec<Source> = folder(Path::new(&root))?
        .map(|entry| entry.map(|entry| entry.photo))
        .filter_map(|photo| photo.map(Result::ok).transpose())
        .collect::<Result<_, _>>()?;
    let sources = (0..photos).zip(all.into_iter().cycle()).map(|(number, source)| {
        let photo = Ok(copy(number, source)?);
        Ok(Entry { photo, share: None })
    });
    let done = AtomicBool::new(false);
    let (report, (all, own)) = std::thread::scope(|scope| {
        let peak = scope.spawn(|| peak_memory(&done));
        let report = import(&pipeline, Box::new(sources), &store, |_| ());
        done.store(true, Ordering::Relaxed);
        (report, peak.join().unwrap_or_default())
    });
    let report = report?;
    std::fs::remove_dir_all(&store)?;
    println!(
        "{photos} photos, {} added: at most {own} MB of its own, {all} MB with mapped files",
        report.added
    );
    Ok(())
}

/// Another photo of the same picture: a decoder stops where the JPEG ends.
fn copy(number: u64, source: Source) -> Result<Source, ImportError> {
    let Image::File(path) = source.image else {
        return Ok(source);
    };
    let mut bytes =
        std::fs::read(&path).map_err(|source| ImportError::Io { action: "read", path, source })?;
    let key = format!("{number}/{}", source.key);
    bytes.extend(number.to_be_bytes());
    Ok(Source { image: Image::Base64(STANDARD.encode(bytes)), key, ..source })
}

/// The most memory until `done`, in MB: resident in all, and without mapped files.
fn peak_memory(done: &AtomicBool) -> (u64, u64) {
    let mut most = (0, 0);
    while !done.load(Ordering::Relaxed) {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let megabytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
            kib.unwrap_or(0) / 1024
        };
        most = (most.0.max(megabytes("VmRSS:")), most.1.max(megabytes("RssAnon:")));
        std::thread::sleep(Duration::from_millis(20));
    }
    most
}
