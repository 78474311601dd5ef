//! Writing a segment file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;
use std::sync::Arc;

use super::Segment;
use super::format::{ALIGNMENT, Extent, HEADER_BYTES, Header, NO_GROUP, SECTIONS, Section};
use super::merge::Merge;
use crate::hnsw::{Graph, MAX_LEVELS, NO_LINK};
use crate::tail::TailIndex;
use crate::{Config, Result, dir};

/// Writes the segment that holds everything alive as of `seq` and returns its file name.
pub(crate) fn write_merged(
    segments: &Path,
    old: Option<&Segment>,
    tails: &[Arc<TailIndex>],
    seq: u64,
    config: Config,
) -> Result<String> {
    let merge = Merge::new(old, tails, seq, config)?;
    let order = merge.order();
    let strings = Strings::collect(&merge, &order)?;
    let name = format!("{seq:020}.seg");
    dir::replace(segments, &name, |file| write(file, &merge, &order, &strings))?;
    Ok(name)
}

/// What is read from the parts before writing, because reading may find them damaged.
struct Strings<'a> {
    group_of: Vec<u32>,
    group_names: Vec<&'a str>,
    payloads: Vec<&'a [u8]>,
}

impl<'a> Strings<'a> {
    fn collect(merge: &'a Merge<'_>, order: &[u32]) -> Result<Self> {
        let (mut group_of, mut group_names, mut payloads) = (Vec::new(), Vec::new(), Vec::new());
        let mut numbers = HashMap::new();
        for &slot in order {
            group_of.push(match merge.group(slot)? {
                None => NO_GROUP,
                Some(name) => *numbers.entry(name).or_insert_with(|| {
                    group_names.push(name);
                    group_names.len() as u32 - 1
                }),
            });
            payloads.push(merge.payload(slot)?);
        }
        // What no record has takes no space.
        if group_names.is_empty() {
            group_of.clear();
        }
        if payloads.iter().all(|payload| payload.is_empty()) {
            payloads.clear();
        }
        Ok(Self { group_of, group_names, payloads })
    }
}

fn write(
    file: &mut BufWriter<File>,
    merge: &Merge<'_>,
    order: &[u32],
    strings: &Strings<'_>,
) -> io::Result<()> {
    file.write_all(&[0; HEADER_BYTES])?;
    let mut sections = Sections { file, end: HEADER_BYTES as u64, extents: Default::default() };
    let layers: [u32; MAX_LEVELS] = std::array::from_fn(|level| {
        order.partition_point(|&slot| merge.level(slot) >= level) as u32
    });

    sections
        .write(Section::Rows, order.iter().map(|&slot| bytemuck::cast_slice(merge.row(slot))))?;

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

    let ids: Vec<u64> = order.iter().map(|&slot| merge.id(slot)).collect();
    let mut by_id: Vec<u32> = (0..ids.len() as u32).collect();
    by_id.sort_unstable_by_key(|&place| ids[place as usize]);
    sections.write(Section::Ids, [bytemuck::cast_slice::<_, u8>(&ids)])?;
    sections.write(Section::ById, [bytemuck::cast_slice::<_, u8>(&by_id)])?;

    let Strings { group_of, group_names, payloads } = strings;
    sections.write(Section::GroupOf, [bytemuck::cast_slice::<_, u8>(group_of)])?;
    sections.write_strings(Section::GroupStarts, Section::GroupNames, group_names)?;
    sections.write_strings(Section::PayloadStarts, Section::Payloads, payloads)?;

    let header =
        Header { config: merge.config, seq: merge.seq, layers, sections: sections.extents };
    file.rewind()?;
    file.write_all(&header.encode())
}

/// The part of the file after the header, as it grows.
struct Sections<'a> {
    file: &'a mut BufWriter<File>,
    end: u64,
    extents: [Extent; SECTIONS],
}

impl Sections<'_> {
    /// Appends a section that consists of `pieces`.
    fn write(
        &mut self,
        section: Section,
        pieces: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> io::Result<()> {
        let start = self.end.next_multiple_of(ALIGNMENT);
        io::copy(&mut io::Read::take(io::repeat(0), start - self.end), self.file)?;
        let mut extent = Extent { start, ..Extent::default() };
        for piece in pieces {
            let piece = piece.as_ref();
            self.file.write_all(piece)?;
            extent.len += piece.len() as u64;
            extent.crc32c = crc32c::crc32c_append(extent.crc32c, piece);
        }
        self.end = start + extent.len;
        self.extents[section as usize] = extent;
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
