//! A segment file by FORMAT.md, read without the crate's own code: where its numbers lie, and how
//! its checksums are made to fit whatever its contents have become.

pub(crate) const PAGE: usize = 4096;

/// Where the numbers of the header lie.
pub(crate) const DIMENSION: usize = 12;
pub(crate) const METRIC: usize = 16;
pub(crate) const M: usize = 20;
pub(crate) const EF_CONSTRUCTION: usize = 24;
pub(crate) const SEQ: usize = 28;
pub(crate) const LAYERS: usize = 36;
pub(crate) const LAYER_COUNT: usize = 32;
const EXTENTS: usize = LAYERS + 4 * LAYER_COUNT;
/// An f32: how finely codes are rounded.
pub(crate) const CODE_STEP: usize = EXTENTS + 16 * SECTIONS;
/// 0 for rows of f32, 1 for f16.
pub(crate) const ROW_FORMAT: usize = CODE_STEP + 4;
const HEADER_CHECKSUM: usize = PAGE - 4;

/// The sections by their place in the header.
pub(crate) const ROWS: usize = 0;
pub(crate) const LINKS: usize = 1;
pub(crate) const IDS: usize = 2;
pub(crate) const BY_ID: usize = 3;
pub(crate) const GROUP_OF: usize = 4;
pub(crate) const TAG_LIST_STARTS: usize = 7;
pub(crate) const TAG_LISTS: usize = 8;
pub(crate) const PAYLOAD_STARTS: usize = 13;
pub(crate) const CHECKSUMS: usize = 15;
pub(crate) const MEAN: usize = 16;
pub(crate) const CODES: usize = 17;
pub(crate) const NORMS: usize = 18;
pub(crate) const SKETCHES: usize = 19;
pub(crate) const SECTIONS: usize = 23;

/// How many bytes an entry of each section takes; of strings and sets, the unit that is changed.
pub(crate) const WIDTHS: [usize; SECTIONS] =
    [4, 4, 8, 4, 4, 8, 1, 8, 4, 8, 1, 8, 2, 8, 1, 4, 4, 1, 4, 4, 8, 4, 4];

/// The place in the header that says where a section starts; how long it is comes 8 bytes later.
pub(crate) fn extent_at(section: usize) -> usize {
    EXTENTS + 16 * section
}

pub(crate) fn u32_at(file: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(file[at..at + 4].try_into().unwrap())
}

pub(crate) fn u64_at(file: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(file[at..at + 8].try_into().unwrap())
}

pub(crate) fn set_u32(file: &mut [u8], at: usize, number: u32) {
    file[at..at + 4].copy_from_slice(&number.to_le_bytes());
}

pub(crate) fn set_u64(file: &mut [u8], at: usize, number: u64) {
    file[at..at + 8].copy_from_slice(&number.to_le_bytes());
}

/// Where a section starts and how long it is.
pub(crate) fn extent(file: &[u8], section: usize) -> (u64, u64) {
    let at = extent_at(section);
    (u64_at(file, at), u64_at(file, at + 8))
}

/// Whether a file is long enough to have a header, and begins like one.
pub(crate) fn has_header(file: &[u8]) -> bool {
    file.len() >= PAGE && file.starts_with(b"VECSTORE")
}

/// Makes all checksums right, as far as the places that the header gives for them are in the file.
pub(crate) fn seal(file: &mut [u8]) {
    if !has_header(file) {
        return;
    }
    let (start, _) = extent(file, CHECKSUMS);
    if let Some((contents, checksums)) = file.split_at_mut_checked(start as usize) {
        let places = contents.chunks_exact(PAGE).zip(checksums.chunks_exact_mut(4));
        for (page, (contents, checksum)) in places.enumerate().skip(1) {
            let number = crc32c::crc32c(&(page as u64).to_le_bytes());
            checksum.copy_from_slice(&crc32c::crc32c_append(number, contents).to_le_bytes());
        }
    }
    let checksum = crc32c::crc32c(&file[..HEADER_CHECKSUM]);
    set_u32(file, HEADER_CHECKSUM, checksum);
}
