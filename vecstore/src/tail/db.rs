//! sled, without what it does when it is cut short or its disk fails.

use std::fs::{self, File};
use std::io;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::thread;
use std::time::Duration;

/// A sled database whose writes become durable when its owner says so.
///
/// One thread at a time may use it, and not by batches: sled's `flush` would sleep forever if the write
/// of a buffer failed that was closed while something was still being put into it.
pub(super) struct Db(ManuallyDrop<sled::Db>);

/// When sled is opened it writes where its log ends to a file of its own, first under a name that ends
/// so. One that a crash left half written sled would take for a damaged one, and refuse to open.
const HALF_WRITTEN: &str = "generating";

impl Db {
    /// Opens or creates the database in a directory.
    pub(super) fn open(directory: &Path) -> sled::Result<Self> {
        for entry in fs::read_dir(directory)? {
            let file = entry?.path();
            if file.extension().is_some_and(|extension| extension == HALF_WRITTEN) {
                fs::remove_file(file)?;
            }
        }
        // What a killed process wrote may be in the cache only, and sled builds on it.
        match File::open(directory.join("db")).and_then(|data| data.sync_data()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            synced => synced?,
        }
        let config = sled::Config::new().path(directory).cache_capacity(16 << 20);
        let config = config.flush_every_ms(None);
        // A sled that this process closed a moment ago may still be held by one of its own background
        // threads: nobody else can hold it, for the store has a lock of its own.
        let mut patience = Duration::from_secs(10);
        loop {
            // sled panics on some logs with holes.
            let opened = panic::catch_unwind(AssertUnwindSafe(|| config.open()));
            let panicked = |_| Err(sled::Error::Unsupported("sled panicked on its log".into()));
            match opened.unwrap_or_else(panicked) {
                Err(sled::Error::Io(error))
                    if error.to_string().contains("acquire lock") && !patience.is_zero() =>
                {
                    let pause = Duration::from_millis(2);
                    patience = patience.saturating_sub(pause);
                    thread::sleep(pause);
                }
                opened => return opened.map(|db| Self(ManuallyDrop::new(db))),
            }
        }
    }
}

impl Deref for Db {
    type Target = sled::Db;

    fn deref(&self) -> &sled::Db {
        &self.0
    }
}

impl Drop for Db {
    /// sled syncs its file when it is dropped, and panics where that fails. Whoever needs to know syncs
    /// before.
    fn drop(&mut self) {
        // SAFETY: nothing comes after this.
        #[allow(unsafe_code)]
        let close = || unsafe { ManuallyDrop::drop(&mut self.0) };
        let _ = panic::catch_unwind(AssertUnwindSafe(close));
    }
}
