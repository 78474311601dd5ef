//! From the start of the look-alike service to its first answered photo, on one processor, with a gallery
//! of 10,000 people:
//!
//! ```text
//! cargo run --release -p lambda --example cold_start -- [--gallery data/demo] [--rounds 9]
//! ```
//!
//! The people are made of the real ones of a gallery: each embedding, moved at random by less than what
//! tells people apart. Files are in the disk cache, because a round before the first has read them. Times
//! count from before the process is there. What took them is what the service's log says.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use embed::Gallery;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use vecstore::{Record, Store};

const PEOPLE: u64 = 10_000;

type Failure = Box<dyn Error>;

#[derive(Parser)]
struct Arguments {
    /// A gallery of real people.
    #[arg(long, default_value = "data/demo")]
    gallery: PathBuf,
    /// The networks.
    #[arg(long, default_value = "assets")]
    models_dir: PathBuf,
    /// The photo that is sent.
    #[arg(long, default_value = "assets/gallery/AJ_Johnson.png")]
    photo: PathBuf,
    /// How often it is measured; medians are printed.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let photo = fs::read(&arguments.photo)?;
    let folder = tempfile::tempdir()?;
    multiply(&arguments.gallery, folder.path())?;
    start(&arguments, folder.path(), &photo)?;
    let mut rounds = Vec::new();
    for _ in 0..arguments.rounds {
        rounds.push(start(&arguments, folder.path(), &photo)?);
    }
    let median = |pick: fn(&Times) -> Duration| {
        let mut times: Vec<_> = rounds.iter().map(pick).collect();
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1e3
    };
    for round in &rounds {
        println!("{}", round.log);
    }
    println!(
        "medians of {}: health_ms={:.0} first_photo_ms={:.0} second_photo_ms={:.0} cpu_ms={:.0}",
        rounds.len(),
        median(|times| times.health),
        median(|times| times.first),
        median(|times| times.second),
        median(|times| times.cpu),
    );
    Ok(())
}

/// A gallery of many people, made of those of another.
fn multiply(from: &Path, to: &Path) -> Result<(), Failure> {
    let vectors = Gallery::vectors(from)?;
    let real: Vec<Record> = vectors.snapshot().iter().collect::<Result<_, _>>()?;
    fs::copy(from.join("gallery.json"), to.join("gallery.json"))?;
    fs::create_dir(to.join("portraits"))?;
    let store = Store::create(to.join("vectors"), vectors.config())?;
    let (mut load, mut rng) = (store.bulk_load(), StdRng::seed_from_u64(1));
    for (id, record) in (0..PEOPLE).zip(real.iter().cycle()) {
        let person = format!("person-{id}");
        let vector = record.vector().iter().map(|value| value + rng.random_range(-0.03..0.03));
        let mut payload: Value = record.payload()?.ok_or("the gallery has no names")?;
        payload["person"]["id"] = person.clone().into();
        load.add(&Record::new(id, vector.collect()).with_group(person).with_payload(&payload)?)?;
    }
    load.commit()?;
    println!("{} people, of {} real ones", store.len(), real.len());
    Ok(())
}

struct Times {
    health: Duration,
    first: Duration,
    second: Duration,
    /// Processor time until the first photo was answered.
    cpu: Duration,
    log: String,
}

/// Starts the service, asks whether it is there until it is, and sends the photo at once.
fn start(arguments: &Arguments, gallery: &Path, photo: &[u8]) -> Result<Times, Failure> {
    let own = std::env::current_exe()?;
    let binary = own.parent().and_then(Path::parent).map(|folder| folder.join("lambda"));
    let binary = binary.filter(|path| path.is_file()).ok_or("build the binaries: make build")?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(binary).arg("--store").arg(gallery);
    command.arg("--models-dir").arg(&arguments.models_dir).args(["--port", &port.to_string()]);
    command.env("RUST_LOG", "info").env("NO_COLOR", "1").stderr(Stdio::piped());
    let begin = Instant::now();
    let mut service = Service(command.spawn()?);
    let log = service.0.stderr.take().ok_or("no log")?;
    let log = thread::spawn(move || {
        let mut told = Vec::new();
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            let what = line.rsplit("lambda::").next().unwrap_or_default().to_owned();
            if what.starts_with("finder") || what.starts_with("open") {
                told.push(what);
            }
        }
        told.join("; ")
    });
    let get = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    while call(port, get).is_err() {
        if begin.elapsed() > Duration::from_secs(30) {
            return Err("the service does not start".into());
        }
        thread::sleep(Duration::from_millis(1));
    }
    let health = begin.elapsed();
    let head = "POST /api/lookalikes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    let head = format!("{head}Content-Length: {}\r\n\r\n", photo.len());
    let post = [head.as_bytes(), photo].concat();
    call(port, &post)?;
    let first = begin.elapsed();
    let stat = fs::read_to_string(format!("/proc/{}/stat", service.0.id()))?;
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // In ticks, of which Linux shows 100 a second whatever it counts itself.
    let cpu = Duration::from_millis(10 * (fields[11].parse::<u64>()? + fields[12].parse::<u64>()?));
    let again = Instant::now();
    call(port, &post)?;
    let second = again.elapsed();
    drop(service);
    let log = log.join().map_err(|_| "the log cannot be read")?;
    Ok(Times { health, first, second, cpu, log })
}

/// The service, which ends with the round.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The answer to a request, which must be 200.
fn call(port: u16, request: &[u8]) -> Result<(), Failure> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    if answer.starts_with("HTTP/1.1 200 ") { Ok(()) } else { Err(answer.into()) }
}
