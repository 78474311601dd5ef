//! The log on disk: sled, used as an ordered list of changes that only grows.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::Op;
use crate::{Error, Result, dir};

/// A change longer than this is cut into parts. sled moves a page that is larger than a quarter of
/// its segment size (512 KiB / 4) into a file of its own, which it does not sync; a page holds some
/// 16 to 20 values, so none ever gets that large.
const PART_BYTES: usize = 4096;

/// The length of a part's own header: crc32c of the rest (4), number of further parts (4).
const PART_HEADER: usize = 8;

/// The log of the changes since a sequence number.
///
/// The key of a part is the change's sequence number and the part's place, big-endian, so that sled's
/// order is the order of the changes.
pub(crate) struct TailLog {
    path: PathBuf,
    db: sled::Db,
    /// sled's data file, opened once more to sync it.
    data: File,
}

impl TailLog {
    /// Opens or creates the log in a directory.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        dir::create(path)?;
        let db = open_sled(path).map_err(failed(path))?;
        let file = path.join("db");
        let data = File::open(&file).map_err(Error::io("open", &file))?;
        let log = Self { path: path.to_owned(), db, data };
        log.sync()?;
        // sled creates its files without making their names durable.
        let conf = path.join("conf");
        File::open(&conf).and_then(|conf| conf.sync_all()).map_err(Error::io("sync", &conf))?;
        dir::sync(path)?;
        Ok(log)
    }

    /// Appends changes, all or none; they are durable after the next [`sync`](Self::sync). The first
    /// gets sequence number `seq`, and so on.
    pub(crate) fn append<'a>(&self, seq: u64, ops: impl Iterator<Item = &'a Op>) -> Result<()> {
        let mut batch = sled::Batch::default();
        for (seq, op) in (seq..).zip(ops) {
            let bytes = op.encode();
            let last = bytes.len().div_ceil(PART_BYTES) as u32 - 1;
            for (part, bytes) in (0u32..).zip(bytes.chunks(PART_BYTES)) {
                let mut value = vec![0; 4];
                value.extend((last - part).to_le_bytes());
                value.extend_from_slice(bytes);
                let checksum = checksum(seq, part, &value[4..]);
                value[..4].copy_from_slice(&checksum.to_le_bytes());
                batch.insert(&key(seq, part), value);
            }
        }
        self.db.apply_batch(batch).map_err(failed(&self.path))
    }

    /// Makes all that was appended durable. sled's own `flush` hands the data to the disk, but does not make the disk write its cache.
    pub(crate) fn sync(&self) -> Result<()> {
        self.db.flush().map_err(failed(&self.path))?;
        self.data.sync_data().map_err(Error::io("sync", &self.path))
    }

    /// Calls `each` with every change of the log in order; the first must have number `seq`.
    /// Returns the number that comes after the last.
    pub(crate) fn replay(
        &self,
        mut seq: u64,
        dimension: usize,
        mut each: impl FnMut(u64, Op) -> Result<()>,
    ) -> Result<u64> {
        let (mut bytes, mut part) = (Vec::new(), 0);
        for entry in self.db.iter() {
            let (found, value) = entry.map_err(failed(&self.path))?;
            let (at, place) = (seq, part);
            let damaged =
                |what| Error::corrupt(&self.path, format!("change {at}, part {place}: {what}"));
            if found != key(seq, part) {
                return Err(damaged("missing"));
            }
            let (header, body) = value
                .split_at_checked(PART_HEADER)
                .ok_or_else(|| damaged("shorter than its header"))?;
            if header[..4] != checksum(seq, part, &value[4..]).to_le_bytes() {
                return Err(damaged("wrong checksum"));
            }
            bytes.extend_from_slice(body);
            part += 1;
            if header[4..] == [0; 4] {
                let op =
                    Op::decode(&bytes, dimension).ok_or_else(|| damaged("unknown contents"))?;
                each(seq, op)?;
                bytes.clear();
                (seq, part) = (seq + 1, 0);
            }
        }
        if part != 0 {
            return Err(Error::corrupt(
                &self.path,
                format!("change {seq}: its last part is missing"),
            ));
        }
        Ok(seq)
    }
}

/// Opens sled. A sled that this process closed a moment ago may still be held by one of its own
/// background threads: nobody else can hold it, for the store has a lock of its own.
fn open_sled(path: &Path) -> sled::Result<sled::Db> {
    let config = sled::Config::new().path(path).cache_capacity(16 << 20).flush_every_ms(None);
    let mut patience = Duration::from_secs(10);
    loop {
        match config.open() {
            Err(sled::Error::Io(error))
                if error.to_string().contains("acquire lock") && !patience.is_zero() =>
            {
                let pause = Duration::from_millis(2);
                patience = patience.saturating_sub(pause);
                thread::sleep(pause);
            }
            result => return result,
        }
    }
}

fn key(seq: u64, part: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&seq.to_be_bytes());
    key[8..].copy_from_slice(&part.to_be_bytes());
    key
}

/// Of a part's contents and of its place, so that a part that turns up elsewhere is noticed.
fn checksum(seq: u64, part: u32, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&key(seq, part)), bytes)
}

fn failed(path: &Path) -> impl FnOnce(sled::Error) -> Error {
    move |error| Error::Tail { path: path.to_owned(), what: error.to_string() }
}
