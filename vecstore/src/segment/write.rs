//! Writing a segment file.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

use roaring::RoaringBitmap;

use super::format::{ALIGNMENT, Extent, HEADER_BYTES, Header, NO_GROUP, SECTIONS, Section};
use super::merge::{Merge, Sources};
use super::pages::{PAGE, begin_checksum};
use crate::codes::SKETCHED;
use crate::hnsw::{Graph, MAX_LEVELS, NO_LINK};
use crate::manifest::segment_name;
use crate::{Result, dir};

/// Writes the segment that holds everything alive in its sources and returns its file name.
pub(crate) fn write_merged(segments: &Path, sources: &Sources<'_>) -> Result<String> {
    let merge = Merge::new(sources)?;
    let order = merge.order();
    let strings = Strings::collect(&merge, &order)?;
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
    tag_sets: Vec<Vec<u8>>,
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
            strings.tag_sets = tagged.into_values().map(serialized).collect();
        }
        Ok(strings)
    }
}

fn serialized(mut set: RoaringBitmap) -> Vec<u8> {
    set.optimize();
    let mut bytes = Vec::with_capacity(set.serialized_size());
    // Writing to memory does not fail.
    let _ = set.serialize_into(&mut bytes);
    bytes
}

fn write(
    file: &mut BufWriter<File>,
    merge: &Merge<'_>,
    order: &[u32],
    strings: &Strings<'_>,
) -> io::Result<()> {
    let mut sections = Sections::new(file)?;
    let layers: [u32; MAX_LEVELS] = std::array::from_fn(|level| {
        order.partition_point(|&slot| merge.level(slot) >= level) as u32
    });

    sections
        .write(Section::Rows, order.iter().map(|&slot| merge.row(slot).bytes(merge.config.rows)))?;

    let mut place_of = vec![NO_LINK; merge.len()];
    for (place, &slot) in (0..).zip(order) {
        place_of[slot as usize] = place;
    }
    let lists = layers.iter().enumerate().flat_map(|(level, &slots)| {
        let place_of = &place_of;
        order[..slots as usize].iter().map(move |&slot| {
            let width = merge.config.max_links(level);
            let mut list = Vec::with_capacity(4 * width);
            merge.for_each_link(slot, level, |link| {
                list.extend(place_of[link as usize].to_le_bytes())
            });
            list.resize(4 * width, NO_LINK as u8);
            list
        })
    });
    sections.write(Section::Links, lists)?;

    if let Some(coded) = &merge.coded {
        sections.write(Section::Mean, [bytemuck::cast_slice::<_, u8>(&coded.mean)])?;
        sections.write(Section::Codes, order.iter().map(|&slot| coded.code(slot)))?;
        if !coded.mean.is_empty() {
            let norms = order.iter().map(|&slot| coded.norm(slot).to_le_bytes());
            sections.write(Section::Norms, norms)?;
        }
        let sketches = order.chunks(SKETCHED).map(|slots| coded.sketches(slots));
        sections.write(Section::Sketches, sketches)?;
    }

    let ids: Vec<u64> = order.iter().map(|&slot| merge.id(slot)).collect();
    let mut by_id: Vec<u32> = (0..ids.len() as u32).collect();
    by_id.sort_unstable_by_key(|&place| ids[place as usize]);
    sections.write(Section::Ids, [bytemuck::cast_slice::<_, u8>(&ids)])?;
    sections.write(Section::ById, [bytemuck::cast_slice::<_, u8>(&by_id)])?;

    let Strings { group_of, group_names, tag_lists, tags, tag_sets, payloads } = strings;
    sections.write(Section::GroupOf, [bytemuck::cast_slice::<_, u8>(group_of)])?;
    sections.write_strings(Section::GroupStarts, Section::GroupNames, group_names)?;
    sections.write_strings(Section::TagListStarts, Section::TagLists, tag_lists)?;
    sections.write_strings(Section::TagStarts, Section::Tags, tags)?;
    sections.write_strings(Section::TagSetStarts, Section::TagSets, tag_sets)?;
    sections.write_strings(Section::PayloadStarts, Section::Payloads, payloads)?;

    let sections = sections.finish()?;
    let header = Header {
        config: merge.config,
        seq: merge.seq,
        layers,
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

    /// Appends a section of strings, and before it the section that says where each starts.
    fn write_strings(
        &mut self,
        starts: Section,
        contents: Section,
        strings: &[impl AsRef<[u8]>],
    ) -> io::Result<()> {
        let mut start = 0u64;
        let mut starts_of: Vec<u64> = strings
            .iter()
            .map(|string| {
                let this = start;
                start += string.as_ref().len() as u64;
                this
            })
            .collect();
        if !strings.is_empty() {
            starts_of.push(start);
        }
        self.write(starts, [bytemuck::cast_slice::<_, u8>(&starts_of)])?;
        self.write(contents, strings)
    }
}
