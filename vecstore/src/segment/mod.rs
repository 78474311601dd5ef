//! The immutable, memory-mapped file that holds everything up to a sequence number.

mod deaths;
mod format;
mod merge;
mod write;

use std::fs::File;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use self::deaths::Deaths;
use self::format::{Header, NO_GROUP, SECTIONS, Section};
pub(crate) use self::write::write_merged;
use crate::hnsw::{Graph, MAX_LEVELS, NO_LINK};
use crate::part::Part;
use crate::{Config, Error, Result};

/// A segment file, mapped into memory. Opening one reads its first page, whatever its size.
pub(crate) struct Segment {
    path: PathBuf,
    map: Mmap,
    header: Header,
    /// Where the links of each layer begin, in links from the start of the section.
    layer_starts: [usize; MAX_LEVELS],
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
        let deaths = Deaths::new(header.slots());
        Ok(Self { path: path.to_owned(), map, header, layer_starts, deaths })
    }

    pub(crate) fn config(&self) -> &Config {
        &self.header.config
    }

    /// The last change that the segment includes.
    pub(crate) fn seq(&self) -> u64 {
        self.header.seq
    }

    /// Compares every section with its checksum. Reads the whole file.
    pub(crate) fn verify_checksums(&self) -> Result<()> {
        for (index, extent) in self.header.sections.iter().enumerate() {
            if crc32c::crc32c(self.bytes(extent.start, extent.len)) != extent.crc32c {
                let what = format!("section {index} of {SECTIONS} has the wrong checksum");
                return Err(Error::corrupt(&self.path, what));
            }
        }
        Ok(())
    }

    fn bytes(&self, start: u64, len: u64) -> &[u8] {
        self.map.get(start as usize..(start + len) as usize).unwrap_or_default()
    }

    /// A section as numbers. The header was checked: sections lie within the file, aligned.
    #[inline]
    fn section<T: bytemuck::AnyBitPattern>(&self, section: Section) -> &[T] {
        let extent = self.header.extent(section);
        bytemuck::try_cast_slice(self.bytes(extent.start, extent.len)).unwrap_or_default()
    }

    /// The highest layer of a slot.
    fn level(&self, slot: u32) -> usize {
        self.header.layers.partition_point(|&slots| slots > slot).saturating_sub(1)
    }

    /// One entry of a section of bytes, whose place is read from a section of starts.
    fn entry_of(&self, starts: Section, contents: Section, index: usize) -> Result<&[u8]> {
        let starts: &[u64] = self.section(starts);
        let entry = || {
            let (&start, &end) = (starts.get(index)?, starts.get(index + 1)?);
            self.section(contents).get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
        };
        entry().ok_or_else(|| {
            Error::corrupt(&self.path, format!("entry {index} lies outside its section"))
        })
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
    fn row(&self, slot: u32) -> &[f32] {
        let dimension = self.header.config.dimension;
        let start = slot as usize * dimension;
        self.section(Section::Rows).get(start..start + dimension).unwrap_or_default()
    }

    #[inline]
    fn distance(&self, a: &[f32], b: &[f32]) -> f32 {
        self.header.config.metric.distance(a, b)
    }

    #[inline]
    fn for_each_link(&self, slot: u32, level: usize, mut visit: impl FnMut(u32)) {
        let width = self.header.config.max_links(level);
        let start = self.layer_starts[level] + slot as usize * width;
        let links: &[u32] =
            self.section(Section::Links).get(start..start + width).unwrap_or_default();
        // In a damaged file a link may lead out of its layer, where the slot has no links.
        let slots = self.header.layers[level];
        for &link in links.iter().take_while(|&&link| link != NO_LINK).filter(|&&link| link < slots)
        {
            visit(link);
        }
    }
}

impl Part for Segment {
    #[inline]
    fn visible(&self, slot: u32, seq: u64) -> bool {
        seq < self.deaths.of(slot)
    }

    fn find(&self, id: u64, seq: u64) -> Option<u32> {
        let by_id: &[u32] = self.section(Section::ById);
        let place = by_id.binary_search_by_key(&id, |&slot| self.id(slot)).ok()?;
        by_id
            .get(place)
            .copied()
            .filter(|&slot| (slot as usize) < self.len() && self.visible(slot, seq))
    }

    fn kill(&self, id: u64, seq: u64) -> bool {
        self.find(id, u64::MAX - 1).is_some_and(|slot| self.deaths.set(slot, seq))
    }

    fn id(&self, slot: u32) -> u64 {
        self.section(Section::Ids).get(slot as usize).copied().unwrap_or_default()
    }

    fn group(&self, slot: u32) -> Result<Option<&str>> {
        match self.section(Section::GroupOf).get(slot as usize) {
            None | Some(&NO_GROUP) => Ok(None),
            Some(&group) => {
                let name =
                    self.entry_of(Section::GroupStarts, Section::GroupNames, group as usize)?;
                let name = std::str::from_utf8(name).map_err(|_| {
                    Error::corrupt(&self.path, format!("the name of group {group} is not text"))
                })?;
                Ok(Some(name))
            }
        }
    }

    fn payload(&self, slot: u32) -> Result<&[u8]> {
        if self.header.extent(Section::PayloadStarts).len == 0 {
            return Ok(&[]);
        }
        self.entry_of(Section::PayloadStarts, Section::Payloads, slot as usize)
    }
}
