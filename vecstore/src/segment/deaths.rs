//! Which records of a segment have died since it was written.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

/// Slots per block.
const BLOCK_SLOTS: usize = 4096;

/// The sequence number at which each slot died; memory is taken where slots die. Reading never waits.
pub(super) struct Deaths {
    slots: usize,
    blocks: OnceLock<Box<[OnceLock<Block>]>>,
}

type Block = Box<[AtomicU64]>;

impl Deaths {
    pub(super) fn new(slots: usize) -> Self {
        Self { slots, blocks: OnceLock::new() }
    }

    /// When a slot died; `u64::MAX` while it lives.
    #[inline]
    pub(super) fn of(&self, slot: u32) -> u64 {
        let Some(blocks) = self.blocks.get() else {
            return u64::MAX;
        };
        let block = blocks.get(slot as usize / BLOCK_SLOTS).and_then(OnceLock::get);
        block.map_or(u64::MAX, |block| block[slot as usize % BLOCK_SLOTS].load(Acquire))
    }

    /// Lets a slot die, once; true if it lived.
    pub(super) fn set(&self, slot: u32, seq: u64) -> bool {
        let blocks = self.blocks.get_or_init(|| {
            (0..self.slots.div_ceil(BLOCK_SLOTS)).map(|_| OnceLock::new()).collect()
        });
        let Some(block) = blocks.get(slot as usize / BLOCK_SLOTS) else {
            return false;
        };
        let block =
            block.get_or_init(|| (0..BLOCK_SLOTS).map(|_| AtomicU64::new(u64::MAX)).collect());
        block[slot as usize % BLOCK_SLOTS].compare_exchange(u64::MAX, seq, Release, Relaxed).is_ok()
    }
}
