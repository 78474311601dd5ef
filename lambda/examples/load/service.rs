//! The index service on its processor, and what the system counts of it.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Failure;
use super::clients::{HANGS, Outcome, closed};
use super::rate::Rate;

/// The service has this processor to itself.
pub(super) const PROCESSOR: &str = "0";

/// The processor time that a process has taken.
pub(super) fn cpu(process: u32) -> Result<Duration, Failure> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // In ticks, of which Linux shows 100 a second whatever it counts itself.
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Duration::from_millis(10 * ticks))
}

/// The index, on its processor.
pub(super) struct Service {
    process: Child,
    pub(super) port: u16,
}

impl Service {
    pub(super) fn start(data: &Path) -> Result<Self, Failure> {
        let own = std::env::current_exe()?;
        let binary = own.parent().and_then(Path::parent).map(|folder| folder.join("index"));
        let binary =
            binary.filter(|path| path.is_file()).ok_or("build the binaries: make build")?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new("taskset");
        command.args(["-c", PROCESSOR]).arg(binary).arg("--data").arg(data);
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
    pub(super) async fn rate(
        &self,
        requests: &Arc<Vec<Vec<u8>>>,
        clients: usize,
        duration: Duration,
    ) -> Result<(Rate, Outcome), Failure> {
        let before = cpu(self.process.id())?;
        let outcome = closed(self.port, requests, clients, duration).await?;
        let cpu = cpu(self.process.id())? - before;
        Ok((Rate { searches: outcome.answered, cpu, wall: duration }, outcome))
    }

    /// How long its threads that could have run waited for a processor.
    pub(super) fn waited(&self) -> Result<Duration, Failure> {
        let mut nanos = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            let schedule = fs::read_to_string(thread?.path().join("schedstat"))?;
            nanos += schedule.split_whitespace().nth(1).ok_or("no schedstat")?.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanos))
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
