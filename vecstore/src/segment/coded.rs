//! The codes of a new segment.

use std::borrow::Cow;

use crate::codes::{CodeTarget, Quantiser, Space, principal_axes, sketch_block};
use crate::{Config, Metric};

/// The codes of many vectors, in memory.
pub(super) struct Coded {
    pub(super) quantiser: Quantiser,
    /// Empty if codes are not those of differences from it.
    pub(super) mean: Vec<f32>,
    /// Empty if vectors are coded in their own axes.
    pub(super) axes: Vec<f32>,
    metric: Metric,
    code_len: usize,
    codes: Vec<u8>,
    norms: Vec<f32>,
}

impl Coded {
    /// The codes of the rows of all slots; a slot without a row has none. None if they cannot be coded.
    pub(super) fn new<'a>(
        config: &Config,
        rows: impl ExactSizeIterator<Item = Option<Cow<'a, [f32]>>> + Clone,
    ) -> Option<Self> {
        let &Config { dimension, metric, .. } = config;
        let mean = match metric {
            Metric::Cosine | Metric::InnerProduct => Vec::new(),
            Metric::SquaredEuclidean => mean(rows.clone().flatten(), dimension),
        };
        let mut axes = principal_axes(rows.clone(), &mean, dimension);
        let fit =
            |axes: &[f32]| Quantiser::fit(rows.clone().flatten(), Space { mean: &mean, axes });
        let mut quantiser = fit(&axes);
        if quantiser.is_none() && !axes.is_empty() {
            axes.clear();
            quantiser = fit(&axes);
        }
        let quantiser = quantiser?;
        let space = Space { mean: &mean, axes: &axes };
        let code_len = Quantiser::code_len(space.dimension(dimension));
        let mut codes = vec![0; rows.len() * code_len];
        let places = codes.chunks_exact_mut(code_len);
        let norms = rows
            .zip(places)
            .map(|(row, code)| row.map_or(0.0, |row| quantiser.encode(&row, space, code)));
        let norms = norms.collect();
        Some(Self { quantiser, mean, axes, metric, code_len, codes, norms })
    }

    pub(super) fn code(&self, slot: u32) -> &[u8] {
        &self.codes[slot as usize * self.code_len..][..self.code_len]
    }

    /// What the distance of a slot starts from.
    pub(super) fn norm(&self, slot: u32) -> f32 {
        if self.mean.is_empty() { 0.0 } else { self.norms[slot as usize] }
    }

    /// The sketches of a block of slots.
    pub(super) fn sketches(&self, slots: &[u32]) -> Vec<u8> {
        sketch_block(slots.iter().map(|&slot| self.code(slot)), self.code_len)
    }

    pub(super) fn target(&self, row: &[f32]) -> CodeTarget {
        let space = Space { mean: &self.mean, axes: &self.axes };
        self.quantiser.target(row, space, self.metric)
    }

    pub(super) fn target_of(&self, slot: u32) -> CodeTarget {
        self.quantiser.target_of(self.code(slot), self.norms[slot as usize], self.metric)
    }

    pub(super) fn distances(&self, target: &CodeTarget, slots: &[u32], distances: &mut Vec<f32>) {
        target.distances(slots, |slot| self.code(slot), |slot| self.norm(slot), distances);
    }
}

fn mean(rows: impl Iterator<Item = impl AsRef<[f32]>>, dimension: usize) -> Vec<f32> {
    let (mut sum, mut count) = (vec![0f64; dimension], 0f64);
    for row in rows {
        sum.iter_mut().zip(row.as_ref()).for_each(|(sum, &component)| *sum += f64::from(component));
        count += 1.0;
    }
    sum.into_iter().map(|sum| (sum / count) as f32).collect()
}
