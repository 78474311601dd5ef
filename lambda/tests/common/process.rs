//! The service as a process of its own, ended with the test.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::assets;
use super::http::Client;

/// How long to wait for something that is sure to come, before the test is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A binary of this crate as a plain server on a free port of the loopback interface.
pub(crate) struct Server {
    process: Child,
    client: Client,
}

impl Server {
    /// Starts the service on `gallery`, with `settings` on top.
    pub(crate) fn start(gallery: &Path, settings: &[(&str, &OsStr)]) -> Self {
        let server = Self::spawn(command(gallery, settings));
        server.until_ready();
        server
    }

    /// Waits until the service says that it can do what it is for.
    pub(crate) fn until_ready(&self) {
        let begin = Instant::now();
        while self.get("/readyz").status != 200 {
            assert!(begin.elapsed() < PATIENCE, "not ready");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts a service by a command whose log is piped.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut process = command.spawn().expect("a binary of this crate");
        let port = listening_port(&mut process);
        Self { process, client: Client::new(port) }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The most memory that the process has ever had resident, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// The memory that the process has resident now, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        1024 * line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    }

    /// How many files and connections the process has open.
    pub(crate) fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.id())).unwrap().count()
    }

    /// Ends the process as a power failure would.
    pub(crate) fn kill(self) {
        signal(self.id(), "KILL");
    }

    /// Asks the process to end, and waits until it has.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        signal(self.id(), "TERM");
        self.process.wait().unwrap()
    }
}

impl Deref for Server {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Sends a signal by the command that every Unix has.
pub(crate) fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(process.to_string()).status();
    assert!(sent.unwrap().success());
}

/// The command that starts the service, with nothing inherited that would change it.
pub(crate) fn command(gallery: &Path, settings: &[(&str, &OsStr)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lambda"));
    for name in ["AWS_LAMBDA_RUNTIME_API", "HOST", "RUST_LOG", "SITE_DIR", "WORKERS"] {
        command.env_remove(name);
    }
    for name in ["INDEX_URL", "INDEX_COLLECTION", "INDEX_KEY", "RATE_LIMIT", "CORS_ORIGINS"] {
        command.env_remove(name);
    }
    command
        .env("STORE", gallery)
        .env("MODELS_DIR", assets())
        .env("PORT", "0")
        .envs(settings.iter().copied())
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// The command that starts the index service on a folder.
pub(crate) fn index_command(data: &Path, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_index"));
    for name in ["HOST", "RUST_LOG", "READ_KEY", "WRITE_KEY"] {
        command.env_remove(name);
    }
    command.arg("--data").arg(data).env("PORT", "0").envs(settings.iter().copied());
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Starts the index service and waits until its collections are open.
pub(crate) fn start_index(data: &Path, settings: &[(&str, &str)]) -> Server {
    let server = Server::spawn(index_command(data, settings));
    server.until_ready();
    server
}

/// Waits until the process says where it listens; goes on passing its log to the test's.
pub(crate) fn listening_port(process: &mut Child) -> u16 {
    let log = BufReader::new(process.stderr.take().unwrap());
    let (found, port) = mpsc::channel();
    thread::spawn(move || {
        for line in log.lines().map_while(Result::ok) {
            eprintln!("{line}");
            if let Some((_, port)) = line.split_once("listening on http://127.0.0.1:") {
                let digits = port.find(|it: char| !it.is_ascii_digit()).unwrap_or(port.len());
                let _ = found.send(port[..digits].parse().unwrap());
            }
        }
    });
    port.recv_timeout(PATIENCE).expect("the service says where it listens")
}
