//! The script that fetches the assets: what it does when things go wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use common::assets;

/// Copies of the pins and of finished assets, package cache included, for a test to spoil.
struct Sandbox {
    root: tempfile::TempDir,
}

impl Sandbox {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let pins = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
        copy(&pins, &root.path().join("pins"));
        copy(&assets(), &root.path().join("assets"));
        Self { root }
    }

    fn assets(&self) -> PathBuf {
        self.root.path().join("assets")
    }

    fn manifest(&self) -> PathBuf {
        self.root.path().join("pins/manifest.json")
    }

    fn fetch(&self) -> Command {
        let mut command = Command::new(self.root.path().join("pins/fetch"));
        command.arg(self.assets());
        command
    }

    /// Runs the script where no client reaches a registry.
    fn fetch_offline(&self) -> Output {
        self.fetch()
            .env("PIP_NO_INDEX", "1")
            .env("PIP_FIND_LINKS", "")
            .env("npm_config_offline", "true")
            .env("npm_config_cache", self.root.path().join("no-cache"))
            .output()
            .unwrap()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap().path();
        let target = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy(&entry, &target);
        } else {
            fs::copy(&entry, &target).unwrap();
        }
    }
}

fn succeeded(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn failed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_second_run_fetches_nothing_and_needs_no_network() {
    let sandbox = Sandbox::new();
    let printed = succeeded(&sandbox.fetch_offline());
    assert!(printed.contains("files are in place"), "{printed}");
}

#[test]
fn a_lost_and_a_changed_file_come_back_from_the_cache() {
    let sandbox = Sandbox::new();
    let network = sandbox.assets().join("models/fr_feature.onnx");
    let photo = sandbox.assets().join("gallery/AJ_Hoggard.jpg");
    let (network_bytes, photo_bytes) = (fs::read(&network).unwrap(), fs::read(&photo).unwrap());
    let mut changed = network_bytes.clone();
    changed[1000] ^= 1;
    fs::write(&network, changed).unwrap();
    fs::remove_file(&photo).unwrap();
    let printed = succeeded(&sandbox.fetch_offline());
    assert!(printed.contains("2 of 477 files put in place"), "{printed}");
    assert!(fs::read(&network).unwrap() == network_bytes);
    assert!(fs::read(&photo).unwrap() == photo_bytes);
}

#[test]
fn a_wrong_hash_stops_and_puts_nothing_in_place() {
    let sandbox = Sandbox::new();
    let right = "6c0256ccd3164f844736a401faf936ec2930764a87ae39442180887d0c5c8854";
    let wrong = right.replace('6', "7");
    let manifest = fs::read_to_string(sandbox.manifest()).unwrap();
    fs::write(sandbox.manifest(), manifest.replace(right, &wrong)).unwrap();
    let network = sandbox.assets().join("models/fr_detect.onnx");
    fs::remove_file(&network).unwrap();
    let error = failed(&sandbox.fetch_offline());
    assert!(error.contains("wrong hash"), "{error}");
    assert!(error.contains(network.to_str().unwrap()), "names the file: {error}");
    assert!(error.contains(&format!("expected: {wrong}")), "{error}");
    assert!(error.contains(&format!("got:      {right}")), "{error}");
    assert!(error.contains("run again"), "says what to do: {error}");
    assert!(!network.exists());
}

#[test]
fn a_package_that_is_not_the_pinned_one_is_refused() {
    let sandbox = Sandbox::new();
    let lock = sandbox.root.path().join("pins/package-lock.json");
    let text = fs::read_to_string(&lock).unwrap();
    fs::write(&lock, text.replace("sha512-sh", "sha512-hs")).unwrap();
    fs::remove_file(sandbox.assets().join("models/fr_detect.onnx")).unwrap();
    let error = failed(&sandbox.fetch().output().unwrap());
    assert!(error.contains("EINTEGRITY"), "npm's own message: {error}");
    assert!(error.contains("not the one that was pinned"), "{error}");
    assert!(!sandbox.assets().join("models/fr_detect.onnx").exists());
}

#[test]
fn a_missing_tool_is_named() {
    let sandbox = Sandbox::new();
    fs::remove_dir_all(sandbox.assets().join("cache")).unwrap();
    fs::remove_file(sandbox.assets().join("models/fr_detect.onnx")).unwrap();
    // A PATH with Python and nothing else.
    let tools = sandbox.root.path().join("tools");
    fs::create_dir(&tools).unwrap();
    let python = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    let python = String::from_utf8(python.unwrap().stdout).unwrap();
    std::os::unix::fs::symlink(python.trim(), tools.join("python3")).unwrap();
    let error = failed(&sandbox.fetch().env("PATH", &tools).output().unwrap());
    assert!(error.contains("node is missing. Install Node.js with npm and run again."), "{error}");
}

#[test]
fn an_interrupted_run_is_finished_by_the_next() {
    let sandbox = Sandbox::new();
    for folder in ["models", "onnxruntime", "gallery", "bin"] {
        fs::remove_dir_all(sandbox.assets().join(folder)).unwrap();
    }
    // What a killed download leaves behind.
    fs::create_dir(sandbox.assets().join("cache/pip-killed.part")).unwrap();
    fs::write(sandbox.assets().join("cache/pip-killed.part/half.whl"), b"half").unwrap();
    let mut kills = 0;
    loop {
        let mut child = sandbox.fetch().stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(150 + 40 * kills));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    assert!(kills > 0, "the first run was too fast to be interrupted");
    let printed = succeeded(&sandbox.fetch_offline());
    assert!(printed.contains("all 477 files are in place"), "{printed}");
    assert!(!sandbox.assets().join("cache/pip-killed.part").exists());
}
