//! Files that are whole or not there.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Writes a file so that, even after a power failure, it is either the old one or
/// the new one: to a temporary name beside it, synced, then renamed.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    fs::write(&part, bytes)?;
    settle(Path::new(&part), path)
}

/// Gives a file that is complete its name, once its bytes are on the disk.
pub(crate) fn settle(part: &Path, path: &Path) -> io::Result<()> {
    File::open(part)?.sync_all()?;
    fs::rename(part, path)
}

/// Makes durable what was renamed in a directory.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
