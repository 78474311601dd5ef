//! Short codes of vectors, which a search compares instead of the vectors themselves: less memory is
//! read, and that is what a search takes its time for. The few best are compared again in full.
//!
//! A code holds the components of the rotated vector, rounded to 8 bits. This is scalar
//! quantisation after a random rotation, as in RaBitQ (J. Gao et al., "Practical and Asymptotically
//! Optimal Quantization of High-Dimensional Vectors in Euclidean Space for Approximate Nearest Neighbor
//! Search", SIGMOD 2025, section 3), with one scale for all vectors.

mod bounds;
mod kernel;
mod rotation;
mod sketch;
mod space;

pub(crate) use self::bounds::BLOCK as SKETCHED;
pub(crate) use self::kernel::prefetch;
use self::kernel::{BATCH, Kernel, LINE};
pub(crate) use self::sketch::{SketchTarget, block as sketch_block, block_len as sketch_len};
use self::space::{MAX_LOSS, dot};
pub(crate) use self::space::{Space, principal_axes};
use crate::Metric;

/// A component lies between so many levels below and above zero.
const LEVELS: f32 = 127.0;

/// A component must be so many levels on average, or vectors are compared without codes.
const MIN_LEVELS: f32 = 5.0;

/// The level of zero.
const ZERO: u8 = 128;

/// How vectors become codes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quantiser {
    /// The distance between two neighbouring values of a component.
    pub(crate) step: f32,
}

/// A vector that codes are compared with.
pub(crate) struct CodeTarget {
    kernel: Kernel,
    /// The components, rounded and padded.
    lanes: Vec<i8>,
    /// 128 times their sum, which some kernels count with.
    zero: i32,
    /// The distance is `offset` + norm - `scale` * what the kernel gives.
    offset: f32,
    scale: f32,
    /// How far a distance by code is from the true one: the standard deviation.
    pub(crate) deviation: f32,
}

impl Quantiser {
    /// The finest quantiser that cuts no component of any row; none if that is too coarse, because a
    /// few are so much larger than the others, if they cannot be counted with, or if some row does not lie
    /// in the space.
    pub(crate) fn fit(
        rows: impl Iterator<Item = impl AsRef<[f32]>>,
        space: Space<'_>,
    ) -> Option<Self> {
        let (mut most, mut squares, mut count) = (0f32, 0f64, 0usize);
        for row in rows {
            let rotated = space.rotated(row.as_ref());
            most = most.max(largest(&rotated));
            let square = square(&rotated);
            if space.loses(row.as_ref(), square) > MAX_LOSS * square {
                return None;
            }
            squares += f64::from(square);
            count += rotated.len();
        }
        let (step, typical) = (most / LEVELS, (squares / count as f64).sqrt() as f32);
        let fits = step.is_normal() && typical.is_finite() && typical >= MIN_LEVELS * step;
        fits.then_some(Self { step })
    }

    /// Bytes of a code.
    pub(crate) fn code_len(dimension: usize) -> usize {
        dimension.next_multiple_of(LINE)
    }

    /// Writes the code of a prepared vector, and returns the square of its distance from the mean.
    pub(crate) fn encode(&self, row: &[f32], space: Space<'_>, code: &mut [u8]) -> f32 {
        let rotated = space.rotated(row);
        code.fill(ZERO);
        let scale = 1.0 / self.step;
        for (level, component) in code.iter_mut().zip(&rotated) {
            *level = level_of(component * scale);
        }
        square(&rotated)
    }

    /// Prepares a vector for being compared with codes.
    pub(crate) fn target(&self, row: &[f32], space: Space<'_>, metric: Metric) -> CodeTarget {
        let rotated = space.rotated(row);
        let largest = largest(&rotated);
        let unit = if largest > 0.0 { largest / LEVELS } else { 1.0 };
        let scale = 1.0 / unit;
        let levels = rotated.iter().map(|x| level_of(x * scale));
        let mut lanes: Vec<_> = levels.map(|level| (level ^ ZERO) as i8).collect();
        lanes.resize(Self::code_len(rotated.len()), 0);
        let norm = dot(&rotated, &rotated);
        let mut target = self.with_lanes(lanes, unit, norm, metric);
        // The most that can be lost of the product with a vector of the same length.
        let lost = (space.loses(row, norm).max(0.0) * MAX_LOSS * norm).sqrt();
        target.deviation = target.deviation.hypot(metric_factor(metric) * lost);
        target
    }

    /// The target for a vector whose code and squared distance from the mean are known.
    pub(crate) fn target_of(&self, code: &[u8], norm: f32, metric: Metric) -> CodeTarget {
        let lanes = code.iter().map(|&level| (level ^ ZERO) as i8).collect();
        self.with_lanes(lanes, self.step, norm, metric)
    }

    fn with_lanes(&self, lanes: Vec<i8>, unit: f32, norm: f32, metric: Metric) -> CodeTarget {
        let sum: i32 = lanes.iter().map(|&lane| i32::from(lane)).sum();
        let factor = metric_factor(metric);
        let offset = if metric == Metric::SquaredEuclidean { norm } else { 0.0 };
        // What is rounded off of the code and of this vector, as if both were of the same length: to
        // round to a multiple of a unit is off by 1/sqrt(12) of it.
        let error = ((self.step.powi(2) + unit.powi(2)) / 12.0).sqrt();
        let deviation = factor * norm.sqrt() * error;
        let kernel = Kernel::best();
        let scale = factor * unit * self.step;
        CodeTarget { kernel, lanes, zero: i32::from(ZERO) * sum, offset, scale, deviation }
    }
}

impl CodeTarget {
    /// Appends the distances of slots by their codes. `norm` gives what the distance of a slot
    /// starts from: under [`Metric::SquaredEuclidean`] the square of its distance from the mean, 0
    /// otherwise.
    #[inline]
    pub(crate) fn distances<'a>(
        &self,
        slots: &[u32],
        code: impl Fn(u32) -> &'a [u8],
        norm: impl Fn(u32) -> f32,
        distances: &mut Vec<f32>,
    ) {
        const NONE: &[u8] = &[];
        let mut codes = [NONE; BATCH];
        for slots in slots.chunks(BATCH) {
            for (place, &slot) in codes.iter_mut().zip(slots) {
                *place = code(slot);
            }
            let first = codes[0];
            codes[slots.len()..].fill(first);
            let dots = self.kernel.dots(&self.lanes, self.zero, &codes);
            let distance = |(&slot, dot)| norm(slot) + self.distance(dot);
            distances.extend(slots.iter().zip(dots).map(distance));
        }
    }

    /// Bytes of a code.
    #[inline]
    pub(crate) fn code_len(&self) -> usize {
        self.lanes.len()
    }

    #[inline]
    fn distance(&self, dot: i32) -> f32 {
        self.offset - self.scale * dot as f32
    }
}

/// The nearest level.
#[inline]
fn level_of(component: f32) -> u8 {
    // To add a half and cut off is to round, and takes no call.
    (component.clamp(-LEVELS, LEVELS) + f32::from(ZERO) + 0.5) as u8
}

/// How often the inner product is in the distance.
fn metric_factor(metric: Metric) -> f32 {
    match metric {
        Metric::Cosine | Metric::InnerProduct => 1.0,
        Metric::SquaredEuclidean => 2.0,
    }
}

/// The largest component, whatever its sign.
fn largest(vector: &[f32]) -> f32 {
    // The bits of numbers that are not negative are in the order of the numbers, and to compare whole
    // numbers takes no care for NaN: several are compared at once.
    let bits = vector.iter().map(|x| x.abs().to_bits());
    f32::from_bits(bits.max().unwrap_or_default())
}

/// By one sum: norms in files are checked by making them again.
fn square(vector: &[f32]) -> f32 {
    vector.iter().map(|x| x * x).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::row::Row;

    const WHOLE: Space<'_> = Space { mean: &[], axes: &[] };
    const METRICS: [Metric; 3] = [Metric::Cosine, Metric::InnerProduct, Metric::SquaredEuclidean];

    /// A few hundred vectors of one dimension, off the origin and of unequal lengths.
    fn rows() -> impl Strategy<Value = Vec<Vec<f32>>> {
        (32..300usize, -2f32..2.0).prop_flat_map(|(dimension, off)| {
            let row = proptest::collection::vec(off - 1.0..off + 1.0, dimension);
            proptest::collection::vec(row, 100..300)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn distances_by_code_are_near_the_true_ones(rows in rows(), metric in 0..3usize) {
            let metric = METRICS[metric];
            let dimension = rows[0].len();
            let rows: Vec<_> = rows.iter().map(|row| metric.prepare(row, dimension).unwrap()).collect();
            let mean = match metric {
                Metric::SquaredEuclidean => rows[0].to_vec(),
                _ => Vec::new(),
            };
            let space = Space { mean: &mean, axes: &[] };
            let quantiser = Quantiser::fit(rows.iter().map(|row| &row[..]), space).unwrap();
            let mut codes = vec![0; rows.len() * Quantiser::code_len(dimension)];
            let codes_of = codes.chunks_exact_mut(Quantiser::code_len(dimension));
            let norms: Vec<_> =
                rows.iter().zip(codes_of).map(|(row, code)| quantiser.encode(row, space, code)).collect();
            let code = |slot: u32| {
                &codes[slot as usize * Quantiser::code_len(dimension)..][..Quantiser::code_len(dimension)]
            };
            let norm = |slot: u32| if mean.is_empty() { 0.0 } else { norms[slot as usize] };
            let slots: Vec<_> = (0..rows.len() as u32).collect();
            let mut off = 0;
            for (row, slot) in rows.iter().zip(0..).take(10) {
                let by_row = quantiser.target(row, space, metric);
                let by_code = quantiser.target_of(code(slot), norms[slot as usize], metric);
                for target in [by_row, by_code] {
                    let mut distances = Vec::new();
                    target.distances(&slots, code, norm, &mut distances);
                    prop_assert_eq!(distances.len(), rows.len());
                    let bound = |true_one: f32| 6.0 * target.deviation + 1e-4 * true_one.abs();
                    let far = distances.iter().zip(&rows).filter(|&(&distance, other)| {
                        let true_one = metric.distance(row, Row::F32(other));
                        (distance - true_one).abs() > bound(true_one)
                    });
                    off += far.count();
                }
            }
            prop_assert!(off <= rows.len() / 100, "{} of {}", off, 20 * rows.len());
        }
    }

    #[test]
    fn vectors_that_cannot_be_counted_with_are_not_coded() {
        let fit = |component: f32| {
            let row = vec![component; 64];
            Quantiser::fit([&row[..]; 3].into_iter(), WHOLE)
        };
        assert!(fit(1e38).is_none());
        assert!(fit(0.0).is_none());
        assert!(fit(1e-38).is_none());
        assert!(fit(1.0).is_some());
        let (row, outlier) = (vec![1.0; 64], vec![1000.0; 64]);
        assert!(Quantiser::fit([&row[..], &outlier].into_iter(), WHOLE).is_some());
        let mut rows = vec![&row[..]; 10_000];
        rows.push(&outlier);
        assert!(Quantiser::fit(rows.into_iter(), WHOLE).is_none());
    }
}
