//! What a photo costs on one core: the whole way from the bytes of a JPEG to the
//! embedding, against the sum of the three networks alone.
//!
//! `cargo run --release -p embed --example latency -- PHOTO [ASSETS]`

use std::error::Error;
use std::time::{Duration, Instant};

use embed::{Assets, DecodeLimits, Photo, Pipeline};

const RUNS: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: latency PHOTO [ASSETS]")?;
    let assets = arguments.next().unwrap_or_else(|| "assets".to_owned());
    let bytes = std::fs::read(path)?;
    let pipeline = Pipeline::load(&Assets::new(assets), "default")?;
    let limits = DecodeLimits::default();

    let photo = Photo::decode(&bytes, &limits)?;
    let face = *pipeline.detect(&photo)?.first().ok_or("no face in the photo")?;
    let mut networks = [[Duration::ZERO; RUNS]; 3];
    let mut steps = [[Duration::ZERO; RUNS]; 4];
    for run in 0..RUNS {
        let alone = pipeline.run_on_noise(1)?;
        networks[0][run] = alone.detector;
        networks[1][run] = alone.landmarks;
        networks[2][run] = alone.embedding;
        steps[0][run] = time(|| Ok(Photo::decode(&bytes, &limits)?))?;
        steps[1][run] = time(|| Ok(pipeline.detect(&photo)?))?;
        steps[2][run] = time(|| Ok(pipeline.embed(&photo, &face)?))?;
        steps[3][run] = time(|| {
            let photo = Photo::decode(&bytes, &limits)?;
            let face = *pipeline.detect(&photo)?.first().ok_or("no face in the photo")?;
            Ok(pipeline.embed(&photo, &face)?)
        })?;
    }
    let [detector, landmarks, embedding] = networks.map(median);
    let [decode, detect, embed, whole] = steps.map(median);
    let sum = detector + landmarks + embedding;
    println!("{}x{} pixels, medians of {RUNS} runs", photo.width(), photo.height());
    println!("networks alone: {detector:.2?} + {landmarks:.2?} + {embedding:.2?} = {sum:.2?}");
    println!(
        "decode {decode:.2?}, detect with landmarks {detect:.2?}, align and embed {embed:.2?}"
    );
    println!("whole {whole:.2?}, ratio {:.2}", whole.as_secs_f64() / sum.as_secs_f64());
    Ok(())
}

fn time<T>(run: impl FnOnce() -> Result<T, Box<dyn Error>>) -> Result<Duration, Box<dyn Error>> {
    let start = Instant::now();
    std::hint::black_box(run()?);
    Ok(start.elapsed())
}

fn median(mut times: [Duration; RUNS]) -> Duration {
    times.sort_unstable();
    times[RUNS / 2]
}
