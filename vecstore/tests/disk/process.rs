//! A process of its own for what is to be killed: the test binary starts itself again.

use std::io::{BufRead, BufReader, Read, Seek};
use std::process::{self, Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::{env, panic};

const TASK: &str = "VECSTORE_DISK_TEST_TASK";

/// What a process left.
pub(crate) struct Ended {
    /// What it printed.
    pub(crate) lines: Vec<String>,
    pub(crate) status: ExitStatus,
    /// What it complained of.
    pub(crate) errors: String,
}

/// Runs one test of this binary in a process of its own, and gives it a task. `started` is called
/// when it runs.
pub(crate) fn run(test: &str, task: &str, started: impl FnOnce(Arc<Mutex<Child>>)) -> Ended {
    let mut errors = tempfile::tempfile().unwrap();
    let mut child = Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(TASK, task)
        .stdout(Stdio::piped())
        .stderr(errors.try_clone().unwrap())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let child = Arc::new(Mutex::new(child));
    started(child.clone());
    let lines = output.lines().map_while(Result::ok).collect();
    let status = child.lock().unwrap().wait().unwrap();
    let mut text = String::new();
    errors.rewind().unwrap();
    errors.read_to_string(&mut text).unwrap();
    Ended { lines, status, errors: text }
}

/// The task, in a process that was started with one. Whatever panics there, in whichever thread, ends
/// the process.
pub(crate) fn task() -> Option<String> {
    let task = env::var(TASK).ok()?;
    panic::set_hook(Box::new(|panic| {
        eprintln!("{panic}");
        process::abort();
    }));
    Some(task)
}
