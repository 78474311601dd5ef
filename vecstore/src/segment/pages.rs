//! Checksums of a segment's pages: made when it is written, compared when a page is first read.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The unit that is checked: what the operating system reads from the disk at once.
pub(super) const PAGE: usize = 4096;

/// The checksum of a page: crc32c of its number and contents, so that pages in the wrong place are
/// noticed too.
pub(super) fn begin_checksum(page: usize) -> u32 {
    crc32c::crc32c(&(page as u64).to_le_bytes())
}

/// Which pages of a mapped file were compared with their checksums.
pub(super) struct Pages {
    /// A bit for each page, set once it was found as written.
    verified: Box<[AtomicU64]>,
    /// The first page found to be damaged.
    damaged: OnceLock<usize>,
}

impl Pages {
    pub(super) fn new(count: usize) -> Self {
        // Zeroed by the operating system where it is touched, so this takes no time that grows.
        Self {
            verified: bytemuck::allocation::zeroed_slice_box(count.div_ceil(64)),
            damaged: OnceLock::new(),
        }
    }

    /// Whether all pages that the bytes of a range lie on are as written. `checksums` holds one
    /// little-endian number for each page.
    #[inline]
    pub(super) fn check(&self, file: &[u8], range: Range<usize>, checksums: &[u8]) -> bool {
        let (first, end) = (range.start / PAGE, range.end.div_ceil(PAGE));
        // Most of what is read lies on one page that was read before.
        if end == first + 1 && self.is_verified(first) {
            return true;
        }
        (first..end).all(|page| self.is_verified(page) || self.compare(file, page, checksums))
    }

    #[inline]
    fn is_verified(&self, page: usize) -> bool {
        let bits = self.verified.get(page / 64).map_or(0, |bits| bits.load(Ordering::Relaxed));
        bits & 1 << (page % 64) != 0
    }

    #[cold]
    fn compare(&self, file: &[u8], page: usize, checksums: &[u8]) -> bool {
        let contents = file.get(page * PAGE..(page + 1) * PAGE);
        let expected = checksums.get(4 * page..4 * page + 4);
        let intact = match (contents, expected) {
            (Some(contents), Some(expected)) => {
                crc32c::crc32c_append(begin_checksum(page), contents).to_le_bytes() == expected
            }
            _ => false,
        };
        if intact {
            if let Some(bits) = self.verified.get(page / 64) {
                bits.fetch_or(1 << (page % 64), Ordering::Relaxed);
            }
        } else {
            self.damaged.get_or_init(|| page);
        }
        intact
    }

    /// The first page that [`check`](Self::check) found damaged.
    pub(super) fn damaged(&self) -> Option<usize> {
        self.damaged.get().copied()
    }
}
