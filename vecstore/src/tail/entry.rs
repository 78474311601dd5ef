//! What the log keeps under one key of sled: a piece of a commit, with its checksum.

use std::io::{self, Read};

use memchr::memmem;

/// A commit longer than this is cut into pieces. sled moves a page that is larger than a quarter of
/// its segment size (512 KiB / 4) into a file of its own, which it does not sync; a page holds some
/// 16 to 20 values, so none ever gets that large.
pub(super) const MAX_BYTES: usize = 4096 - HEADER;

const MAGIC: [u8; 8] = *b"VECSTAIL";

/// Magic (8), crc32c of all after it (4), length of the contents (4), number of pieces that follow
/// (4), place among the pieces (4), the first change of the commit (8), the last durable change (8).
const HEADER: usize = 40;

/// A piece of a commit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Entry<'a> {
    /// The number of the commit's first change.
    pub(super) first: u64,
    /// The place of the piece, from 0.
    pub(super) place: u32,
    /// How many pieces follow.
    pub(super) more: u32,
    /// All changes up to this one were durable before this was written.
    pub(super) durable: u64,
    pub(super) contents: &'a [u8],
}

impl<'a> Entry<'a> {
    pub(super) fn key(&self) -> [u8; 12] {
        key(self.first, self.place)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + self.contents.len());
        bytes.extend(MAGIC);
        bytes.extend([0; 4]);
        for number in [self.contents.len() as u32, self.more, self.place] {
            bytes.extend(number.to_le_bytes());
        }
        for number in [self.first, self.durable] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend_from_slice(self.contents);
        let checksum = crc32c::crc32c(&bytes[12..]);
        bytes[8..12].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The entry that the bytes begin with, if they begin with a whole one.
    pub(super) fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
        let u32_at = |at| Some(u32::from_le_bytes(*header[at..].first_chunk()?));
        let u64_at = |at| Some(u64::from_le_bytes(*header[at..].first_chunk()?));
        let contents = rest.get(..u32_at(12)? as usize)?;
        let checksum = crc32c::crc32c(&bytes[12..HEADER + contents.len()]);
        if !header.starts_with(&MAGIC) || u32_at(8)? != checksum {
            return None;
        }
        let (more, place) = (u32_at(16)?, u32_at(20)?);
        Some(Self { first: u64_at(24)?, place, more, durable: u64_at(32)?, contents })
    }
}

/// The key of the piece at a place of the commit that begins with a change. Keys sort in the order of
/// the changes.
pub(super) fn key(first: u64, place: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&first.to_be_bytes());
    key[8..].copy_from_slice(&place.to_be_bytes());
    key
}

/// The last change that was durable as far as any whole entry says that lies anywhere in a file; 0 if
/// there is none.
pub(super) fn last_durable(mut file: impl Read) -> io::Result<u64> {
    const CHUNK: usize = 1 << 20;
    let (mut last, mut window) = (0, Vec::new());
    loop {
        let read = file.by_ref().take(CHUNK as u64).read_to_end(&mut window)?;
        // An entry that begins in the last part of the window may go on in the next chunk.
        let sure =
            if read == 0 { window.len() } else { window.len().saturating_sub(HEADER + MAX_BYTES) };
        for at in memmem::find_iter(&window, &MAGIC).take_while(|&at| at < sure) {
            last = Entry::decode(&window[at..]).map_or(last, |entry| last.max(entry.durable));
        }
        if read == 0 {
            return Ok(last);
        }
        window.drain(..sure);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            (first, place, more, durable) in any::<(u64, u32, u32, u64)>(),
            contents in proptest::collection::vec(any::<u8>(), 0..300),
            change in any::<usize>(),
        ) {
            let entry = Entry { first, place, more, durable, contents: &contents };
            let mut bytes = entry.encode();
            prop_assert_eq!(Entry::decode(&bytes), Some(entry));
            for len in 0..bytes.len() {
                prop_assert_eq!(Entry::decode(&bytes[..len]), None);
            }
            let change = change % bytes.len();
            bytes[change] ^= 1;
            prop_assert_eq!(Entry::decode(&bytes), None);
        }

        #[test]
        fn entries_are_found_wherever_they_lie(
            gaps in proptest::collection::vec(0usize..600_000, 1..6),
            fill in any::<u8>(),
        ) {
            let (mut file, mut last) = (Vec::new(), 0);
            for (durable, gap) in (1..).zip(gaps) {
                file.resize(file.len() + gap, fill);
                let contents = vec![fill; gap % (MAX_BYTES + 1)];
                let entry = Entry { first: 7, place: 0, more: 0, durable, contents: &contents };
                file.extend(entry.encode());
                last = durable;
            }
            prop_assert_eq!(last_durable(&file[..]).unwrap(), last);
            file.pop();
            prop_assert_eq!(last_durable(&file[..]).unwrap(), last - 1);
        }
    }
}
