//! Mounting, where that is possible, and unmounting, whatever happens.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::time::Duration;
use std::{env, fs, thread};

use tempfile::TempDir;

const SOURCE: &str = "vecstore-test-";

/// What mounts of this process are called.
pub(crate) fn source() -> String {
    format!("{SOURCE}{}", process::id())
}

/// A directory to mount on. What processes left mounted that were killed is unmounted first.
pub(crate) fn point() -> TempDir {
    for line in fs::read_to_string("/proc/mounts").unwrap().lines() {
        let mut words = line.split(' ');
        let (Some(source), Some(point)) = (words.next(), words.next()) else { continue };
        let Some(owner) = source.strip_prefix(SOURCE) else { continue };
        if !Path::new("/proc").join(owner).exists() {
            unmount(Path::new(point));
            let _ = fs::remove_dir(point);
        }
    }
    tempfile::Builder::new().prefix(SOURCE).tempdir().unwrap()
}

/// Takes away what is mounted on a directory, also where a file in it is still open.
pub(crate) fn unmount(point: &Path) {
    let _ = Command::new("umount").arg("--lazy").arg(point).output();
}

/// What was mounted. Where this process may not mount the test is skipped, which is said on the
/// terminal; under CI it fails.
pub(crate) fn or_skip<T>(mounted: io::Result<T>) -> Option<T> {
    if let Err(error) = &mounted {
        assert!(env::var("CI").is_err(), "cannot mount a file system on CI: {error}");
        let _ = writeln!(io::stderr(), "SKIPPED, not passed: cannot mount a file system: {error}");
    }
    mounted.ok()
}

/// A file system in memory, with the kernel's own ways to be full or read-only; mounted while this
/// value lives.
pub(crate) struct Tmpfs {
    path: PathBuf,
    _point: Option<TempDir>,
}

impl Tmpfs {
    /// One with room for `bytes`.
    pub(crate) fn new(bytes: usize) -> io::Result<Self> {
        let point = point();
        let path = point.path().to_owned();
        mount_tmpfs(bytes, &path)?;
        Ok(Self { path, _point: Some(point) })
    }

    /// The same over a directory that there is.
    pub(crate) fn over(path: PathBuf, bytes: usize) -> io::Result<Self> {
        mount_tmpfs(bytes, &path)?;
        Ok(Self { path, _point: None })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Changes its options: "ro", "size=...". It waits until sled's threads have closed their files.
    pub(crate) fn remount(&self, option: &str) {
        let mut tries = 500;
        while let Err(error) = mount(&format!("remount,{option}"), &[], &self.path) {
            tries -= 1;
            assert!(tries > 0, "{error}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn mount_tmpfs(bytes: usize, path: &Path) -> io::Result<()> {
    mount(&format!("size={bytes}"), &["-t", "tmpfs", &source()], path)
}

fn mount(options: &str, arguments: &[&str], path: &Path) -> io::Result<()> {
    let output = Command::new("mount").args(["-o", options]).args(arguments).arg(path).output()?;
    let complaint = || io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned());
    if output.status.success() { Ok(()) } else { Err(complaint()) }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        unmount(&self.path);
    }
}
