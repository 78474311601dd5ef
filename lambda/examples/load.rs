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

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Parser;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Barrier, Mutex, mpsc};
use vecstore::{Config, Metric, Query, Record, Store};

const DIMENSION: usize = 512;
const K: usize = 10;
const QUERIES: usize = 1000;

/// How many clients keep the service busy.
const CLIENTS: usize = 8;

/// How many vectors are searched for in a request of several.
const SEVERAL: usize = 10;

/// How many connections requests at a rate go over.
const CONNECTIONS: usize = 64;

/// How long the peak, and 80 % of it, are looked at in turn.
const TURN: Duration = Duration::from_millis(500);

/// How long a refused client waits; the service asks for two seconds.
const REFUSED: Duration = Duration::from_millis(100);

/// An answer that takes longer counts as hanging.
const HANGS: Duration = Duration::from_secs(10);

/// A processor each for the service and for the clients.
const SERVICE: &str = "0";
const CLIENT: &str = "1";

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
    if !pin.args(["-cp", CLIENT, &own]).stdout(Stdio::null()).status()?.success() {
        return Err("taskset failed; it takes two processors".into());
    }
    // Sleeps end in time: threads that are started from here on have this, too.
    fs::write("/proc/self/timerslack_ns", "1")?;
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
        closed(&service, &singles, CLIENTS, TURN).await?;
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

/// Faces of people, two of each, around a few hundred kinds.
fn fill(folder: &Path, vectors: u64) -> Result<(), Failure> {
    let store = Store::create(folder, Config::new(DIMENSION, Metric::Cosine))?;
    let begin = Instant::now();
    let mut load = store.bulk_load();
    for id in 0..vectors {
        let payload = json!({
            "person": { "id": format!("person-{}", id / 2), "name": format!("Person {}", id / 2) },
            "portrait": format!("{id:016x}.jpg"),
        });
        let record = Record::new(id, vector(id)).with_group(format!("person-{}", id / 2));
        load.add(&record.with_payload(&payload)?)?;
    }
    load.commit()?;
    println!("{vectors} vectors of {DIMENSION} components in {:.1?}", begin.elapsed());
    Ok(())
}

fn vector(seed: u64) -> Vec<f32> {
    let mut kind = StdRng::seed_from_u64(seed % 499);
    let mut own = StdRng::seed_from_u64(seed + 1_000_000);
    let mut number = || kind.random_range(-1.0..1.0) + own.random_range(-1.0..1.0f32);
    (0..DIMENSION).map(|_| number()).collect()
}

fn query(number: usize) -> Vec<f32> {
    vector(1_000_000_000 + number as u64)
}

/// The requests as they go over the wire, each for so many vectors.
/// `write` says how a vector is written.
fn requests(ef: usize, vectors: usize, write: fn(&[f32]) -> Value) -> Vec<Vec<u8>> {
    let request = |number: usize| {
        let queries: Vec<_> =
            (0..vectors).map(|place| write(&query((number + 7 * place) % QUERIES))).collect();
        let asked = match &queries[..] {
            [one] => format!("\"vector\":{one}"),
            several => format!("\"vectors\":{}", json!(several)),
        };
        let body = format!("{{{asked},\"k\":{K},\"ef\":{ef}}}");
        let head = "POST /collections/faces/search HTTP/1.1\r\nHost: x\r\n\
                    Content-Type: application/json\r\n";
        format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    };
    (0..QUERIES).map(request).collect()
}

fn numbers(vector: &[f32]) -> Value {
    // Each in as few digits as say it.
    let digits = vector.iter().map(f32::to_string);
    digits.map(|digits| serde_json::from_str::<Value>(&digits).unwrap_or_default()).collect()
}

fn base64(vector: &[f32]) -> Value {
    let bytes: Vec<_> = vector.iter().flat_map(|component| component.to_le_bytes()).collect();
    STANDARD.encode(bytes).into()
}

struct Rate {
    searches: u64,
    cpu: Duration,
    wall: Duration,
}

impl Rate {
    fn per_cpu(&self) -> f64 {
        self.searches as f64 / self.cpu.as_secs_f64()
    }

    fn per_second(&self) -> f64 {
        self.searches as f64 / self.wall.as_secs_f64()
    }

    /// Has a process on the service's processor search the store.
    fn in_process(store: &Path, arguments: &Arguments) -> Result<Self, Failure> {
        let mut command = Command::new("taskset");
        command.args(["-c", SERVICE]).arg(std::env::current_exe()?);
        let (seconds, ef) = (arguments.seconds.to_string(), arguments.ef.to_string());
        command.arg("--in-process").arg(store).args(["--seconds", &seconds, "--ef", &ef]);
        let output = command.stderr(Stdio::inherit()).output()?;
        let text = String::from_utf8(output.stdout)?;
        let numbers: Vec<u64> =
            text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [searches, cpu, wall] = numbers[..] else { return Err(text.into()) };
        let (cpu, wall) = (Duration::from_micros(cpu), Duration::from_micros(wall));
        Ok(Self { searches, cpu, wall })
    }
}

fn search_in_process(store: &Path, ef: usize, duration: Duration) -> Result<(), Failure> {
    let store = Store::open(store)?;
    let queries: Vec<_> = (0..QUERIES).map(query).collect();
    for query in &queries {
        store.search(&Query::new(query, K).ef(ef))?;
    }
    let (begin, before, mut searches) = (Instant::now(), cpu(std::process::id())?, 0);
    while begin.elapsed() < duration {
        for query in queries.iter().take(100) {
            std::hint::black_box(store.search(&Query::new(query, K).ef(ef))?);
            searches += 1;
        }
    }
    let (wall, cpu) = (begin.elapsed(), cpu(std::process::id())? - before);
    println!("{searches} {} {}", cpu.as_micros(), wall.as_micros());
    Ok(())
}

/// The processor time that a process has taken.
fn cpu(process: u32) -> Result<Duration, Failure> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // In ticks, of which Linux shows 100 a second whatever it counts itself.
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Duration::from_millis(10 * ticks))
}

/// How long the threads of a process that could have run waited for a processor.
fn waiting(process: u32) -> Result<Duration, Failure> {
    let mut nanos = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let schedule = fs::read_to_string(thread?.path().join("schedstat"))?;
        nanos += schedule.split_whitespace().nth(1).ok_or("no schedstat")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}

/// The index, on its processor.
struct Service {
    process: Child,
    port: u16,
}

impl Service {
    fn start(data: &Path) -> Result<Self, Failure> {
        let own = std::env::current_exe()?;
        let binary = own.parent().and_then(Path::parent).map(|folder| folder.join("index"));
        let binary =
            binary.filter(|path| path.is_file()).ok_or("build the binaries: make build")?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new("taskset");
        command.args(["-c", SERVICE]).arg(binary).arg("--data").arg(data);
        command.args(["--port", &port.to_string()]).stderr(Stdio::null());
        let service = Self { process: command.spawn()?, port };
        let begin = Instant::now();
        while !service.is_ready() {
            if begin.elapsed() > HANGS {
                return Err("the index is not ready".into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(service)
    }

    /// What so many clients get, and at which rate.
    async fn rate(
        &self,
        requests: &Arc<Vec<Vec<u8>>>,
        clients: usize,
        duration: Duration,
    ) -> Result<(Rate, Outcome), Failure> {
        let before = cpu(self.process.id())?;
        let outcome = closed(self, requests, clients, duration).await?;
        let cpu = cpu(self.process.id())? - before;
        Ok((Rate { searches: outcome.answered, cpu, wall: duration }, outcome))
    }

    fn is_ready(&self) -> bool {
        use std::io::{Read, Write};
        let asked = || {
            let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.port))?;
            stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok::<_, std::io::Error>(answer)
        };
        asked().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What became of the requests.
#[derive(Default)]
struct Outcome {
    answered: u64,
    refused: u64,
    closed: u64,
    hanging: u64,
    slowest: Duration,
}

/// Clients that send the next request as soon as the last one is answered.
async fn closed(
    service: &Service,
    requests: &Arc<Vec<Vec<u8>>>,
    clients: usize,
    duration: Duration,
) -> Result<Outcome, Failure> {
    let end = Instant::now() + duration;
    let clients: Vec<_> = (0..clients)
        .map(|client| {
            let (port, requests) = (service.port, Arc::clone(requests));
            tokio::spawn(async move {
                let (mut outcome, mut connection) = (Outcome::default(), None);
                for number in (client * 37..).take_while(|_| Instant::now() < end) {
                    let sent = Instant::now();
                    let call = call(port, &mut connection, &requests[number % QUERIES]);
                    match tokio::time::timeout(HANGS, call).await {
                        Ok(Ok(200)) if Instant::now() < end => outcome.answered += 1,
                        Ok(Ok(200)) => {}
                        Ok(Ok(_)) => {
                            outcome.refused += 1;
                            tokio::time::sleep(REFUSED).await;
                        }
                        Ok(Err(_)) => {
                            outcome.closed += 1;
                            connection = None;
                            tokio::time::sleep(REFUSED).await;
                        }
                        Err(_) => outcome.hanging += 1,
                    }
                    outcome.slowest = outcome.slowest.max(sent.elapsed());
                }
                outcome
            })
        })
        .collect();
    let mut all = Outcome::default();
    for client in clients {
        let one = client.await?;
        all.answered += one.answered;
        all.refused += one.refused;
        all.closed += one.closed;
        all.hanging += one.hanging;
        all.slowest = all.slowest.max(one.slowest);
    }
    Ok(all)
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
        let peak = closed(service, requests, CLIENTS, TURN).await?;
        let rate = 0.8 * peak.answered as f64 / TURN.as_secs_f64();
        let before = waiting(service.process.id())?;
        turns.push(open(service, requests, rate, TURN).await?);
        waited += waiting(service.process.id())? - before;
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

/// How long answers took.
struct Times {
    p50: Duration,
    p99: Duration,
    refused: usize,
}

impl Times {
    fn ratio(&self) -> f64 {
        self.p99.div_duration_f64(self.p50)
    }
}

/// Requests at a rate, whether others are answered or not; a time begins when the request was due.
async fn open(
    service: &Service,
    requests: &Arc<Vec<Vec<u8>>>,
    rate: f64,
    duration: Duration,
) -> Result<Times, Failure> {
    let count = (rate * duration.as_secs_f64()) as u32;
    let (send, due) = mpsc::unbounded_channel::<(u32, Instant)>();
    let due = Arc::new(Mutex::new(due));
    let ready = Arc::new(Barrier::new(CONNECTIONS + 1));
    let connections: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (port, requests, next) = (service.port, Arc::clone(requests), Arc::clone(&due));
            let ready = Arc::clone(&ready);
            tokio::spawn(async move {
                let (mut times, mut connection) = (Vec::new(), None);
                // What fails here fails again.
                let _ = call(port, &mut connection, &requests[0]).await;
                ready.wait().await;
                loop {
                    let Some((number, due)) = next.lock().await.recv().await else { return times };
                    let request = &requests[number as usize % QUERIES];
                    if call(port, &mut connection, request).await.is_ok_and(|status| status == 200)
                    {
                        times.push(due.elapsed());
                    }
                }
            })
        })
        .collect();
    ready.wait().await;
    // On a thread, because the runtime's timer is not finer than a millisecond.
    let pace = std::thread::spawn(move || {
        let begin = Instant::now();
        for number in 0..count {
            let due = begin + Duration::from_secs_f64(f64::from(number) / rate);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            // Nobody listens any more where a measurement failed.
            let _ = send.send((number, due));
        }
    });
    let mut times = Vec::new();
    for connection in connections {
        times.extend(connection.await?);
    }
    pace.join().map_err(|_| "the clock failed")?;
    if times.is_empty() {
        return Err("every request was refused".into());
    }
    times.sort_unstable();
    Ok(Times {
        p50: times[times.len() / 2],
        p99: times[times.len() * 99 / 100],
        refused: count as usize - times.len(),
    })
}

/// Sends a request on a connection that is kept; the status of the answer.
async fn call(
    port: u16,
    connection: &mut Option<TcpStream>,
    request: &[u8],
) -> std::io::Result<u16> {
    let stream = match connection {
        Some(stream) => stream,
        None => connection.insert(TcpStream::connect(("127.0.0.1", port)).await?),
    };
    stream.write_all(request).await?;
    let mut answer = Vec::with_capacity(4096);
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let whole = parse(&answer).filter(|&(_, length, _)| answer.len() >= length);
        if let Some((status, _, close)) = whole {
            if close {
                *connection = None;
            }
            return Ok(status);
        }
    }
}

/// Status and whole length of an answer, once its head is there, and whether the connection ends with it.
fn parse(answer: &[u8]) -> Option<(u16, usize, bool)> {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&answer[..head]).ok()?;
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    let status = text.get(9..12)?.parse().ok()?;
    Some((status, head + 4 + length.parse::<usize>().ok()?, text.contains("connection: close")))
}
