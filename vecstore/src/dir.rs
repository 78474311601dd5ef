//! Files and directories that survive power loss.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::{Error, Result};

/// Makes the entries of a directory durable: a file is only as durable as its name.
pub(crate) fn sync(dir: &Path) -> Result<()> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(Error::io("sync", dir))
}

/// Creates a directory, and those above it, where they are missing, and makes its name durable, also
/// where a process that was killed created it and did not come to that.
pub(crate) fn create(dir: &Path) -> Result<()> {
    // A relative path of one component has the empty path as its parent.
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    if !dir.is_dir() {
        create(parent)?;
        match fs::create_dir(dir) {
            // Somebody else was faster.
            Err(_) if dir.is_dir() => Ok(()),
            result => result.map_err(Error::io("create", dir)),
        }?;
    }
    sync(parent)
}

/// Creates or replaces `dir/name` as a whole: whoever opens it, after a crash too, finds either the
/// old file or all of what `write` wrote.
pub(crate) fn replace(
    dir: &Path,
    name: &str,
    write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<()> {
    let temporary = dir.join(format!("{name}.tmp"));
    let written = File::create(&temporary).and_then(|file| {
        let mut file = BufWriter::with_capacity(1 << 20, file);
        write(&mut file)?;
        file.flush()?;
        file.get_ref().sync_all()
    });
    if let Err(source) = written {
        // The write failed already; a leftover temporary file is removed by the next attempt.
        let _ = fs::remove_file(&temporary);
        return Err(Error::io("write", &temporary)(source));
    }
    let path = dir.join(name);
    fs::rename(&temporary, &path).map_err(Error::io("rename into place", &path))?;
    sync(dir)
}
