//! Changes to a segment file that keep it so like one that the reader looks further.

use rand::RngExt;
use rand::rngs::StdRng;

use crate::layout::{self, *};

/// Changes a file that has a header, in one to four ways.
pub(crate) fn mutate(file: &mut Vec<u8>, random: &mut StdRng) {
    for _ in 0..random.random_range(1..=4) {
        match random.random_range(0..16) {
            0 | 1 => header_number(file, random),
            2 | 3 => extent(file, random),
            4 | 5 => refit(file, random),
            6..=11 => entry(file, random),
            12 => copy(file, random),
            13 => {
                let at = random.random_range(0..file.len());
                file[at] ^= 1 << random.random_range(0..8);
            }
            14 => {
                let at = random.random_range(0..file.len());
                let end = file.len().min(at + random.random_range(1..64));
                random.fill(&mut file[at..end]);
            }
            _ => {
                let len = random.random_range(PAGE..=file.len() + 2 * PAGE);
                file.resize(len, 0);
            }
        }
    }
}

/// A number that is the smallest, the largest or just beyond for something in the file, or any.
fn number(file: &[u8], random: &mut StdRng) -> u64 {
    let slots = u64::from(u32_at(file, LAYERS));
    let section = random.random_range(0..SECTIONS);
    let (start, len) = layout::extent(file, section);
    let near = [0, slots, len, len / WIDTHS[section] as u64, start, file.len() as u64]
        [random.random_range(0..6)];
    match random.random_range(0..8) {
        0..=2 => near,
        3 => near.wrapping_add(random.random_range(1..=8)),
        4 => near.wrapping_sub(random.random_range(1..=8)),
        5 => u64::MAX >> random.random_range(0..64),
        6 => 1 << random.random_range(0..64),
        _ => u64::from(f32::to_bits(
            [f32::NAN, f32::INFINITY, f32::MAX, f32::MIN_POSITIVE][random.random_range(0..4)],
        )),
    }
}

fn header_number(file: &mut [u8], random: &mut StdRng) {
    let new = number(file, random);
    let small = random.random_range(0..9);
    match random.random_range(0..10) {
        9 => set_u32(file, ROW_FORMAT, small % 3),
        8 => set_u32(file, CODE_STEP, new as u32),
        0 => set_u32(file, DIMENSION, if random.random() { small } else { new as u32 }),
        1 => set_u32(file, METRIC, small % 4),
        2 => set_u32(file, M, if random.random() { small } else { new as u32 }),
        3 => set_u32(file, EF_CONSTRUCTION, new as u32),
        4 => set_u64(file, SEQ, new),
        5 => {
            // A layer and all below it that would be smaller.
            let top = random.random_range(0..LAYER_COUNT);
            for layer in 0..=top {
                let slots = u32_at(file, LAYERS + 4 * layer).max(new as u32);
                set_u32(file, LAYERS + 4 * layer, slots);
            }
        }
        _ => set_u32(file, LAYERS + 4 * random.random_range(0..4), new as u32),
    }
}

/// Moves or resizes a section, mostly to where another one is.
fn extent(file: &mut [u8], random: &mut StdRng) {
    let at = extent_at(random.random_range(0..SECTIONS));
    let other = extent_at(random.random_range(0..SECTIONS));
    match random.random_range(0..4) {
        0 => set_u64(file, at, u64_at(file, other)),
        1 => set_u64(file, at + 8, u64_at(file, other + 8)),
        2 => set_u64(file, at, number(file, random) / 64 * 64),
        _ => set_u64(file, at + 8, number(file, random)),
    }
}

/// Gives the sections the lengths that the numbers in the header ask for, wherever that leads, and
/// room in the file if it takes no more than a few pages.
fn refit(file: &mut Vec<u8>, random: &mut StdRng) {
    let slots = u64::from(u32_at(file, LAYERS));
    let m = u64::from(u32_at(file, M));
    let layers = (0..LAYER_COUNT).map(|layer| u64::from(u32_at(file, LAYERS + 4 * layer)));
    let links: u64 = layers.map(|slots| slots.saturating_mul(m)).fold(0, u64::saturating_add);
    let links = links.saturating_add(slots.saturating_mul(m));
    let dimension = u64::from(u32_at(file, DIMENSION));
    let width = if u32_at(file, ROW_FORMAT) == 1 { 2 } else { 4 };
    let starts = 8u64.saturating_mul(slots + 1);
    let code_len = dimension.next_multiple_of(64);
    let mut fit = vec![
        (ROWS, slots.saturating_mul(dimension).saturating_mul(width)),
        (LINKS, links.saturating_mul(4)),
        (IDS, slots.saturating_mul(8)),
        (BY_ID, slots.saturating_mul(4)),
    ];
    let optional = [
        (GROUP_OF, 4 * slots),
        (TAG_LIST_STARTS, starts),
        (PAYLOAD_STARTS, starts),
        (MEAN, 4 * dimension),
        (CODES, slots.saturating_mul(code_len)),
        (NORMS, 4 * slots),
        (SKETCHES, slots.div_ceil(32).saturating_mul(128 + 4 * code_len)),
    ];
    fit.extend(optional.into_iter().filter(|&(section, _)| layout::extent(file, section).1 > 0));
    let last = layout::extent(file, CHECKSUMS).0;
    for (section, len) in fit {
        let (start, _) = layout::extent(file, section);
        set_u64(file, extent_at(section) + 8, len);
        // What has become too long for its place lies over what follows, or over everything.
        if start.saturating_add(len) > last && random.random() {
            set_u64(file, extent_at(section), PAGE as u64);
        }
    }
    let pages = last / PAGE as u64;
    set_u64(file, extent_at(CHECKSUMS), pages * PAGE as u64);
    set_u64(file, extent_at(CHECKSUMS) + 8, pages * 4);
    let end = last.saturating_add(pages * 4);
    if end < (file.len() + 8 * PAGE) as u64 {
        file.resize(file.len().max(end as usize), 0);
    }
}

/// Where an entry of a random section that has any lies in the file, and its width.
fn place(file: &[u8], random: &mut StdRng) -> Option<(usize, usize)> {
    let section = random.random_range(0..SECTIONS);
    let (start, len) = layout::extent(file, section);
    let (start, width) = (usize::try_from(start).ok()?, WIDTHS[section]);
    let room = file.len().checked_sub(start)?.min(usize::try_from(len).ok()?);
    let entries = room / width;
    (entries > 0).then(|| (start + width * random.random_range(0..entries), width))
}

/// Changes one entry of a section.
fn entry(file: &mut [u8], random: &mut StdRng) {
    let Some((at, width)) = place(file, random) else { return };
    let new = number(file, random).to_le_bytes();
    file[at..at + width].copy_from_slice(&new[..width]);
}

/// Copies entries of one section over those of the same or another one.
fn copy(file: &mut [u8], random: &mut StdRng) {
    let (Some((from, width)), Some((to, _))) = (place(file, random), place(file, random)) else {
        return;
    };
    let len = width * random.random_range(1..=64);
    let len = len.min(file.len() - from).min(file.len() - to);
    file.copy_within(from..from + len, to);
}
