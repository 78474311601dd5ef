//! What a segment and a tail have in common: records that can be searched as of a sequence number.

use crate::hnsw::Graph;
use crate::segment::TagGraph;
use crate::slot_set::SlotSet;
use crate::{Config, Result};

/// The highest number of a change that a file may name: so high that no store gets there, and so far
/// below [`u64::MAX`], which stands for never, that counting on from it has no end.
pub(crate) const MAX_SEQ: u64 = u64::MAX / 2;

/// A graph whose slots hold records, each alive over a span of sequence numbers.
pub(crate) trait Part: Graph {
    fn config(&self) -> &Config;

    /// Whether the record in a slot exists as of `seq`.
    fn visible(&self, slot: u32, seq: u64) -> bool;

    /// The slot that holds the record with an id as of `seq`.
    fn find(&self, id: u64, seq: u64) -> Option<u32>;

    /// Ends the life of the record with an id at `seq`; true if there was one.
    fn kill(&self, id: u64, seq: u64) -> bool;

    fn id(&self, slot: u32) -> u64;

    fn group(&self, slot: u32) -> Result<Option<&str>>;

    fn tags(&self, slot: u32) -> Result<Vec<&str>>;

    /// JSON; empty if the record has no payload.
    fn payload(&self, slot: u32) -> Result<&[u8]>;

    /// The slots whose records have a tag, dead ones too.
    fn tagged(&self, tag: &str) -> Result<SlotSet>;

    /// The graph of its own that a tag has, if it has one.
    fn tag_graph(&self, _tag: &str) -> Result<Option<TagGraph<'_>>> {
        Ok(None)
    }

    /// Fails if damage was met. What was read before may then be incomplete, so whoever gives an
    /// answer asks this last.
    fn intact(&self) -> Result<()>;
}
