//! Sketches of vectors: of each component of a code the highest bit, and one number. What they say of a
//! distance is rough, but 32 vectors are compared in the time that it takes to fetch one code. So where
//! many are compared one by one, most are passed over by their sketches.
//!
//! The estimate is that of RaBitQ (J. Gao and C. Long, "RaBitQ: Quantizing High-Dimensional Vectors
//! with a Theoretical Error Bound for Approximate Nearest Neighbor Search", SIGMOD 2024, section 3), and
//! its sums are read from tables of 16 bytes that stay in a register (F. André et al., "Cache locality is
//! not enough: High-Performance Nearest Neighbor Search with Product Quantization Fast Scan", VLDB 2015).

use super::bounds::{BLOCK, Bounds, LARGEST, TABLE, bounds, place, shift};
use super::kernel::Kernel;
use super::{CodeTarget, ZERO};

/// So many components share a table.
const GROUP: usize = 4;

/// A distance is so many standard deviations of its estimate above what it is taken to be at least.
const MARGIN: f32 = 2.0;

/// Bytes of the sketches of [`BLOCK`] vectors with codes of so many bytes.
pub(crate) fn block_len(code_len: usize) -> usize {
    BLOCK * size_of::<f32>() + BLOCK * code_len / 8
}

/// The sketches of up to [`BLOCK`] vectors, by their codes: for each vector what a sum of signs is
/// multiplied with, then for each four components 16 bytes, which hold the highest bits of these components
/// in all vectors.
pub(crate) fn block<'a>(codes: impl Iterator<Item = &'a [u8]>, code_len: usize) -> Vec<u8> {
    let mut factors = [0f32; BLOCK];
    let mut nibbles = vec![0; BLOCK * code_len / 8];
    for (vector, code) in codes.take(BLOCK).enumerate() {
        let levels = code.iter().map(|&level| f32::from(level) - f32::from(ZERO));
        let (squares, sizes) = levels.fold((0.0, 0.0), |(squares, sizes): (f32, f32), level| {
            (squares + level * level, sizes + level.abs())
        });
        factors[vector] = if sizes > 0.0 { squares / sizes } else { 0.0 };
        for (levels, bytes) in code.chunks_exact(GROUP).zip(nibbles.chunks_exact_mut(TABLE)) {
            let bits = (0u8..).zip(levels).map(|(bit, &level)| (level / ZERO) << bit);
            bytes[place(vector)] |= bits.sum::<u8>() << shift(vector);
        }
    }
    let mut block = bytemuck::cast_slice(&factors).to_vec();
    block.append(&mut nibbles);
    block
}

/// A vector that sketches are compared with.
pub(crate) struct SketchTarget {
    kernel: Kernel,
    bounds: Bounds,
}

impl SketchTarget {
    /// Whether this processor has instructions that make sketches pay.
    pub(crate) fn pays() -> bool {
        Kernel::best() != Kernel::Portable
    }

    pub(crate) fn new(target: &CodeTarget) -> Self {
        let CodeTarget { kernel, ref lanes, offset, scale, .. } = *target;
        let size = |lanes: &[i8]| lanes.iter().map(|&lane| f32::from(lane).abs()).sum::<f32>();
        let largest = lanes.chunks_exact(GROUP).map(size).fold(1.0, f32::max);
        // The sum of entries, each rounded up, fits 16 bits.
        let room = f32::from(u16::MAX) - (lanes.len() / GROUP) as f32;
        let step = (largest / f32::from(LARGEST)).max(size(lanes) / room);
        let mut tables = Vec::with_capacity(lanes.len() / GROUP * TABLE);
        for lanes in lanes.chunks_exact(GROUP) {
            let least: i32 = lanes.iter().map(|&lane| i32::from(lane.min(0))).sum();
            tables.extend((0..TABLE).map(|choice| {
                let chosen = (0..GROUP).filter(|place| choice >> place & 1 == 1);
                let sum: i32 = chosen.map(|place| i32::from(lanes[place])).sum();
                ((sum - least) as f32 / step + 0.5) as u8
            }));
        }
        // The sum with signs is twice that of the chosen ones, less that of all.
        let base = scale * (MARGIN * deviation(lanes) - size(lanes));
        Self { kernel, bounds: Bounds { tables, offset, scale: 2.0 * scale * step, base } }
    }

    /// Bytes of a block.
    #[inline]
    pub(crate) fn block_len(&self) -> usize {
        BLOCK * size_of::<f32>() + self.bounds.tables.len()
    }

    /// What the distances of the vectors of a block are at least, most probably; infinity for those that
    /// are not `accepted`. Gives the least of them. `norms` are what distances start from, if not from 0.
    #[inline]
    pub(crate) fn bounds(
        &self,
        block: &[u8],
        norms: &[f32],
        accepted: u32,
        found: &mut [f32; BLOCK],
    ) -> f32 {
        // Fewer bytes come from a page that is damaged, and the search fails anyway.
        let (factors, nibbles) = block.split_at(block.len().min(BLOCK * size_of::<f32>()));
        let factors = bytemuck::try_cast_slice(factors).unwrap_or_default();
        let factors = factors.first_chunk().unwrap_or(&[0.0; BLOCK]);
        let mut padded = [0.0; BLOCK];
        let norms = norms.first_chunk().unwrap_or_else(|| {
            padded[..norms.len()].copy_from_slice(norms);
            &padded
        });
        bounds(self.kernel, &self.bounds, factors, nibbles, norms, accepted, found)
    }
}

/// The standard deviation of the sum of components with the signs of another vector: after a random rotation
/// the cosine of a vector and its signs is sqrt(2/pi), and what its signs have beside it points anywhere.
fn deviation(lanes: &[i8]) -> f32 {
    let squares: f32 = lanes.iter().map(|&lane| f32::from(lane).powi(2)).sum();
    ((1.0 - std::f32::consts::FRAC_2_PI) * squares).sqrt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Metric;
    use crate::codes::{Quantiser, Space};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn bounds_lie_a_little_below_most_distances(
            rows in (32..1500usize, -1f32..1.0).prop_flat_map(|(dimension, off)| {
                let row = proptest::collection::vec(off - 1.0..off + 1.0, dimension);
                proptest::collection::vec(row, 65..100)
            }),
            metric in 0..2usize,
        ) {
            let metric = [Metric::InnerProduct, Metric::SquaredEuclidean][metric];
            let dimension = rows[0].len();
            let mean = if metric == Metric::SquaredEuclidean { rows[0].clone() } else { Vec::new() };
            let space = Space { mean: &mean, axes: &[] };
            let quantiser = Quantiser::fit(rows.iter(), space).unwrap();
            let code_len = Quantiser::code_len(dimension);
            let mut codes = vec![0; rows.len() * code_len];
            let norms: Vec<f32> = rows
                .iter()
                .zip(codes.chunks_exact_mut(code_len))
                .map(|(row, code)| quantiser.encode(row, space, code))
                .collect();
            let norms = if mean.is_empty() { vec![0.0; rows.len()] } else { norms };

            let (mut below, mut far_below, mut all) = (0, 0, 0);
            for query in &rows[..20] {
                let target = quantiser.target(query, space, metric);
                let sketch = SketchTarget::new(&target);
                let mut distances = Vec::new();
                let slots: Vec<u32> = (0..rows.len() as u32).collect();
                let code = |slot: u32| &codes[slot as usize * code_len..][..code_len];
                target.distances(&slots, code, |slot| norms[slot as usize], &mut distances);
                let margin = target.scale * MARGIN * deviation(&target.lanes);
                for (number, codes) in codes.chunks(BLOCK * code_len).enumerate() {
                    let block = block(codes.chunks_exact(code_len), code_len);
                    prop_assert_eq!(block.len(), block_len(code_len));
                    prop_assert_eq!(block.len(), sketch.block_len());
                    let mut bounds = [0.0; BLOCK];
                    let first = number * BLOCK;
                    let last = rows.len().min(first + BLOCK);
                    let least = sketch.bounds(&block, &norms[first..last], u32::MAX, &mut bounds);
                    prop_assert_eq!(least, bounds.into_iter().fold(f32::INFINITY, f32::min));
                    let factors: &[f32] = bytemuck::cast_slice(&block[..BLOCK * 4]);
                    let distances = &distances[first..last];
                    for ((&distance, bound), factor) in distances.iter().zip(bounds).zip(factors) {
                        all += 1;
                        below += usize::from(bound <= distance);
                        far_below += usize::from(bound + 2.0 * factor * margin < distance);
                    }
                }
            }
            prop_assert!(below * 100 >= all * 95, "{below} of {all}");
            prop_assert!(far_below * 100 <= all * 5, "{far_below} of {all}");
        }
    }
}
