//! The header of a segment file: what is where.

use std::path::Path;

use super::pages::PAGE;
use crate::codes::{Quantiser, SKETCHED, sketch_len};
use crate::hnsw::{MAX_LEVELS, MAX_SLOTS};
use crate::part::MAX_SEQ;
use crate::{
    Config, Error, MAX_GROUP_BYTES, MAX_PAYLOAD_BYTES, MAX_TAG_BYTES, MAX_TAGS, Metric, Result,
    RowFormat,
};

const MAGIC: [u8; 8] = *b"VECSTORE";

/// The version this crate writes, and the newest it reads.
pub(super) const VERSION: u32 = 5;

/// The header fills the first page of the file.
pub(super) const HEADER_BYTES: usize = 4096;

/// Sections start at a multiple of this, so that rows lie on cache lines.
pub(super) const ALIGNMENT: u64 = 64;

const _: () = assert!(HEADER_BYTES == PAGE, "the header is the first page");

/// The parts of a segment after its header, in the order of the header; `n` is the number of slots.
#[derive(Clone, Copy)]
pub(super) enum Section {
    /// `n` x dimension f32 or f16: the prepared vectors.
    Rows,
    /// For each layer, for each slot that reaches it, `max_links(layer)` u32: slots, then
    /// [`NO_LINK`](crate::hnsw::NO_LINK) where there are fewer.
    Links,
    /// `n` u64: the id of each slot.
    Ids,
    /// `n` u32: the slots in ascending order of their ids.
    ById,
    /// `n` u32: the number of each slot's group, [`NO_GROUP`] for none. Empty if there are no groups.
    GroupOf,
    /// One more u64 than there are groups: where each name starts and the last ends.
    GroupStarts,
    /// The names of the groups, UTF-8.
    GroupNames,
    /// `n + 1` u64: where each slot's list of tags starts and the last ends, in bytes. Empty if there
    /// are no tags.
    TagListStarts,
    /// The lists: u32, the number of each tag.
    TagLists,
    /// One more u64 than there are tags: where each tag starts and the last ends.
    TagStarts,
    /// The tags, UTF-8, in ascending order.
    Tags,
    /// One more u64 than there are tags: where each tag's set of slots starts and the last ends.
    TagSetStarts,
    /// The sets, roaring bitmaps in their portable format.
    TagSets,
    /// `n + 1` u64: where each slot's payload starts and the last ends. Empty if there are no payloads.
    PayloadStarts,
    /// The payloads, JSON.
    Payloads,
    /// For each page before this section, which starts on a page of its own, u32: its checksum;
    /// zero for the header, which has its own.
    Checksums,
    /// Of a segment with codes under [`Metric::SquaredEuclidean`] one f32 for each component: the mean
    /// of the vectors. Empty otherwise.
    Mean,
    /// `n` codes, if the segment has codes.
    Codes,
    /// Where there is a mean, `n` f32: the square of each vector's distance from it.
    Norms,
    /// For each [`SKETCHED`] slots a block of sketches, if there are codes.
    Sketches,
    /// One more u64 than there are tags: where each tag's graph starts and the last ends. Empty if there are
    /// no tags.
    TagGraphStarts,
    /// The graphs, each as [`Layout`](super::tag_graph::Layout) says; of most tags nothing.
    TagGraphs,
    /// If there are codes, the axes of the subspace that vectors are coded in: dimension f32 for each. Empty
    /// if they are coded in the whole space.
    Axes,
}

pub(super) const SECTIONS: usize = Section::Axes as usize + 1;

/// Version 1 had no codes, and its header ended with the checksums.
const SECTIONS_1: usize = Section::Checksums as usize + 1;

/// Version 2 had no sketches.
const SECTIONS_2: usize = Section::Norms as usize + 1;

/// Version 3 had no graphs of tags.
const SECTIONS_3: usize = Section::Sketches as usize + 1;

/// Version 4 had no axes.
const SECTIONS_4: usize = Section::TagGraphs as usize + 1;

impl Section {
    /// The most bytes that an entry of the section takes. In a file that was made to mislead entries
    /// may overlap; where they were of any length, a small file could fill the memory.
    pub(super) fn longest_entry(self) -> u64 {
        let bytes = match self {
            Self::GroupNames => MAX_GROUP_BYTES,
            Self::TagLists => size_of::<u32>() * MAX_TAGS,
            Self::Tags => MAX_TAG_BYTES,
            Self::Payloads => MAX_PAYLOAD_BYTES,
            _ => usize::MAX,
        };
        bytes as u64
    }
}

/// The number of a group that is none.
pub(super) const NO_GROUP: u32 = u32::MAX;

/// Where a section lies in the file, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Extent {
    pub(super) start: u64,
    pub(super) len: u64,
}

/// The header of a segment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header {
    pub(super) config: Config,
    /// The last change that the segment includes.
    pub(super) seq: u64,
    /// The number of slots that reach each layer; slots are in descending order of their layers.
    pub(super) layers: [u32; MAX_LEVELS],
    pub(super) sections: [Extent; SECTIONS],
    /// How the codes were made, if there are codes.
    pub(super) quantiser: Option<Quantiser>,
}

impl Header {
    /// The number of slots.
    pub(super) fn slots(&self) -> usize {
        self.layers[0] as usize
    }

    pub(super) fn extent(&self, section: Section) -> Extent {
        self.sections[section as usize]
    }

    /// Bytes of a code, if there are codes.
    pub(super) fn code_len(&self) -> usize {
        let (dimension, axes) = (self.config.dimension, self.extent(Section::Axes).len as usize);
        Quantiser::code_len(if axes == 0 { dimension } else { axes / (4 * dimension) })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let metric: u32 = match self.config.metric {
            Metric::Cosine => 0,
            Metric::InnerProduct => 1,
            Metric::SquaredEuclidean => 2,
        };
        let mut bytes = MAGIC.to_vec();
        let Config { dimension, m, ef_construction, .. } = self.config;
        for number in [VERSION, dimension as u32, metric, m as u32, ef_construction as u32] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.seq.to_le_bytes());
        for count in self.layers {
            bytes.extend(count.to_le_bytes());
        }
        for Extent { start, len } in self.sections {
            bytes.extend(start.to_le_bytes());
            bytes.extend(len.to_le_bytes());
        }
        bytes.extend(self.quantiser.map_or(0.0, |it| it.step).to_le_bytes());
        let rows: u32 = match self.config.rows {
            RowFormat::F32 => 0,
            RowFormat::F16 => 1,
        };
        bytes.extend(rows.to_le_bytes());
        bytes.resize(HEADER_BYTES - 4, 0);
        bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }

    /// Reads the header of a file and checks that everything it promises lies within the file.
    pub(super) fn decode(file: &[u8], path: &Path) -> Result<Self> {
        let damaged = |what: &str| Error::corrupt(path, what);
        if !file.starts_with(&MAGIC) {
            return Err(damaged("it does not begin like a vecstore segment"));
        }
        let bytes = file.get(..HEADER_BYTES).ok_or_else(|| damaged("it ends within its header"))?;
        let mut numbers = Numbers(&bytes[MAGIC.len()..]);
        // The version comes before the checksum: a newer one may place its checksum elsewhere.
        let found = numbers.u32();
        if found > VERSION {
            return Err(Error::NewerVersion { path: path.to_owned(), found, supported: VERSION });
        }
        let (checked, checksum) = bytes.split_at(HEADER_BYTES - 4);
        if found == 0 || crc32c::crc32c(checked).to_le_bytes() != checksum {
            return Err(damaged("its header has the wrong checksum"));
        }
        let dimension = numbers.u32() as usize;
        let metric = match numbers.u32() {
            0 => Metric::Cosine,
            1 => Metric::InnerProduct,
            2 => Metric::SquaredEuclidean,
            other => return Err(damaged(&format!("it names an unknown metric, {other}"))),
        };
        let (m, ef_construction) = (numbers.u32() as usize, numbers.u32() as usize);
        let seq = numbers.u64();
        let layers = std::array::from_fn(|_| numbers.u32());
        let written = match found {
            1 => SECTIONS_1,
            2 => SECTIONS_2,
            3 => SECTIONS_3,
            4 => SECTIONS_4,
            _ => SECTIONS,
        };
        let mut sections = [Extent::default(); SECTIONS];
        for section in &mut sections[..written] {
            *section = Extent { start: numbers.u64(), len: numbers.u64() };
        }
        sections[written..].fill(Extent { start: HEADER_BYTES as u64, len: 0 });
        let (step, rows) = match found {
            1 => (0.0, 0),
            _ => (f32::from_bits(numbers.u32()), numbers.u32()),
        };
        let rows = match rows {
            0 => RowFormat::F32,
            1 => RowFormat::F16,
            other => return Err(damaged(&format!("it names an unknown format of rows, {other}"))),
        };
        let config = Config { dimension, metric, m, ef_construction, rows };
        let quantiser = (step != 0.0).then_some(Quantiser { step });
        let header = Self { config, seq, layers, sections, quantiser };
        header.config.validate().map_err(|error| damaged(&error.to_string()))?;
        header.check(file.len() as u64).map_err(damaged)?;
        Ok(header)
    }

    /// Checks the sizes of all sections against the numbers of slots and groups.
    fn check(&self, file_len: u64) -> Result<(), &'static str> {
        if self.slots() > MAX_SLOTS || !self.layers.is_sorted_by(|lower, upper| lower >= upper) {
            return Err("its layers do not lie within each other");
        }
        if self.seq > MAX_SEQ {
            return Err("no store has seen as many changes as it says");
        }
        let checksums = self.extent(Section::Checksums);
        let all = self.sections.iter().enumerate();
        let mut contents = all.filter(|&(place, _)| place != Section::Checksums as usize);
        let lies_in = |extent: &Extent, start: u64, end: u64| {
            extent.start.is_multiple_of(ALIGNMENT)
                && extent.start >= start
                && extent.start.checked_add(extent.len).is_some_and(|it| it <= end)
        };
        let header = HEADER_BYTES as u64;
        if !lies_in(&checksums, header, file_len)
            || !contents.all(|(_, extent)| lies_in(extent, header, checksums.start))
        {
            return Err("a section lies outside its place; the file was cut off");
        }
        let n = self.slots() as u64;
        let len = |section| self.extent(section).len;
        let links = |(level, &slots): (usize, &u32)| {
            4 * u64::from(slots) * self.config.max_links(level) as u64
        };
        let Config { dimension, metric, rows, .. } = self.config;
        let code_len = match self.quantiser {
            None => 0,
            Some(Quantiser { step }) if step.is_normal() && step > 0.0 => self.code_len() as u64,
            Some(_) => return Err("the step of its codes makes no sense"),
        };
        let sketches = if code_len > 0 { sketch_len(code_len as usize) as u64 } else { 0 };
        let centred = u64::from(code_len > 0 && metric == Metric::SquaredEuclidean);
        let fits = len(Section::Rows) == n * (rows.width() * dimension) as u64
            && len(Section::Links) == self.layers.iter().enumerate().map(links).sum::<u64>()
            && len(Section::Mean) == 4 * centred * dimension as u64
            && len(Section::Axes).is_multiple_of(4 * dimension as u64)
            && len(Section::Axes) <= 4 * (dimension * dimension) as u64
            && (code_len > 0 || len(Section::Axes) == 0)
            && len(Section::Codes) == n * code_len
            && len(Section::Norms) == 4 * centred * n
            && [0, n.div_ceil(SKETCHED as u64) * sketches].contains(&len(Section::Sketches))
            && len(Section::Ids) == 8 * n
            && len(Section::ById) == 4 * n
            && [0, 4 * n].contains(&len(Section::GroupOf))
            && len(Section::GroupStarts) % 8 == 0
            && [0, 8 * (n + 1)].contains(&len(Section::TagListStarts))
            && len(Section::TagLists) % 4 == 0
            && len(Section::TagStarts) % 8 == 0
            && len(Section::TagSetStarts) == len(Section::TagStarts)
            && [0, len(Section::TagStarts)].contains(&len(Section::TagGraphStarts))
            && len(Section::TagGraphs) % 4 == 0
            && [0, 8 * (n + 1)].contains(&len(Section::PayloadStarts))
            && checksums.len == 4 * (checksums.start / PAGE as u64)
            && checksums.start.is_multiple_of(PAGE as u64);
        if !fits {
            return Err("the size of a section does not fit the number of vectors");
        }
        Ok(())
    }
}

/// Little-endian numbers, one after another; zeros after the end.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((first, rest)) = self.0.split_first_chunk() else {
            return [0; N];
        };
        self.0 = rest;
        *first
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }
}
