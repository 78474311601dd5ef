//! How fast an import is, against the rate that the networks alone allow on the same cores:
//! both are measured by turns, a part of the photos each time.
//!
//! `cargo run --release -p embed --example import_rate -- ROOT [PHOTOS] [ASSETS]`
//!
//! ROOT holds a folder per person, or files named after people.

use std::error::Error;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use embed::import::{Sources, folder, import};
use embed::{Assets, Pipeline, PipelineError};

const ROUNDS: usize = 9;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let root = arguments.next().ok_or("usage: import_rate ROOT [PHOTOS] [ASSETS]")?;
    let photos: usize = arguments.next().as_deref().unwrap_or("3600").parse()?;
    let assets = arguments.next().unwrap_or_else(|| "assets".to_owned());
    let pipeline = Pipeline::load(&Assets::new(assets), "default")?;
    let store = std::env::temp_dir().join(format!("import-rate-{}", std::process::id()));
    let result = measure(&pipeline, Path::new(&root), photos / ROUNDS, &store);
    std::fs::remove_dir_all(&store)?;
    result
}

fn measure(
    pipeline: &Pipeline,
    root: &Path,
    part: usize,
    store: &Path,
) -> Result<(), Box<dyn Error>> {
    pipeline.warm_up()?;
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        let alone = networks(pipeline, part)?;
        let sources: Sources = Box::new(folder(root)?.skip(round * part).take(part));
        let start = Instant::now();
        let report = import(pipeline, sources, store, |_| ())?;
        let whole = start.elapsed();
        let done = report.added + report.skipped;
        if done == 0 {
            return Err("fewer photos than asked for".into());
        }
        let rate = done as f64 / whole.as_secs_f64();
        let bound = part as f64 / alone.as_secs_f64();
        println!("{rate:.1} photos/s, the networks alone {bound:.1}, ratio {:.3}", rate / bound);
        ratios.push(rate / bound);
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "ratio, median of {ROUNDS} rounds of {part} photos: {:.3} ({:.3} to {:.3})",
        ratios[ROUNDS / 2],
        ratios[0],
        ratios[ROUNDS - 1]
    );
    Ok(())
}

/// How long all cores take to run each network once for each photo, and nothing else.
fn networks(pipeline: &Pipeline, photos: usize) -> Result<Duration, PipelineError> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let each = |_| {
        (0..photos).try_fold(Duration::ZERO, |sum, _| {
            let times = pipeline.warm_up()?;
            Ok(sum + times.detector + times.landmarks + times.embedding)
        })
    };
    let sums: Vec<Result<Duration, PipelineError>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|core| scope.spawn(move || each(core))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    // Each core has run them for all photos, so the sum is `cores` times what one set takes.
    let all = sums.into_iter().sum::<Result<Duration, _>>()?;
    Ok(all / (cores * cores) as u32)
}
