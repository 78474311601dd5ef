//! Readers in other processes and other threads while a store is written to and merged.

mod reader;
mod world;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use vecstore::{Reader, Store};

use self::reader::{Kind, Read, Reads, read_until};
pub use self::world::World;
use crate::measure::{machine_time, now, quantile};
use crate::{Report, Result};

const PROCESSES: u64 = 4;
const THREADS: u64 = 2;

/// The writer rests this long after a generation: a thousand upserts a second are as many as two
/// processors can merge beside the readers. Faster ones would only measure how far a merge lags.
const WRITER_REST: Duration = Duration::from_millis(200);

/// Between two checkpoints, so that there are reads outside of them, too.
const PAUSE: Duration = Duration::from_secs(1);

/// Four reader processes and two reader threads beside a busy writer and its checkpoints. Every
/// answer is checked against the one generation that its snapshot is of.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the store is made and removed again
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    pub directory: PathBuf,
    /// How long the readers read
    #[arg(long, default_value_t = 120)]
    pub seconds: u64,
    /// What is in the store
    #[command(flatten)]
    pub world: World,
}

/// A reader process: not to be called by hand.
#[derive(Debug, clap::Args)]
pub struct ReaderArgs {
    store: PathBuf,
    end: u64,
    seed: u64,
    #[command(flatten)]
    world: World,
}

/// What was measured; that every answer was right is known when this exists.
#[derive(Debug)]
pub struct Figures {
    /// Generations that were written.
    pub generations: u64,
    /// Checkpoints that ran.
    pub checkpoints: usize,
    /// Generations that each reader came to see: processes first.
    pub seen: Vec<u64>,
    /// The share of the CPU time of this machine that other virtual machines took.
    pub stolen: f64,
    reads: Vec<Timed>,
}

/// A read, and where and when it was.
#[derive(Debug)]
struct Timed {
    read: Read,
    in_process: bool,
    during_checkpoint: bool,
}

/// Takes the figures. `program` is the `benches` command, which is started as the readers.
///
/// # Errors
///
/// Those of the store, and the first wrong answer that a reader got.
pub fn measure(args: &Args, program: &Path) -> Result<Figures> {
    let directory = tempfile::tempdir_in(&args.directory)?;
    let world = args.world;
    let store = Store::create(directory.path(), world.config())?;
    world.begin(&store)?;
    let end = now() + 1_000_000_000 * args.seconds;
    let stop = AtomicBool::new(false);
    let before = machine_time()?;

    let (readers, generations, checkpoints) = thread::scope(|threads| -> Result<_> {
        let store = &store;
        let writer = threads.spawn(|| write(store, &world, &stop));
        let checkpointer = threads.spawn(|| checkpoint(store, &stop));
        let inside: Vec<_> = (0..THREADS)
            .map(|seed| {
                threads.spawn(move || read_until(end, &world, seed, || Ok(store.snapshot())))
            })
            .collect();
        let outside: Vec<_> = (0..PROCESSES)
            .map(|seed| spawn(program, directory.path(), end, seed, &world))
            .collect();
        let mut readers: Vec<_> = outside.into_iter().map(|child| collect(child?)).collect();
        readers.extend(inside.into_iter().map(|thread| joined(thread.join())));
        stop.store(true, Relaxed);
        Ok((
            readers.into_iter().collect::<Result<Vec<_>>>()?,
            joined(writer.join())?,
            joined(checkpointer.join())?,
        ))
    })?;

    let after = machine_time()?;
    let mut figures = Figures {
        generations,
        checkpoints: checkpoints.len(),
        seen: readers.iter().map(|reader| reader.generations).collect(),
        stolen: (after.stolen - before.stolen) as f64 / (after.total - before.total) as f64,
        reads: Vec::new(),
    };
    for (number, reader) in (0..).zip(readers) {
        figures.reads.extend(reader.reads.into_iter().map(|read| {
            Timed {
                read,
                in_process: number >= PROCESSES,
                during_checkpoint: checkpoints
                    .iter()
                    .any(|&(start, end)| read.start < end && read.start + read.wall > start),
            }
        }));
    }
    Ok(figures)
}

/// Writes one generation after another. Returns how many.
fn write(store: &Store, world: &World, stop: &AtomicBool) -> Result<u64> {
    let mut generation = 0;
    while !stop.load(Relaxed) {
        generation += 1;
        world.write(store, generation)?;
        thread::sleep(WRITER_REST);
    }
    Ok(generation)
}

/// Returns when each checkpoint began and ended.
fn checkpoint(store: &Store, stop: &AtomicBool) -> Result<Vec<(u64, u64)>> {
    let mut checkpoints = Vec::new();
    while !stop.load(Relaxed) {
        thread::sleep(PAUSE);
        let start = now();
        store.checkpoint()?;
        checkpoints.push((start, now()));
    }
    Ok(checkpoints)
}

fn spawn(program: &Path, store: &Path, end: u64, seed: u64, world: &World) -> Result<Child> {
    let mut command = Command::new(program);
    command.arg("soak-reader").arg(store).args([end.to_string(), seed.to_string()]);
    for (name, value) in [
        ("--records", world.records),
        ("--dimension", world.dimension as u64),
        ("--period", world.period),
    ] {
        command.arg(name).arg(value.to_string());
    }
    Ok(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?)
}

fn collect(child: Child) -> Result<Reads> {
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    std::str::from_utf8(&output.stdout)?.parse()
}

fn joined<T>(thread: thread::Result<Result<T>>) -> Result<T> {
    thread.unwrap_or_else(|_| Err("a thread panicked".into()))
}

/// The process that reads: prints what it did.
///
/// # Errors
///
/// Those of the store, and the first wrong answer.
pub fn read(args: &ReaderArgs) -> Result<()> {
    let reader = Reader::open(&args.store)?;
    let reads = read_until(args.end, &args.world, args.seed, || {
        reader.refresh()?;
        Ok(reader.snapshot())
    })?;
    print!("{reads}");
    Ok(())
}

impl Figures {
    /// Prints the figures beside what is asked of them.
    ///
    /// What is asked for is how long a read takes of itself, not how long the machine had something
    /// else to do: the time in which the thread was ready to run and another one, or another virtual
    /// machine, ran is taken off. What a read would wait for a lock or for the disk is not. Where others
    /// take more than a little, the system does not know of all that they took, and single reads look slow.
    pub fn report(&self) -> Report {
        let mut report = Report::default();
        report.figure("generations written, each one batch and a deletion", self.generations);
        report.figure("checkpoints", self.checkpoints);
        report.figure("generations seen by each reader", format!("{:?}", self.seen));
        report.figure("reads, every answer of one generation", self.reads.len());
        let stolen = format!("{:.2} %", 100.0 * self.stolen);
        report.figure("CPU time that other virtual machines took", stolen);
        for in_process in [false, true] {
            for kind in Kind::ALL {
                let place = if in_process { "threads" } else { "processes" };
                self.report_kind(&mut report, &format!("{place}, {kind:?}"), kind, in_process);
            }
        }
        report
    }

    fn report_kind(&self, report: &mut Report, name: &str, kind: Kind, in_process: bool) {
        let these =
            || self.reads.iter().filter(|it| it.read.kind == kind && it.in_process == in_process);
        let micros = |nanos: u64| nanos as f64 / 1e3;
        let own = |timed: &Timed| micros(timed.read.own);
        let wall = |timed: &Timed| micros(timed.read.wall);
        let during: Vec<_> = these().filter(|it| it.during_checkpoint).map(own).collect();
        let beside: Vec<_> = these().filter(|it| !it.during_checkpoint).map(own).collect();
        let walls: Vec<_> = these().map(wall).collect();
        for (what, times) in
            [("in checkpoints", &during), ("outside", &beside), ("with waiting for a CPU", &walls)]
        {
            let [half, most, all_but_few, slowest] =
                [0.5, 0.99, 0.999, 1.0].map(|share| quantile(times, share));
            report.figure(
                &format!("{name}, {what}, {} reads, us", times.len()),
                format!(
                    "median {half:.0}, 99 % {most:.0}, 99.9 % {all_but_few:.0}, slowest {slowest:.0}"
                ),
            );
        }
        let ratio = quantile(&during, 1.0) / quantile(&beside, 0.5);
        report.at_most(&format!("{name}: slowest in checkpoints / median outside"), ratio, 10.0);
    }
}
