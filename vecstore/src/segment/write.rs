//! Writing a segment file.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

use roaring::RoaringBitmap;

use super::file_order::FileOrder;
use super::format::{ALIGNMENT, Extent, HEADER_BYTES, Header, NO_GROUP, SECTIONS, Section};
use super::grow_tag_graph::tag_graph;
use super::merge::{Merge, Sources};
use super::pages::{PAGE, begin_checksum};
use super::tag_graph::TagGraph;
use crate::codes::SKETCHED;
use crate::hnsw::Graph;
use crate::manifest::segment_name;
use crate::{Result, dir};

/// Writes the segment that holds everything alive in its sources and returns its file name.
pub(crate) fn write_merged(segments: &Path, sources: &Sources<'_>) -> Result<String> {
    let merge = Merge::new(sources)?;
    let order = merge.order();
    let strings = Strings::collect(&merge, &order.slots)?;
    let name = segment_name(sources.seq);
    dir::replace(segments, &name, |file| write(file, &merge, &order, &strings))?;
    Ok(name)
}

/// What is read from the parts before writing, because reading may find them damaged. What no
/// record has is empty, and takes no space.
#[derive(Default)]
struct Strings<'a> {
    group_of: Vec<u32>,
    group_names: Vec<&'a str>,
    tag_lists: Vec<Vec<u8>>,
    tags: Vec<&'a str>,
    tag_sets: Vec<RoaringBitmap>,
    /// The graphs that the tags had in the old segment.
    tag_graphs: Vec<Option<TagGraph<'a>>>,
    payloads: Vec<&'a [u8]>,
}

impl<'a> Strings<'a> {
    fn collect(merge: &'a Merge<'_>, order: &[u32]) -> Result<Self> {
        let mut strings = Self::default();
        let mut group_numbers = HashMap::new();
        let mut tags_of = Vec::new();
        let mut tagged = BTreeMap::<&str, RoaringBitmap>::new();
        for (place, &slot) in (0..).zip(order) {
            strings.group_of.push(match merge.group(slot)? {
                None => NO_GROUP,
                Some(name) => *group_numbers.entry(name).or_insert_with(|| {
                    strings.group_names.push(name);
                    strings.group_names.len() as u32 - 1
                }),
            });
            let tags = merge.tags(slot)?;
            for tag in &tags {
                tagged.entry(tag).or_default().insert(place);
            }
            tags_of.push(tags);
            strings.payloads.push(merge.payload(slot)?);
        }
        if group_numbers.is_empty() {
            strings.group_of.clear();
        }
        if strings.payloads.iter().all(|payload| payload.is_empty()) {
            strings.payloads.clear();
        }
        if !tagged.is_empty() {
            strings.tags = tagged.keys().copied().collect();
            let number = |tag: &&str| strings.tags.partition_point(|other| other < tag) as u32;
            let list = |tags: &Vec<&str>| -> Vec<u8> {
                tags.iter().flat_map(|tag| number(tag).to_le_bytes()).collect()
            };
            strings.tag_lists = tags_of.iter().map(list).collect();
            strings.tag_sets = tagged.into_values().collect();
            let graphs = strings.tags.iter().map(|tag| merge.old_tag_graph(tag));
            strings.tag_graphs = graphs.collect::<Result<_>>()?;
        }
        Ok(strings)
    }
}

fn serialized(set: &RoaringBitmap) -> Vec<u8> {
    let mut set = set.clone();
    set.optimize();
    let mut bytes = Vec::with_capacity(set.serialized_size());
    // Writing to memory does not fail.
    let _ = set.serialize_into(&mut bytes);
    bytes
}

fn write(
    file: &mut BufWriter<File>,
    merge: &Merge<'_>,
    order: &FileOrder,
    strings: &Strings<'_>,
) -> io::Result<()> {
    let mut sections = Sections::new(file)?;
    let slots = &order.slots;
    sections
        .write(Section::Rows, slots.iter().map(|&slot| merge.row(slot).bytes(merge.config.rows)))?;

    sections.write(Section::Links, order.lists(merge, &merge.config))?;

    if let Some(coded) = &merge.coded {
        sections.write(Section::Mean, [bytemuck::cast_slice::<_, u8>(&coded.mean)])?;
        sections.write(Section::Axes, [bytemuck::cast_slice::<_, u8>(&coded.axes)])?;
        sections.write(Section::Codes, slots.iter().map(|&slot| coded.code(slot)))?;
        if !coded.mean.is_empty() {
            let norms = slots.iter().map(|&slot| coded.norm(slot).to_le_bytes());
            sections.write(Section::Norms, norms)?;
        }
        let sketches = slots.chunks(SKETCHED).map(|slots| coded.sketches(slots));
        sections.write(Section::Sketches, sketches)?;
    }

    let ids: Vec<u64> = slots.iter().map(|&slot| merge.id(slot)).collect();
    let mut by_id: Vec<u32> = (0..ids.len() as u32).collect();
    by_id.sort_unstable_by_key(|&place| ids[place as usize]);
    sections.write(Section::Ids, [bytemuck::cast_slice::<_, u8>(&ids)])?;
    sections.write(Section::ById, [bytemuck::cast_slice::<_, u8>(&by_id)])?;

    let Strings { group_of, group_names, tag_lists, tags, tag_sets, tag_graphs, payloads } =
        strings;
    sections.write(Section::GroupOf, [bytemuck::cast_slice::<_, u8>(group_of)])?;
    sections.write_entries(Section::GroupStarts, Section::GroupNames, group_names)?;
    sections.write_entries(Section::TagListStarts, Section::TagLists, tag_lists)?;
    sections.write_entries(Section::TagStarts, Section::Tags, tags)?;
    let sets: Vec<_> = tag_sets.iter().map(serialized).collect();
    sections.write_entries(Section::TagSetStarts, Section::TagSets, &sets)?;
    sections.write_entries(Section::PayloadStarts, Section::Payloads, payloads)?;

    // One after another, since each takes as much memory as file.
    let graphs = tag_sets.iter().zip(tag_graphs);
    let graphs = graphs.map(|(set, old)| tag_graph(merge, order, set, old.as_ref()));
    sections.write_entries(Section::TagGraphStarts, Section::TagGraphs, graphs)?;

    let sections = sections.finish()?;
    let header = Header {
        config: merge.config,
        seq: merge.seq,
        layers: order.layers,
        sections,
        quantiser: merge.coded.as_ref().map(|coded| coded.quantiser),
    };
    file.rewind()?;
    file.write_all(&header.encode())
}

/// The part of the file after the header, as it grows.
struct Sections<'a> {
    file: &'a mut BufWriter<File>,
    end: u64,
    extents: [Extent; SECTIONS],
    /// Of the whole pages so far.
    checksums: Vec<u32>,
    /// Of the page that is being filled.
    checksum: u32,
}

impl<'a> Sections<'a> {
    fn new(file: &'a mut BufWriter<File>) -> io::Result<Self> {
        file.write_all(&[0; HEADER_BYTES])?;
        Ok(Self {
            file,
            end: HEADER_BYTES as u64,
            extents: [Extent { start: HEADER_BYTES as u64, len: 0 }; SECTIONS],
            checksums: vec![0],
            checksum: begin_checksum(1),
        })
    }

    /// Appends a section that consists of `pieces`.
    fn write(
        &mut self,
        section: Section,
        pieces: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> io::Result<()> {
        self.pad(ALIGNMENT)?;
        let start = self.end;
        for piece in pieces {
            self.put(piece.as_ref())?;
        }
        self.extents[section as usize] = Extent { start, len: self.end - start };
        Ok(())
    }

    /// Appends the last section, the checksums of all pages.
    fn finish(mut self) -> io::Result<[Extent; SECTIONS]> {
        self.pad(PAGE as u64)?;
        let checksums = std::mem::take(&mut self.checksums);
        self.write(Section::Checksums, [bytemuck::cast_slice::<_, u8>(&checksums)])?;
        Ok(self.extents)
    }

    fn pad(&mut self, alignment: u64) -> io::Result<()> {
        let missing = self.end.next_multiple_of(alignment) - self.end;
        self.put(&[0; PAGE][..missing as usize])
    }

    fn put(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        while !bytes.is_empty() {
            let room = PAGE - self.end as usize % PAGE;
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.checksum = crc32c::crc32c_append(self.checksum, now);
            self.end += now.len() as u64;
            if now.len() == room {
                self.checksums.push(self.checksum);
                self.checksum = begin_checksum(self.checksums.len());
            }
            bytes = later;
        }
        Ok(())
    }

    /// Appends a section of entries, and after it the section that says where each starts.
    fn write_entries(
        &mut self,
        starts: Section,
        contents: Section,
        entries: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> io::Result<()> {
        let (mut starts_of, mut end) = (Vec::new(), 0u64);
        let counted = entries.into_iter().inspect(|entry| {
            starts_of.push(end);
            end += entry.as_ref().len() as u64;
        });
        self.write(contents, counted)?;
        if !starts_of.is_empty() {
            starts_of.push(end);
        }
        self.write(starts, [bytemuck::cast_slice::<_, u8>(&starts_of)])
    }
}
