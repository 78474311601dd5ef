//! What a photo costs on one core: the whole way from JPEG to embedding, against the
//! sum of the three networks alone.
//!
//! `cargo run --release -p embed --example latency -- PHOTO [ASSETS]`

use std::time::{Duration, Instant};

use embed::{Assets, DecodeLimits, Photo, Pipeline};

const RUNS: usize = 30;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: latency PHOTO [ASSETS]")?;
    let assets = arguments.next().unwrap_or_else(|| "assets".to_owned());
    let bytes = std::fs::read(path)?;
    let pipeline = Pipeline::load(&Assets::new(assets), "default")?;
    let limits = DecodeLimits::default();

    let photo = Photo::decode(&bytes, &limits)?;
    let megapixels = f64::from(photo.width()) * f64::from(photo.height()) / 1e6;
    let face = *pipeline
        .detect(&photo)?
        .first()
        .ok_or("no face in the photo")?;

    let decode = median(|| Ok(Photo::decode(&bytes, &limits)?))?;
    let detect = median(|| Ok(pipeline.detect(&photo)?))?;
    let embed = median(|| Ok(pipeline.embed(&photo, &face)?))?;
    let whole = median(|| {
        let photo = Photo::decode(&bytes, &limits)?;
        let face = *pipeline
            .detect(&photo)?
            .first()
            .ok_or("no face in the photo")?;
        Ok(pipeline.embed(&photo, &face)?)
    })?;
    println!("{megapixels:.2} megapixels, median of {RUNS} runs");
    println!(
        "decode {decode:.2?}, detect with landmarks {detect:.2?}, align and embed {embed:.2?}"
    );
    println!("whole {whole:.2?}");
    Ok(())
}

fn median<T>(
    mut run: impl FnMut() -> Result<T, Box<dyn std::error::Error>>,
) -> Result<Duration, Box<dyn std::error::Error>> {
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let start = Instant::now();
        std::hint::black_box(run()?);
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times[RUNS / 2])
}
