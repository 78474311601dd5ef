//! The log on disk: sled, used as an ordered list of changes that only grows.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::Op;
use super::data::Data;
use super::db::Db;
use super::entry::{self, Entry};
use crate::{Error, Result, dir};

/// The log of the changes since a sequence number.
///
/// What is appended at once is a commit: its changes, each after its length (4 bytes), cut into
/// [`Entry`]s under keys that sort in the order of the changes.
///
/// sled takes the first thing that it cannot read for the end of its log: rightly where a crash cut a
/// write short, wrongly where what was durable is damaged. So each entry says which changes were
/// durable before it, and opening looks whether there is any in the file, whether sled finds it or
/// not, that knows of more than sled does. A *seal*, which is written when the log is opened and
/// closed, says it of the last commit.
pub(crate) struct TailLog {
    path: PathBuf,
    db: Db,
    data: Data,
    /// The last change that was appended.
    last: u64,
    /// The last change that is durable.
    durable: u64,
    /// What was appended since, as [`UNSYNCED_BYTES`] counts.
    unsynced: usize,
    /// Whether anything failed, so that it is unknown what is durable.
    failed: bool,
}

/// The most that is written between two syncs.
///
/// Each segment of sled's log (512 KiB) says up to where the log was complete when it began. sled
/// trusts that: it skips a gap before that place, with pages that others need, and writes again to
/// segments that were in use before it. So between two syncs no more than one segment may begin.
/// sled writes up to ten times what it is given, as it writes whole pages again.
const UNSYNCED_BYTES: usize = 32 << 10;

/// What an entry costs beyond its bytes: the index pages of sled that grow with it.
const ENTRY_COST: usize = 128;

/// The key of the seal, after all others.
const SEAL: [u8; 12] = [0xFF; 12];

impl TailLog {
    /// Opens or creates the log of the changes from `start` on in a directory, and calls `each` with
    /// every change in it, in order.
    pub(crate) fn open(
        path: &Path,
        start: u64,
        dimension: usize,
        each: impl FnMut(u64, Op) -> Result<()>,
    ) -> Result<Self> {
        dir::create(path)?;
        if path.join("db").exists() {
            check(path, start, dimension)?;
        }
        let mut log = Self::open_unchecked(path, path, start)?;
        // sled does not make the names of its files durable. It goes on as if they were: what its
        // snapshot of the log covers it may overwrite from here on.
        let conf = path.join("conf");
        File::open(&conf).and_then(|conf| conf.sync_all()).map_err(Error::io("sync", &conf))?;
        dir::sync(path)?;
        log.replay(dimension, each)?;
        log.sync()?;
        log.seal()?;
        Ok(log)
    }

    /// Opens what lies in a directory as the log that is named `path`.
    fn open_unchecked(path: &Path, directory: &Path, start: u64) -> Result<Self> {
        let db = Db::open(directory).map_err(failed(path))?;
        let file = directory.join("db");
        let data = Data::open(&file).map_err(Error::io("open", &file))?;
        let last = start - 1;
        let path = path.to_owned();
        Ok(Self { path, db, data, last, durable: last, unsynced: 0, failed: false })
    }

    /// Appends changes, all or none; they are durable after the next [`sync`](Self::sync).
    pub(crate) fn append<'a>(&mut self, ops: impl Iterator<Item = &'a Op>) -> Result<()> {
        let (first, mut last, mut commit) = (self.last + 1, self.last, Vec::new());
        for op in ops {
            let start = commit.len();
            commit.extend([0; 4]);
            op.encode(&mut commit);
            let len = (commit.len() - start - 4) as u32;
            commit[start..start + 4].copy_from_slice(&len.to_le_bytes());
            last += 1;
        }
        let pieces = commit.chunks(entry::MAX_BYTES);
        let count = pieces.len() as u32;
        for (place, contents) in (0..count).zip(pieces) {
            let (more, durable) = (count - place - 1, self.durable);
            let entry = Entry { first, place, more, durable, contents };
            let value = entry.encode();
            self.make_room(value.len())?;
            let inserted = self.db.insert(entry.key(), value).map_err(failed(&self.path));
            self.note(inserted)?;
        }
        self.last = last;
        Ok(())
    }

    /// Called before an entry of some size is written or removed.
    fn make_room(&mut self, bytes: usize) -> Result<()> {
        let cost = bytes + ENTRY_COST;
        if self.unsynced > 0 && self.unsynced + cost > UNSYNCED_BYTES {
            self.sync()?;
        }
        self.unsynced += cost;
        Ok(())
    }

    /// Makes all that was appended durable. sled's own `flush` hands the data to the disk, but does
    /// not make the disk write its cache.
    pub(crate) fn sync(&mut self) -> Result<()> {
        let flushed = self.db.flush().map_err(failed(&self.path));
        self.note(flushed)?;
        let synced = self.data.sync().map_err(Error::io("sync", &self.path));
        self.note(synced)?;
        (self.durable, self.unsynced) = (self.last, 0);
        Ok(())
    }

    fn note<T>(&mut self, result: Result<T>) -> Result<T> {
        self.failed |= result.is_err();
        result
    }

    /// Notes that the last change is durable.
    fn seal(&mut self) -> Result<()> {
        let seal = Entry {
            first: u64::MAX,
            place: u32::MAX,
            more: 0,
            durable: self.durable,
            contents: &[],
        };
        self.db.insert(SEAL, seal.encode()).map_err(failed(&self.path))?;
        self.sync()
    }

    fn replay(
        &mut self,
        dimension: usize,
        mut each: impl FnMut(u64, Op) -> Result<()>,
    ) -> Result<()> {
        let (mut commit, mut place) = (Vec::new(), 0);
        for entry in self.db.iter() {
            let (key, value) = entry.map_err(failed(&self.path))?;
            let first = self.last + 1;
            let damaged = |what: &str| {
                Error::corrupt(&self.path, format!("the commit of change {first}: {what}"))
            };
            let entry = Entry::decode(&value).ok_or_else(|| damaged("an entry cannot be read"))?;
            if key != entry.key() {
                return Err(damaged("an entry is out of its place"));
            }
            if key == SEAL {
                continue;
            }
            if (entry.first, entry.place) != (first, place) {
                return Err(damaged("an entry is missing"));
            }
            commit.extend_from_slice(entry.contents);
            place += 1;
            if entry.more == 0 {
                let mut rest = &commit[..];
                while !rest.is_empty() {
                    let op = next_op(&mut rest, dimension);
                    self.last += 1;
                    each(self.last, op.ok_or_else(|| damaged("a change cannot be read"))?)?;
                }
                commit.clear();
                place = 0;
            }
        }
        // The end of a commit is missing: it was cut short, and never acknowledged. From its end on, so
        // that what is left of it always looks like that.
        for place in (0..place).rev() {
            let key = entry::key(self.last + 1, place);
            self.make_room(entry::MAX_BYTES)?;
            self.db.remove(key).map_err(failed(&self.path))?;
        }
        Ok(())
    }
}

impl Drop for TailLog {
    /// Whoever needs to know whether all is durable asks before.
    fn drop(&mut self) {
        if !self.failed && self.sync().is_ok() {
            let _ = self.seal();
        }
    }
}

/// Checks that sled finds all that is known to have been durable. It tries that on a copy: where sled
/// does not find its end, it cuts the log off.
fn check(path: &Path, start: u64, dimension: usize) -> Result<()> {
    let file = path.join("db");
    let durable = File::open(&file).and_then(entry::last_durable);
    let durable = durable.map_err(Error::io("read", &file))?;
    let copy = Copy::of(path)?;
    let mut log = TailLog::open_unchecked(path, &copy.0, start)?;
    log.failed = true; // a copy that is removed needs no seal
    log.replay(dimension, |_, _| Ok(()))?;
    if durable > log.last {
        let what = format!("changes {} to {durable} are missing or damaged", log.last + 1);
        return Err(Error::corrupt(path, what));
    }
    Ok(())
}

/// A copy of the files of a directory, beside it, which goes with its owner.
struct Copy(PathBuf);

impl Copy {
    fn of(directory: &Path) -> Result<Self> {
        let copy = Self(directory.with_extension("copy"));
        let files = || -> io::Result<()> {
            fs::create_dir(&copy.0)?;
            for entry in fs::read_dir(directory)? {
                let entry = entry?;
                if entry.file_type()?.is_file() {
                    fs::copy(entry.path(), copy.0.join(entry.file_name()))?;
                }
            }
            Ok(())
        };
        files().map_err(Error::io("copy to", &copy.0))?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // What cannot be removed now is removed when the store is opened the next time.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Takes a change, which comes after its length, from the front of a commit.
fn next_op(commit: &mut &[u8], dimension: usize) -> Option<Op> {
    let (len, rest) = commit.split_first_chunk()?;
    let (op, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
    *commit = rest;
    Op::decode(op, dimension)
}

fn failed(path: &Path) -> impl FnOnce(sled::Error) -> Error {
    move |error| Error::Tail { path: path.to_owned(), what: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_with_zeros_ahead_is_opened_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let (tail, killed) = (directory.path().join("tail"), directory.path().join("killed"));
        let op = |id: u64| Op::Put {
            id,
            row: (0..500).map(|i| (id + i) as f32).collect(),
            group: None,
            tags: Vec::new(),
            payload: Default::default(),
        };
        let mut log = TailLog::open(&tail, 1, 500, |_, _| Ok(())).unwrap();
        let mut lengths = Vec::new();
        for seq in 1..=1500 {
            log.append([op(seq)].iter()).unwrap();
            log.sync().unwrap();
            let len = fs::metadata(tail.join("db")).unwrap().len();
            assert_eq!(len % (512 << 10), 0, "sled made it longer");
            if lengths.last().is_some_and(|&last| last != len) {
                // What a process that is killed now leaves.
                fs::rename(&Copy::of(&tail).unwrap().0, &killed).unwrap();
                for more in 0..3 {
                    let mut found = 0;
                    let mut log = TailLog::open(&killed, 1, 500, |seq, found_op| {
                        found += 1;
                        assert_eq!((seq, found_op), (found, op(found)));
                        Ok(())
                    });
                    assert_eq!(found, seq + more);
                    log.as_mut().unwrap().append([op(seq + more + 1)].iter()).unwrap();
                    log.unwrap().sync().unwrap();
                }
                fs::remove_dir_all(&killed).unwrap();
            }
            lengths.push(len);
        }
        lengths.dedup();
        assert!(lengths.len() > 3, "{lengths:?}");
    }
}
