//! How many searches a processor does.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use vecstore::{Query, Store};

use super::faces::{K, QUERIES, query};
use super::service::{PROCESSOR, cpu};
use super::{Arguments, Failure};

/// Searches, the processor time that they took, and how long they took.
pub(super) struct Rate {
    pub(super) searches: u64,
    pub(super) cpu: Duration,
    pub(super) wall: Duration,
}

impl Rate {
    pub(super) fn per_cpu(&self) -> f64 {
        self.searches as f64 / self.cpu.as_secs_f64()
    }

    pub(super) fn per_second(&self) -> f64 {
        self.searches as f64 / self.wall.as_secs_f64()
    }

    /// Has a process on the service's processor search the store.
    pub(super) fn in_process(store: &Path, arguments: &Arguments) -> Result<Self, Failure> {
        let mut command = Command::new("taskset");
        command.args(["-c", PROCESSOR]).arg(std::env::current_exe()?);
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

/// Searches a store in this process, and prints what [`Rate::in_process`] reads.
pub(super) fn search_in_process(
    store: &Path,
    ef: usize,
    duration: Duration,
) -> Result<(), Failure> {
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
