//! The order in which the slots of a graph are written.

use crate::Config;
use crate::hnsw::{Graph, MAX_LEVELS, NO_LINK};

/// The order in which the slots of a graph are written: by descending layer, so that a layer is a prefix.
pub(super) struct FileOrder {
    pub(super) slots: Vec<u32>,
    /// The place in the file of each slot; [`NO_LINK`] for one that is not written.
    pub(super) places: Vec<u32>,
    /// How many slots reach each layer.
    pub(super) layers: [u32; MAX_LEVELS],
}

impl FileOrder {
    /// Of slots in the order that they are to have, of a graph of `len`.
    pub(super) fn new(slots: Vec<u32>, len: usize, level: impl Fn(u32) -> usize) -> Self {
        let layers =
            std::array::from_fn(|layer| slots.partition_point(|&slot| level(slot) >= layer) as u32);
        let mut places = vec![NO_LINK; len];
        for (place, &slot) in (0..).zip(&slots) {
            places[slot as usize] = place;
        }
        Self { slots, places, layers }
    }

    /// The links of all slots, as they are written: by layer, each list filled up with [`NO_LINK`].
    pub(super) fn lists<G: Graph>(
        &self,
        graph: &G,
        config: &Config,
    ) -> impl Iterator<Item = Vec<u8>> {
        self.layers.iter().enumerate().flat_map(move |(level, &slots)| {
            self.slots[..slots as usize].iter().map(move |&slot| {
                let width = config.max_links(level);
                let mut list = Vec::with_capacity(4 * width);
                graph.for_each_link(slot, level, |link| {
                    list.extend(self.places[link as usize].to_le_bytes());
                });
                list.resize(4 * width, NO_LINK as u8);
                list
            })
        })
    }
}
