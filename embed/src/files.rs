//! Files that are whole or not there.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Writes a file so that, even after a power failure, it is either the old one or
/// the new one: to a temporary name beside it, synced, then renamed.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    let mut part = File::create(&name)?;
    part.write_all(bytes)?;
    part.sync_all()?;
    fs::rename(&name, path)
}
