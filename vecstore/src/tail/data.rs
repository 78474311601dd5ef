//! sled's data file, opened once more beside sled: to sync it, and to make it longer ahead of sled.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// What sled takes of its file at a time, from the front of it. The first bytes of a segment that it
/// took are not all zero.
const SEGMENT: u64 = 512 << 10;

/// The most segments that the file is made longer by.
const AHEAD: u64 = 8;

/// sled's data file.
///
/// Where a write makes a file longer or takes blocks of the disk for it, the sync has to write that
/// too, which takes twice as long. So there are zeros where sled writes next, as there are in its
/// first segment whenever it is opened. sled takes segments of zeros for free ones when it is opened,
/// and cuts all but one of them off.
pub(super) struct Data {
    file: File,
    /// The most segments to make it longer by.
    ahead: u64,
}

impl Data {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::options().read(true).write(true).open(path)?, ahead: AHEAD })
    }

    /// Makes all that is in the file durable. sled must not be writing.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.grow()?;
        self.file.sync_data()
    }

    /// Makes the file longer if sled has come to its last segment: by as many segments as there are
    /// before it, so that small files stay small.
    fn grow(&mut self) -> io::Result<()> {
        // Not by its metadata: a time of change that was asked for is written with the next sync.
        let end = self.file.seek(SeekFrom::End(0))?;
        let last = end.saturating_sub(1) / SEGMENT;
        let new_end = (last + 1 + last.min(self.ahead)) * SEGMENT;
        if new_end == end {
            return Ok(());
        }
        let mut first = [0; 8];
        self.file.seek(SeekFrom::Start(last * SEGMENT))?;
        let read = self.file.read(&mut first)?;
        if first[..read].iter().all(|&byte| byte == 0) {
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(end))?;
        if self.write_zeros(new_end - end).is_err() {
            // There may be no room for it, but room for what sled writes.
            self.ahead = 0;
            self.file.set_len(end)?;
        }
        Ok(())
    }

    fn write_zeros(&mut self, count: u64) -> io::Result<()> {
        static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
        let mut left = count as usize;
        while left > 0 {
            let written = &ZEROS[..left.min(ZEROS.len())];
            self.file.write_all(written)?;
            left -= written.len();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn there_are_as_many_zeros_ahead_as_segments_before() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        fs::write(&path, [1; 100]).unwrap();
        let mut data = Data::open(&path).unwrap();
        let mut expected = vec![1; 100];
        for (begun, segments) in [(0, 1), (1, 3), (2, 5), (3, 5), (4, 9), (8, 17), (16, 25)] {
            let begun = begun * SEGMENT as usize;
            // As sled does: in what is there already, or at the end of the file.
            data.file.seek(SeekFrom::Start(begun as u64)).unwrap();
            data.file.write_all(&[7; 100]).unwrap();
            expected.resize(expected.len().max(begun + 100), 0);
            expected[begun..begun + 100].fill(7);
            for _ in 0..2 {
                data.sync().unwrap();
                expected.resize(segments * SEGMENT as usize, 0);
                assert!(fs::read(&path).unwrap() == expected, "{begun}");
            }
        }
    }
}
