//! The immutable, memory-mapped file that holds everything up to a sequence number.

mod coded;
mod deaths;
mod file_order;
mod format;
mod grow_tag_graph;
mod merge;
mod pages;
mod tag_graph;
mod verify;
mod write;

use std::cmp::Ordering;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use self::deaths::Deaths;
use self::format::{Extent, HEADER_BYTES, Header, NO_GROUP, Section};
pub(crate) use self::merge::Sources;
use self::pages::{PAGE, Pages};
pub(crate) use self::tag_graph::TagGraph;
pub(crate) use self::write::write_merged;
use crate::codes::{SKETCHED, SketchTarget, Space, prefetch};
use crate::hnsw::{Graph, MAX_LEVELS, Target};
use crate::part::Part;
use crate::row::Row;
use crate::slot_set::SlotSet;
use crate::{Config, Error, Result, RowFormat};

/// A segment file, mapped into memory. Opening one reads its first page, whatever its size; every
/// other page is compared with its checksum when it is first read.
pub(crate) struct Segment {
    path: PathBuf,
    map: Mmap,
    header: Header,
    /// Where the links of each layer begin, in links from the start of the section.
    layer_starts: [usize; MAX_LEVELS],
    pages: Pages,
    /// What was deleted or replaced since the segment was written; known to a writer only.
    deaths: Deaths,
}

impl Segment {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io("open", path))?;
        // SAFETY: a segment is never written to once it has its name: it is written under another
        // name, then renamed, later unlinked, which leaves the mapping as it is. That nobody else
        // changes or truncates the file while it is open is a documented condition of this crate.
        #[allow(unsafe_code)]
        let map = unsafe { Mmap::map(&file) }.map_err(Error::io("map", path))?;
        let header = Header::decode(&map, path)?;
        let mut layer_starts = [0; MAX_LEVELS];
        for level in 1..MAX_LEVELS {
            let below = header.layers[level - 1] as usize * header.config.max_links(level - 1);
            layer_starts[level] = layer_starts[level - 1] + below;
        }
        let pages = Pages::new(header.extent(Section::Checksums).start as usize / PAGE);
        let deaths = Deaths::new(header.slots());
        Ok(Self { path: path.to_owned(), map, header, layer_starts, pages, deaths })
    }

    /// The whole file.
    pub(crate) fn file(&self) -> &[u8] {
        &self.map
    }

    /// The last change that the segment includes.
    pub(crate) fn seq(&self) -> u64 {
        self.header.seq
    }

    /// Compares every page with its checksum. Reads the whole file.
    pub(crate) fn verify_pages(&self) -> Result<()> {
        self.read_bytes(HEADER_BYTES..self.header.extent(Section::Checksums).start as usize);
        self.intact()
    }

    /// The highest layer of a slot.
    fn level(&self, slot: u32) -> usize {
        self.header.layers.partition_point(|&slots| slots > slot).saturating_sub(1)
    }

    /// Bytes of the file before the checksums. If they are damaged nothing comes back, and
    /// [`intact`](Part::intact) fails from then on.
    #[inline]
    fn read_bytes(&self, range: Range<usize>) -> &[u8] {
        let (body, checksums) =
            self.map.split_at(self.header.extent(Section::Checksums).start as usize);
        match body.get(range.clone()) {
            Some(bytes) if self.pages.check(body, range, checksums) => bytes,
            _ => &[],
        }
    }

    /// `count` numbers of a section, from `first` on; none if the section is not that long.
    #[inline]
    fn read<T: bytemuck::AnyBitPattern>(
        &self,
        section: Section,
        first: usize,
        count: usize,
    ) -> &[T] {
        let extent = self.header.extent(section);
        let (start, len) = (first * size_of::<T>(), count * size_of::<T>());
        if start + len > extent.len as usize {
            return &[];
        }
        let start = extent.start as usize + start;
        bytemuck::try_cast_slice(self.read_bytes(start..start + len)).unwrap_or_default()
    }

    fn extent_of(&self, section: Section) -> Range<usize> {
        let Extent { start, len } = self.header.extent(section);
        start as usize..(start + len) as usize
    }

    #[inline]
    fn read_one<T: bytemuck::AnyBitPattern>(&self, section: Section, index: usize) -> Option<T> {
        self.read(section, index, 1).first().copied()
    }

    /// One entry of a section of bytes, whose place is read from a section of starts.
    fn entry_of(&self, starts: Section, contents: Section, index: usize) -> Option<&[u8]> {
        let range = self.entry_range(starts, contents, index)?;
        (range.len() as u64 <= contents.longest_entry())
            .then(|| self.read(contents, range.start, range.len()))
    }

    /// Where in its section of bytes an entry lies.
    fn entry_range(
        &self,
        starts: Section,
        contents: Section,
        index: usize,
    ) -> Option<Range<usize>> {
        let &[start, end] = self.read::<u64>(starts, index, 2) else { return None };
        (start <= end && end <= self.header.extent(contents).len)
            .then_some(start as usize..end as usize)
    }

    /// The links of a slot, then [`NO_LINK`](crate::hnsw::NO_LINK) where there are fewer.
    #[inline]
    fn list(&self, slot: u32, level: usize) -> &[u32] {
        let width = self.header.config.max_links(level);
        self.read(Section::Links, self.layer_starts[level] + slot as usize * width, width)
    }

    /// What the vectors are coded in.
    fn space(&self) -> Space<'_> {
        let all = |section| {
            let components = self.header.extent(section).len as usize / size_of::<f32>();
            self.read(section, 0, components)
        };
        Space { mean: all(Section::Mean), axes: all(Section::Axes) }
    }

    /// The numbers of the tags of the record in a slot, in ascending order.
    fn tag_numbers(&self, slot: u32) -> Result<&[u32]> {
        if self.header.extent(Section::TagListStarts).len == 0 {
            return Ok(&[]);
        }
        self.entry_of(Section::TagListStarts, Section::TagLists, slot as usize)
            .and_then(|list| bytemuck::try_cast_slice(list).ok())
            .ok_or_else(|| self.damaged("the list of a record's tags cannot be read"))
    }

    fn tag_count(&self) -> usize {
        (self.header.extent(Section::TagStarts).len as usize / 8).saturating_sub(1)
    }

    /// The tag with a number; tags are numbered in ascending order.
    fn tag(&self, number: usize) -> Option<&str> {
        let tag = self.entry_of(Section::TagStarts, Section::Tags, number)?;
        std::str::from_utf8(tag).ok()
    }

    /// The number of a tag.
    fn tag_number(&self, tag: &str) -> Result<Option<usize>> {
        let (mut low, mut high) = (0, self.tag_count());
        while low < high {
            let middle = low.midpoint(high);
            let name = self.tag(middle).ok_or_else(|| self.damaged("a tag has no name"))?;
            match name.cmp(tag) {
                Ordering::Equal => return Ok(Some(middle)),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    /// The slots whose records have the tag with a number.
    fn tag_set(&self, number: usize) -> Result<SlotSet> {
        self.entry_of(Section::TagSetStarts, Section::TagSets, number)
            .and_then(|set| SlotSet::from_roaring(set, self.len()))
            .ok_or_else(|| self.damaged("the set of a tag is not one of slots"))
    }

    /// The error for contents that make no sense: that their page is damaged, if it is.
    fn damaged(&self, what: &str) -> Error {
        self.intact().err().unwrap_or_else(|| Error::corrupt(&self.path, what))
    }
}

impl Graph for Segment {
    fn len(&self) -> usize {
        self.header.slots()
    }

    fn entry(&self) -> Option<(u32, usize)> {
        // Slots are in descending order of their layers, so the first one is on the highest.
        (self.len() > 0).then(|| (0, self.level(0)))
    }

    #[inline]
    fn row(&self, slot: u32) -> Row<'_> {
        let Config { dimension, rows, .. } = self.header.config;
        let first = slot as usize * dimension;
        match rows {
            RowFormat::F32 => Row::F32(self.read(Section::Rows, first, dimension)),
            RowFormat::F16 => Row::F16(self.read(Section::Rows, first, dimension)),
        }
    }

    #[inline]
    fn distance(&self, target: &Target<'_>, slot: u32) -> f32 {
        self.header.config.metric.distance(&target.row, self.row(slot))
    }

    fn target<'v>(&self, row: &'v [f32]) -> Target<'v> {
        let Header { config, quantiser, .. } = &self.header;
        let code = quantiser.map(|quantiser| quantiser.target(row, self.space(), config.metric));
        Target { row: row.into(), code }
    }

    #[inline]
    fn distances(&self, target: &Target<'_>, slots: &[u32], distances: &mut Vec<f32>) {
        match &target.code {
            Some(target) => {
                let codes = self.extent_of(Section::Codes);
                let len = target.code_len();
                let code = |slot: u32| {
                    let start = codes.start + slot as usize * len;
                    self.read_bytes(start..codes.end.min(start + len))
                };
                if self.header.extent(Section::Norms).len == 0 {
                    return target.distances(slots, code, |_| 0.0, distances);
                }
                let norm = |slot| self.read_one(Section::Norms, slot as usize).unwrap_or_default();
                target.distances(slots, code, norm, distances);
            }
            None => self.distances_by_row(target, slots, distances),
        }
    }

    fn has_sketches(&self) -> bool {
        self.header.extent(Section::Sketches).len > 0 && SketchTarget::pays()
    }

    #[inline]
    fn bounds(
        &self,
        target: &SketchTarget,
        block: usize,
        accepted: u32,
        bounds: &mut [f32; SKETCHED],
    ) -> f32 {
        let sketches = self.extent_of(Section::Sketches);
        let start = sketches.start + block * target.block_len();
        let sketches = self.read_bytes(start..sketches.end.min(start + target.block_len()));
        let first = block * SKETCHED;
        let norms = self.read(Section::Norms, first, SKETCHED.min(self.len() - first));
        target.bounds(sketches, norms, accepted, bounds)
    }

    #[inline]
    fn prefetch(&self, slots: &[u32]) {
        let codes = self.map.get(self.extent_of(Section::Codes)).unwrap_or_default();
        let len = codes.len() / self.len().max(1);
        for &slot in slots {
            let start = slot as usize * len;
            prefetch(codes.get(start..start + len).unwrap_or_default());
        }
    }

    #[inline]
    fn for_each_link(&self, slot: u32, level: usize, mut visit: impl FnMut(u32)) {
        let slots = self.header.layers[level];
        for &link in self.list(slot, level) {
            // The end of the list, or in a file that was made to mislead a link out of the layer.
            if link >= slots {
                break;
            }
            visit(link);
        }
    }

    #[inline]
    fn prefetch_links(&self, slot: u32, level: usize) {
        prefetch(self.list(slot, level));
    }
}

impl Part for Segment {
    fn config(&self) -> &Config {
        &self.header.config
    }

    #[inline]
    fn visible(&self, slot: u32, seq: u64) -> bool {
        seq < self.deaths.of(slot)
    }

    fn find(&self, id: u64, seq: u64) -> Option<u32> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            let slot: u32 = self.read_one(Section::ById, middle)?;
            match self.read_one::<u64>(Section::Ids, slot as usize)?.cmp(&id) {
                Ordering::Equal => return Some(slot).filter(|&slot| self.visible(slot, seq)),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        None
    }

    fn kill(&self, id: u64, seq: u64) -> bool {
        self.find(id, u64::MAX - 1).is_some_and(|slot| self.deaths.set(slot, seq))
    }

    fn id(&self, slot: u32) -> u64 {
        self.read_one(Section::Ids, slot as usize).unwrap_or_default()
    }

    fn group(&self, slot: u32) -> Result<Option<&str>> {
        if self.header.extent(Section::GroupOf).len == 0 {
            return Ok(None);
        }
        match self.read_one(Section::GroupOf, slot as usize) {
            Some(NO_GROUP) => Ok(None),
            Some(group) => self
                .entry_of(Section::GroupStarts, Section::GroupNames, group as usize)
                .and_then(|name| std::str::from_utf8(name).ok())
                .map(Some)
                .ok_or_else(|| self.damaged("a record is in a group without a name")),
            None => Err(self.damaged("a record's group cannot be read")),
        }
    }

    fn tags(&self, slot: u32) -> Result<Vec<&str>> {
        let tags = self.tag_numbers(slot)?.iter().map(|&tag| self.tag(tag as usize));
        let tags: Option<_> = tags.collect();
        tags.ok_or_else(|| self.damaged("a record has a tag without a name"))
    }

    fn tagged(&self, tag: &str) -> Result<SlotSet> {
        match self.tag_number(tag)? {
            Some(number) => self.tag_set(number),
            None => Ok(SlotSet::empty(self.len())),
        }
    }

    fn tag_graph(&self, tag: &str) -> Result<Option<TagGraph<'_>>> {
        match self.tag_number(tag)? {
            Some(number) => self.tag_graph_of(number),
            None => Ok(None),
        }
    }

    fn payload(&self, slot: u32) -> Result<&[u8]> {
        if self.header.extent(Section::PayloadStarts).len == 0 {
            return Ok(&[]);
        }
        self.entry_of(Section::PayloadStarts, Section::Payloads, slot as usize)
            .ok_or_else(|| self.damaged("the place of a payload makes no sense"))
    }

    fn intact(&self) -> Result<()> {
        match self.pages.damaged() {
            None => Ok(()),
            Some(page) => {
                let what = format!("page {page} (at byte {}) has the wrong checksum", page * PAGE);
                Err(Error::corrupt(&self.path, what))
            }
        }
    }
}
