//! The index in memory of what the log holds.

use std::sync::OnceLock;
use std::sync::atomic::{
    AtomicU64, AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};

use super::Op;
use super::newest::Newest;
use crate::codes::prefetch;
use crate::hnsw::{self, Chunked, Graph, GraphMut, Links, Target};
use crate::part::Part;
use crate::record::Payload;
use crate::row::Row;
use crate::slot_set::SlotSet;
use crate::{Config, Error, Result};

/// Not dead as of any sequence number.
const ALIVE: u64 = u64::MAX;

/// So many candidates are enough for the graph of a tail, which is small, and thrown away when the tail
/// is merged.
const LINK_EF: usize = 64;

/// The records of a tail and their graph. One thread adds records and one links them; any number
/// read meanwhile.
pub(crate) struct TailIndex {
    config: Config,
    nodes: Chunked<OnceLock<Node>>,
    len: AtomicUsize,
    bytes: AtomicUsize,
    links: Links,
    /// The slots below are in the graph.
    linked: AtomicUsize,
    newest: Newest,
}

struct Node {
    id: u64,
    born: u64,
    died: AtomicU64,
    row: Box<[f32]>,
    group: Option<Box<str>>,
    tags: Vec<Box<str>>,
    payload: Payload,
    /// The slot of the record that this one replaced.
    replaced: Option<u32>,
}

impl Node {
    /// The memory that it takes, with its links on the lowest layer.
    fn bytes(&self, config: &Config) -> usize {
        let texts = self.group.iter().chain(&self.tags).map(|text| text.len()).sum::<usize>();
        size_of::<Self>()
            + size_of_val(&*self.row)
            + texts
            + self.payload.0.len()
            + config.max_links(0) * size_of::<u32>()
    }
}

impl TailIndex {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            nodes: Chunked::new(1, OnceLock::new),
            len: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            links: Links::new(&config),
            linked: AtomicUsize::new(0),
            newest: Newest::new(),
        }
    }

    /// Adds the record of a put, which lives from `born` on. It is found from then on; the graph gets
    /// it by [`link`](Self::link). Other changes add nothing.
    pub(crate) fn add(&self, born: u64, op: Op) -> Result<()> {
        let Op::Put { id, row, group, tags, payload } = op else { return Ok(()) };
        let len = self.len.load(Relaxed);
        if len == hnsw::MAX_SLOTS {
            return Err(Error::Full { limit: hnsw::MAX_SLOTS });
        }
        let slot = len as u32;
        let node = Node {
            id,
            born,
            died: ALIVE.into(),
            row,
            group,
            tags,
            payload,
            replaced: self.newest(id),
        };
        self.bytes.fetch_add(node.bytes(&self.config), Relaxed);
        self.nodes.ensure(len)[0].get_or_init(|| node);
        self.len.store(len + 1, Release);
        self.newest.set(id, slot, |slot| self.id(slot));
        Ok(())
    }

    /// Brings up to `count` records more into the graph. One thread at a time may do so.
    pub(crate) fn link(&self, count: usize) {
        let ef_construction = self.config.ef_construction.min(LINK_EF);
        let config = Config { ef_construction, ..self.config };
        let linked = self.linked.load(Relaxed);
        for slot in linked..self.len().min(linked + count) {
            let level = hnsw::level_of(self.id(slot as u32), &self.config);
            hnsw::insert(self, &config, slot as u32, level, |_| true);
            self.linked.store(slot + 1, Release);
        }
    }

    /// The memory that its records and their links take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// The number of records as of `seq`.
    pub(crate) fn living(&self, seq: u64) -> usize {
        (0..self.len() as u32).filter(|&slot| self.visible(slot, seq)).count()
    }

    fn node(&self, slot: u32) -> Option<&Node> {
        self.nodes.get(slot as usize)?[0].get()
    }

    fn newest(&self, id: u64) -> Option<u32> {
        self.newest.get(id, |slot| self.id(slot))
    }
}

impl Graph for TailIndex {
    fn len(&self) -> usize {
        self.len.load(Acquire)
    }

    fn entry(&self) -> Option<(u32, usize)> {
        self.links.entry()
    }

    fn linked(&self) -> usize {
        self.linked.load(Acquire)
    }

    fn row(&self, slot: u32) -> Row<'_> {
        Row::F32(self.node(slot).map_or(&[], |node| &*node.row))
    }

    fn distance(&self, target: &Target<'_>, slot: u32) -> f32 {
        self.config.metric.distance(&target.row, self.row(slot))
    }

    fn for_each_link(&self, slot: u32, level: usize, visit: impl FnMut(u32)) {
        self.links.for_each(slot, level, visit);
    }

    fn prefetch(&self, slots: &[u32]) {
        slots.iter().filter_map(|&slot| self.node(slot)).for_each(|node| prefetch(&node.row));
    }

    fn prefetch_links(&self, slot: u32, level: usize) {
        self.links.prefetch(slot, level);
    }
}

impl GraphMut for TailIndex {
    fn links(&self) -> &Links {
        &self.links
    }
}

impl Part for TailIndex {
    fn config(&self) -> &Config {
        &self.config
    }

    fn visible(&self, slot: u32, seq: u64) -> bool {
        self.node(slot).is_some_and(|node| node.born <= seq && seq < node.died.load(Acquire))
    }

    fn find(&self, id: u64, seq: u64) -> Option<u32> {
        let mut slot = self.newest(id)?;
        while self.node(slot)?.born > seq {
            slot = self.node(slot)?.replaced?;
        }
        self.visible(slot, seq).then_some(slot)
    }

    fn kill(&self, id: u64, seq: u64) -> bool {
        let newest = self.newest(id).and_then(|slot| self.node(slot));
        newest.is_some_and(|node| node.died.compare_exchange(ALIVE, seq, Release, Relaxed).is_ok())
    }

    fn id(&self, slot: u32) -> u64 {
        self.node(slot).map_or(0, |node| node.id)
    }

    fn group(&self, slot: u32) -> Result<Option<&str>> {
        Ok(self.node(slot).and_then(|node| node.group.as_deref()))
    }

    fn tags(&self, slot: u32) -> Result<Vec<&str>> {
        Ok(self.node(slot).map_or(Vec::new(), |node| node.tags.iter().map(|tag| &**tag).collect()))
    }

    fn tagged(&self, tag: &str) -> Result<SlotSet> {
        let len = self.len();
        let mut set = SlotSet::empty(len);
        for slot in 0..len as u32 {
            if self.node(slot).is_some_and(|node| node.tags.iter().any(|other| **other == *tag)) {
                set.insert(slot);
            }
        }
        Ok(set)
    }

    fn payload(&self, slot: u32) -> Result<&[u8]> {
        Ok(self.node(slot).map_or(&[], |node| &node.payload.0))
    }

    fn intact(&self) -> Result<()> {
        Ok(())
    }
}
