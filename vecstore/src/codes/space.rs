//! Where the vectors of a segment lie: around their mean, often in few of the directions that there are.

use faer::{MatRef, Side};

use super::kernel::LINE;
use super::rotation;

/// Of more components finding a subspace would take too long.
const MAX_DIMENSION: usize = 1024;

/// So many vectors for each component tell which subspace it is.
const SAMPLES: usize = 4;

/// No vector may lose more of its square than this in the subspace, so that what is lost of the inner product
/// of two is less than what rounding to 8 bits changes.
pub(super) const MAX_LOSS: f32 = 1.0 / 8192.0;

/// Vectors of a sample lose so much less on average.
const MEAN_LOSS: f32 = MAX_LOSS / 4.0;

/// The origin and the axes in which vectors are coded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Space<'a> {
    /// The origin; if empty, it is zero.
    pub(crate) mean: &'a [f32],
    /// Orthonormal axes, one after another; if empty, they are those of the vectors.
    pub(crate) axes: &'a [f32],
}

impl Space<'_> {
    /// How many axes there are, for vectors of some dimension.
    pub(crate) fn dimension(&self, of_vectors: usize) -> usize {
        if self.axes.is_empty() { of_vectors } else { self.axes.len() / of_vectors }
    }

    /// A vector in this space, randomly rotated in it.
    pub(super) fn rotated(&self, row: &[f32]) -> Vec<f32> {
        let mut rotated = self.centred(row);
        if !self.axes.is_empty() {
            rotated = self.axes.chunks_exact(row.len()).map(|axis| dot(axis, &rotated)).collect();
        }
        rotation::rotate(&mut rotated);
        rotated
    }

    /// How much of the square of a vector is not in this space, in which it is `square`.
    pub(super) fn loses(&self, row: &[f32], square: f32) -> f32 {
        if self.axes.is_empty() {
            return 0.0;
        }
        let centred = self.centred(row);
        dot(&centred, &centred) - square
    }

    fn centred(&self, row: &[f32]) -> Vec<f32> {
        let mut centred = row.to_vec();
        centred.iter_mut().zip(self.mean).for_each(|(component, mean)| *component -= mean);
        centred
    }
}

/// The inner product, by the same sums in the same order on every processor: codes are checked by making
/// them again.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0f32; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// Axes of the smallest subspace, by whole cache lines of codes, that nearly all of the vectors lies in: the
/// principal components of a sample of them. Empty if that is the whole space.
pub(crate) fn principal_axes(
    rows: impl ExactSizeIterator<Item = Option<impl AsRef<[f32]>>>,
    mean: &[f32],
    dimension: usize,
) -> Vec<f32> {
    if dimension <= LINE || dimension > MAX_DIMENSION {
        return Vec::new();
    }
    let step = rows.len().div_ceil(SAMPLES * dimension).max(1);
    let origin = Space { mean, axes: &[] };
    let sample = rows.step_by(step).flatten();
    let sample: Vec<f32> = sample.flat_map(|row| origin.centred(row.as_ref())).collect();
    let sample = MatRef::from_row_major_slice(&sample, sample.len() / dimension, dimension);
    let moments = sample.transpose() * sample;
    let Ok(eigen) = moments.self_adjoint_eigen(Side::Lower) else { return Vec::new() };
    // In ascending order.
    let values: Vec<f32> = eigen.S().column_vector().iter().map(|value| value.max(0.0)).collect();
    let most = MEAN_LOSS * values.iter().sum::<f32>();
    if !(most.is_finite() && most > 0.0) {
        return Vec::new();
    }
    let loses_little = |kept: &usize| values[..dimension - kept].iter().sum::<f32>() <= most;
    let Some(kept) = (LINE..dimension).step_by(LINE).find(loses_little) else { return Vec::new() };
    let vectors = eigen.U();
    let axis = |number: usize| vectors.col(dimension - 1 - number).iter().copied();
    (0..kept).flat_map(axis).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Quantiser;
    use super::*;
    use crate::mix::mix;

    /// Vectors of 200 components around 1, which lie in 100 directions, but for a share of the last of them.
    fn rows(count: u64, outside: f32) -> Vec<Vec<f32>> {
        let random = |row: u64, place: u64| mix(row << 32 | place) as u32 as f32 / 2f32.powi(32);
        let vector = |row| {
            let inside: Vec<_> = (0..100).map(|place| random(row, place)).collect();
            let other = |place| if row + 1 == count { outside * random(row, place) } else { 0.0 };
            let component = |place: u64| 1.0 + inside[place as usize % 100] + other(place);
            (0..200).map(component).collect()
        };
        (0..count).map(vector).collect()
    }

    fn axes(rows: &[Vec<f32>], mean: &[f32]) -> Vec<f32> {
        principal_axes(rows.iter().map(Some), mean, 200)
    }

    #[test]
    fn a_subspace_is_found_and_nothing_is_lost_in_it() {
        let rows = rows(3000, 0.0);
        for mean in [&[][..], &rows[0]] {
            let axes = axes(&rows, mean);
            let space = Space { mean, axes: &axes };
            assert_eq!(space.dimension(200), 128);
            for (number, axis) in axes.chunks_exact(200).enumerate() {
                for (other, one) in axes.chunks_exact(200).enumerate() {
                    let expected = f32::from(u8::from(number == other));
                    assert!((dot(axis, one) - expected).abs() < 1e-4);
                }
            }
            for row in &rows[..100] {
                let rotated = space.rotated(row);
                let square = dot(&rotated, &rotated);
                assert!(space.loses(row, square).abs() <= 1e-4 * square);
            }
        }
    }

    #[test]
    fn a_vector_outside_is_noticed() {
        let all_inside = rows(3000, 0.0);
        let axes = axes(&all_inside, &[]);
        let fit = |rows: &[Vec<f32>], axes: &[f32]| {
            Quantiser::fit(rows.iter(), Space { mean: &[], axes }).is_some()
        };
        assert!(fit(&all_inside, &axes));
        let one_outside = rows(3000, 1.0);
        assert!(!fit(&one_outside, &axes));
        assert!(fit(&one_outside, &[]));
    }

    #[test]
    fn vectors_that_fill_the_space_have_no_axes() {
        let row =
            |row: u64| -> Vec<f32> { (0..200).map(|i| mix(row << 32 | i) as i32 as f32).collect() };
        assert!(axes(&(0..3000).map(row).collect::<Vec<_>>(), &[]).is_empty());
        // Nor those of which there is nothing to tell.
        assert!(axes(&vec![vec![0.0; 200]; 100], &[]).is_empty());
        assert!(axes(&vec![vec![f32::MAX; 200]; 100], &[]).is_empty());
        assert!(principal_axes([None::<[f32; 200]>; 3].into_iter(), &[], 200).is_empty());
        assert!(principal_axes([Some([1.0; 40])].into_iter(), &[], 40).is_empty());
    }
}
