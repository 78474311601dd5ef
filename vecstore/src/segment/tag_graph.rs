//! The graphs of their own that some tags have.

use std::ops::Range;

use super::Segment;
use super::format::Section;
use crate::codes::prefetch;
use crate::hnsw::{MAX_LEVELS, Members, Subgraph};
use crate::{Config, Result};

/// The members of a graph begin at a multiple of so many numbers, their lists too, so that lists lie on
/// cache lines.
const ALIGNMENT: usize = 16;

/// A graph among the records with one tag.
pub(crate) type TagGraph<'s> = Subgraph<'s, Segment, TagMembers<'s>>;

/// Where in the graph of a tag what is, in numbers of 4 bytes.
pub(super) struct Layout {
    /// The number of members that reach each layer; members are in descending order of their layers. The
    /// graph begins with these numbers.
    layers: [u32; MAX_LEVELS],
    /// Where the lists of each layer begin.
    lists: [usize; MAX_LEVELS],
    len: usize,
}

impl Layout {
    /// Where the slots of the members begin.
    const SLOTS: usize = MAX_LEVELS;

    pub(super) fn new(config: &Config, layers: [u32; MAX_LEVELS]) -> Self {
        let mut len = (Self::SLOTS + layers[0] as usize).next_multiple_of(ALIGNMENT);
        let lists = std::array::from_fn(|level| {
            let start = len;
            len += layers[level] as usize * config.max_links(level);
            start
        });
        Self { layers, lists, len: len.next_multiple_of(ALIGNMENT) }
    }

    /// The bytes of a graph of these members and lists, those of each layer after those below.
    pub(super) fn bytes(
        &self,
        slots: impl IntoIterator<Item = u32>,
        lists: impl Iterator<Item = Vec<u8>>,
    ) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4 * self.len);
        bytes.extend(self.layers.into_iter().chain(slots).flat_map(u32::to_le_bytes));
        bytes.resize(4 * self.lists[0], 0);
        bytes.extend(lists.flatten());
        bytes.resize(4 * self.len, 0);
        bytes
    }
}

/// The members of a tag's graph, as a segment has them.
pub(crate) struct TagMembers<'s> {
    segment: &'s Segment,
    /// Where the graph begins in its section, in numbers of 4 bytes.
    start: usize,
    layout: Layout,
}

impl Segment {
    /// The graph of the tag with a number, if it has one.
    pub(super) fn tag_graph_of(&self, number: usize) -> Result<Option<TagGraph<'_>>> {
        if self.header.extent(Section::TagGraphStarts).len == 0 {
            return Ok(None);
        }
        let range = self.entry_range(Section::TagGraphStarts, Section::TagGraphs, number);
        match range {
            Some(range) if range.is_empty() => Ok(None),
            range => range
                .and_then(|range| self.tag_graph_at(&range))
                .map(Some)
                .ok_or_else(|| self.damaged("the graph of a tag makes no sense")),
        }
    }

    /// The graph in some bytes of the section, if they hold one.
    fn tag_graph_at(&self, range: &Range<usize>) -> Option<TagGraph<'_>> {
        let start = range.start / size_of::<u32>();
        let layers = *self.read::<u32>(Section::TagGraphs, start, MAX_LEVELS).first_chunk()?;
        let layout = Layout::new(&self.header.config, layers);
        let fits = layers.is_sorted_by(|lower, upper| lower >= upper)
            && (1..=self.header.layers[0]).contains(&layers[0])
            && range.start.is_multiple_of(ALIGNMENT * size_of::<u32>())
            && range.len() == layout.len * size_of::<u32>();
        let members = TagMembers { segment: self, start, layout };
        fits.then_some(Subgraph { whole: self, members })
    }
}

impl TagMembers<'_> {
    /// The number of members that reach each layer.
    pub(super) fn layers(&self) -> [u32; MAX_LEVELS] {
        self.layout.layers
    }

    /// The highest layer of a member.
    pub(super) fn level(&self, member: u32) -> usize {
        self.layout.layers.partition_point(|&members| members > member).saturating_sub(1)
    }

    /// The links of a member, then [`NO_LINK`](crate::hnsw::NO_LINK) where there are fewer.
    #[inline]
    pub(super) fn list(&self, member: u32, level: usize) -> &[u32] {
        let width = self.segment.header.config.max_links(level);
        let start = self.start + self.layout.lists[level] + member as usize * width;
        self.segment.read(Section::TagGraphs, start, width)
    }
}

impl Members for TagMembers<'_> {
    fn len(&self) -> usize {
        self.layout.layers[0] as usize
    }

    #[inline]
    fn slot(&self, member: u32) -> u32 {
        let place = self.start + Layout::SLOTS + member as usize;
        let slot = self.segment.read_one::<u32>(Section::TagGraphs, place).unwrap_or_default();
        // In a file that was made to mislead it may be none.
        slot.min(self.segment.header.layers[0] - 1)
    }

    fn entry(&self) -> Option<(u32, usize)> {
        Some((0, self.level(0)))
    }

    #[inline]
    fn for_each_link(&self, member: u32, level: usize, mut visit: impl FnMut(u32)) {
        let members = self.layout.layers[level];
        for &link in self.list(member, level) {
            // As in the graph of all.
            if link >= members {
                break;
            }
            visit(link);
        }
    }

    #[inline]
    fn prefetch_links(&self, member: u32, level: usize) {
        prefetch(self.list(member, level));
    }
}
