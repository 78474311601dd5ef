//! How fast an import is, against the rate that the networks alone allow on the same cores:
//! both are measured by turns, a part of the photos each time.
//!
//! `cargo run --release -p embed --example import_rate -- ROOT [PHOTOS] [ASSETS]`
//!
//! ROOT holds a folder per person, or files named after people.

use std::error::Error;
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use embed::import::{Sources, folder, import};
use embed::{Assets, Pipeline, PipelineError};
use rustix::time::{ClockId, clock_gettime};

const ROUNDS: usize = 5;
/// Runs that a core takes on together.
const AT_ONCE: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let root = arguments.next().ok_or("usage: import_rate ROOT [PHOTOS] [ASSETS]")?;
    let photos: usize = arguments.next().as_deref().unwrap_or("7000").parse()?;
    let assets = arguments.next().unwrap_or_else(|| "assets".to_owned());
    let pipeline = Pipeline::load(&Assets::new(assets), "default")?;
    let store = std::env::temp_dir().join(format!("import-rate-{}", std::process::id()));
    let result =
        measure(&pipeline, Path::new(&root), photos / (ROUNDS * AT_ONCE) * AT_ONCE, &store);
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
    // Listed once, as by one import of all.
    let all = folder(root)?.take(ROUNDS * part).collect::<Result<Vec<_>, _>>()?;
    let mut entries = all.into_iter().map(Ok);
    let mut ratios = Vec::new();
    let mut cpu_ratios = Vec::new();
    for _ in 0..ROUNDS {
        let (bound, least_cpu) = networks(pipeline, part)?;
        let some: Vec<_> = entries.by_ref().take(part).collect();
        let sources: Sources = Box::new(some.into_iter());
        let (start, cpu) = (Instant::now(), cpu_time());
        let report = import(pipeline, sources, store, |_| ())?;
        let (whole, cpu) = (start.elapsed(), cpu_time() - cpu);
        if report.added + report.skipped != part as u64 {
            return Err("fewer photos than asked for".into());
        }
        let (ratio, cpu_ratio) = (
            bound.as_secs_f64() / whole.as_secs_f64(),
            least_cpu.as_secs_f64() / cpu.as_secs_f64(),
        );
        println!(
            "{:.1} photos/s, {ratio:.3} of the networks alone; {:.2} ms of CPU a photo, {:.2} by \
             the networks alone, {cpu_ratio:.3}",
            part as f64 / whole.as_secs_f64(),
            1e3 * cpu.as_secs_f64() / part as f64,
            1e3 * least_cpu.as_secs_f64() / part as f64,
        );
        ratios.push(ratio);
        cpu_ratios.push(cpu_ratio);
    }
    ratios.sort_by(f64::total_cmp);
    cpu_ratios.sort_by(f64::total_cmp);
    println!(
        "of the rate of the networks alone, medians of {ROUNDS} rounds of {part} photos: {:.3} \
         ({:.3} to {:.3}); by CPU time {:.3}",
        ratios[ROUNDS / 2],
        ratios[0],
        ratios[ROUNDS - 1],
        cpu_ratios[ROUNDS / 2],
    );
    Ok(())
}

/// How long all cores take to run each network once for each photo, and nothing else; and the
/// CPU time of that.
fn networks(pipeline: &Pipeline, photos: usize) -> Result<(Duration, Duration), PipelineError> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let (start, cpu) = (Instant::now(), cpu_time());
    let left = AtomicUsize::new(photos);
    let take = || left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(AT_ONCE)).is_ok();
    thread::scope(|scope| {
        let run = || {
            while take() {
                pipeline.run_on_noise(AT_ONCE)?;
            }
            Ok(())
        };
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(run)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect::<Result<(), _>>()
    })
    .map(|()| (start.elapsed(), cpu_time() - cpu))
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
