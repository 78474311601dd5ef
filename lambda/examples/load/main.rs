//! How the index service bears load, beside the same searches in one process:
//!
//! ```text
//! cargo run --release -p lambda --example load -- [--vectors 20000] [--seconds 3] [--rounds 3]
//! ```
//!
//! The service runs on one processor and the clients on another, so that they take nothing from it. First
//! the rates: searches in a process on the service's processor, and over HTTP with a few clients, one to a
//! request, the same in base64, and ten to a request, in turn; they are compared by the processor time that
//! each search takes, because the machine may have other work.
//!
//! Then how long answers take at 80 % of the peak: in turns of half a second, the peak, and requests at 80 %
//! of just that rate, evenly spaced, over a bounded number of connections; the time of a request begins when
//! it was due, sent or not. Of the turns the median counts. Then ten times and a hundred times the clients of
//! the peak.

mod clients;
mod connection;
mod faces;
mod rate;
mod service;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;

use clients::{closed, open};
use faces::{base64, fill, numbers, requests};
use rate::{Rate, search_in_process};
use service::Service;

/// How many clients keep the service busy.
const CLIENTS: usize = 8;

/// How many vectors are searched for in a request of several.
const SEVERAL: usize = 10;

/// How long the peak, and 80 % of it, are looked at in turn.
const TURN: Duration = Duration::from_millis(500);

/// The clients' processor, which is not the service's.
const PROCESSOR: &str = "1";

type Failure = Box<dyn Error>;

#[derive(Parser)]
struct Arguments {
    /// How many vectors are searched.
    #[arg(long, default_value_t = 20_000)]
    vectors: u64,
    /// How many candidates a search keeps.
    #[arg(long, default_value_t = 64)]
    ef: usize,
    /// How long each measurement takes.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// How many times rates are measured, of which the medians count.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Search a store in this process, and print the rate.
    #[arg(long, hide = true)]
    in_process: Option<PathBuf>,
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let duration = Duration::from_secs(arguments.seconds);
    if let Some(store) = &arguments.in_process {
        return search_in_process(store, arguments.ef, duration);
    }
    let folder = tempfile::tempdir()?;
    fill(&folder.path().join("faces"), arguments.vectors)?;
    let own = std::process::id().to_string();
    let mut pin = Command::new("taskset");
    if !pin.args(["-cp", PROCESSOR, &own]).stdout(Stdio::null()).status()?.success() {
        return Err("taskset failed; it takes two processors".into());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(folder.path(), duration, &arguments))
}

async fn measure(data: &Path, duration: Duration, arguments: &Arguments) -> Result<(), Failure> {
    let requests = |vectors, write| Arc::new(requests(arguments.ef, vectors, write));
    let (singles, several) = (requests(1, numbers), requests(SEVERAL, numbers));
    let singles_in_base64 = requests(1, base64);
    let mut rounds = Vec::new();
    for _ in 0..arguments.rounds {
        // Whoever writes holds the store, so each has its turn.
        let inside = Rate::in_process(&data.join("faces"), arguments)?;
        let service = Service::start(data)?;
        closed(service.port, &singles, CLIENTS, TURN).await?;
        let (one, _) = service.rate(&singles, CLIENTS, duration).await?;
        let (short, _) = service.rate(&singles_in_base64, CLIENTS, duration).await?;
        let (ten, _) = service.rate(&several, CLIENTS, duration).await?;
        let ten = Rate { searches: ten.searches * SEVERAL as u64, ..ten };
        let share = |rate: &Rate| rate.per_cpu() / inside.per_cpu();
        let (http, in_base64, together) = (share(&one), share(&short), share(&ten));
        println!(
            "in process {:.0} a CPU second ({:.0} a second); over HTTP {:.0} a CPU second ({:.0} a \
             second): {http:.2}; in base64 {:.0} a CPU second: {in_base64:.2}; {SEVERAL} to a request {:.0} \
             a CPU second: {together:.2}",
            inside.per_cpu(),
            inside.per_second(),
            one.per_cpu(),
            one.per_second(),
            short.per_cpu(),
            ten.per_cpu(),
        );
        let mut row = vec![http, in_base64, together, calm(&service, &singles, duration).await?];
        for times in [10, 100] {
            let (rate, over) = service.rate(&singles, times * CLIENTS, duration).await?;
            println!(
                "{times} times the clients: {:.0} a CPU second ({:.0} a second), {} refused, {} closed, \
                 the slowest answer {:.2?}, {} hang: {:.2} of the peak",
                rate.per_cpu(),
                rate.per_second(),
                over.refused,
                over.closed,
                over.slowest,
                over.hanging,
                rate.per_second() / one.per_second()
            );
            row.push(rate.per_second() / one.per_second());
        }
        rounds.push(row);
    }
    let median = |column: usize| {
        let mut values: Vec<f64> = rounds.iter().map(|row| row[column]).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    println!(
        "medians: http/in-process={:.2} base64/in-process={:.2} together/in-process={:.2} p99/p50={:.1} \
         goodput@10x={:.2} goodput@100x={:.2}",
        median(0),
        median(1),
        median(2),
        median(3),
        median(4),
        median(5)
    );
    Ok(())
}

/// In turns, the peak and 80 % of it: how many times the median the 99th percentile of the times is, the
/// median of all turns.
async fn calm(
    service: &Service,
    requests: &Arc<Vec<Vec<u8>>>,
    duration: Duration,
) -> Result<f64, Failure> {
    let (mut turns, mut waited) = (Vec::new(), Duration::ZERO);
    for _ in 0..duration.div_duration_f64(TURN) as usize * 2 {
        let peak = closed(service.port, requests, CLIENTS, TURN).await?;
        let rate = 0.8 * peak.answered as f64 / TURN.as_secs_f64();
        let before = service.waited()?;
        turns.push(open(service.port, requests, rate, TURN).await?);
        waited += service.waited()? - before;
    }
    turns.sort_by(|one, other| one.ratio().total_cmp(&other.ratio()));
    let (median, worst) = (&turns[turns.len() / 2], &turns[turns.len() - 1]);
    println!(
        "at 80 %, {} turns: p50 {:.2?}, p99 {:.2?}, p99 / p50 {:.1}; the worst turn {:.2?}, {:.2?}, {:.1}; \
         {} refused; in all the service waited {waited:.1?} for its processor",
        turns.len(),
        median.p50,
        median.p99,
        median.ratio(),
        worst.p50,
        worst.p99,
        worst.ratio(),
        turns.iter().map(|turn| turn.refused).sum::<usize>()
    );
    Ok(median.ratio())
}
