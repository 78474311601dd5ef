//! How two vectors are compared.

use serde::{Deserialize, Serialize};
use simsimd::SpatialSimilarity;

use crate::row::Row;
use crate::{Error, Result};

/// How two vectors are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The cosine of the angle between the vectors, -1 to 1; higher is nearer.
    /// Vectors are kept normalised: reading one back gives the unit vector.
    Cosine,
    /// The inner product; higher is nearer.
    InnerProduct,
    /// The squared Euclidean distance; lower is nearer.
    SquaredEuclidean,
}

impl Metric {
    /// Checks a vector from outside and brings it into the form that is kept and compared:
    /// the unit vector for [`Metric::Cosine`], the vector itself otherwise.
    pub(crate) fn prepare(self, vector: &[f32], dimension: usize) -> Result<Box<[f32]>> {
        if vector.len() != dimension {
            return Err(Error::WrongDimension { expected: dimension, got: vector.len() });
        }
        // In f64 the squares of all finite f32 values are finite, and those of non-zero ones non-zero.
        let square = square(vector);
        if !square.is_finite()
            && let Some(position) = vector.iter().position(|value| !value.is_finite())
        {
            return Err(Error::NotFinite { position, value: vector[position] });
        }
        if self != Self::Cosine {
            return Ok(vector.into());
        }
        let norm = square.sqrt();
        if norm == 0.0 {
            return Err(Error::ZeroVector);
        }
        Ok(vector.iter().map(|&value| (f64::from(value) / norm) as f32).collect())
    }

    /// The distance between a prepared vector and a row of the same length; lower is nearer for every
    /// metric.
    #[inline]
    pub(crate) fn distance(self, vector: &[f32], row: Row<'_>) -> f32 {
        let distance = match self {
            Self::Cosine | Self::InnerProduct => row.sum(vector, f32::dot).map(|dot| -dot),
            Self::SquaredEuclidean => row.sum(vector, f32::l2sq),
        };
        distance.map_or(f32::INFINITY, |distance| distance as f32)
    }

    /// The distance of what lies farther by a factor. The inner product knows no such thing, so that
    /// distance stays as it is.
    pub(crate) fn scaled(self, distance: f32, factor: f32) -> f32 {
        match self {
            // Between unit vectors the square of the Euclidean distance is 2 - 2 cos.
            Self::Cosine => factor * (1.0 + distance) - 1.0,
            Self::InnerProduct => distance,
            Self::SquaredEuclidean => factor * distance,
        }
    }

    /// The figure that the metric's documentation promises, from a [`distance`](Self::distance).
    pub(crate) fn score(self, distance: f32) -> f32 {
        match self {
            Self::Cosine => (-distance).clamp(-1.0, 1.0),
            Self::InnerProduct => -distance,
            Self::SquaredEuclidean => distance,
        }
    }

    /// The distance of which [`score`](Self::score) makes this figure.
    pub(crate) fn distance_of(self, score: f32) -> f32 {
        match self {
            Self::Cosine | Self::InnerProduct => -score,
            Self::SquaredEuclidean => score,
        }
    }
}

impl std::fmt::Display for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Cosine => "cosine",
            Self::InnerProduct => "inner product",
            Self::SquaredEuclidean => "squared Euclidean",
        })
    }
}

/// The square of a vector's length.
fn square(vector: &[f32]) -> f64 {
    // Several sums, so that an addition need not wait for the one before.
    const LANES: usize = 16;
    let (blocks, rest) = vector.as_chunks::<LANES>();
    let mut sums = [0f64; LANES];
    for block in blocks {
        for (sum, &value) in sums.iter_mut().zip(block) {
            *sum += f64::from(value).powi(2);
        }
    }
    let rest = rest.iter().map(|&value| f64::from(value).powi(2));
    sums.into_iter().chain(rest).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pair() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
        (1..300usize).prop_flat_map(|dimension| {
            let vector = || proptest::collection::vec(-10.0f32..10.0, dimension);
            (vector(), vector())
        })
    }

    proptest! {
        #[test]
        fn kernels_agree_with_the_definition((a, b) in pair()) {
            let terms = || a.iter().zip(&b).map(|(&a, &b)| (f64::from(a), f64::from(b)));
            let dot: f64 = terms().map(|(a, b)| a * b).sum();
            let l2sq: f64 = terms().map(|(a, b)| (a - b).powi(2)).sum();
            // The rounding error of a sum grows with the sum of the magnitudes of its terms.
            let bound = 1e-5 * (1.0 + terms().map(|(a, b)| (a * b).abs().max((a - b).powi(2))).sum::<f64>());
            let b = Row::F32(&b);
            prop_assert!((f64::from(Metric::InnerProduct.distance(&a, b)) + dot).abs() < bound);
            prop_assert!((f64::from(Metric::SquaredEuclidean.distance(&a, b)) - l2sq).abs() < bound);
        }

        #[test]
        fn cosine_vectors_become_unit_vectors((a, _) in pair(), exponent in -40..38i32) {
            let scaled: Vec<f32> = a.iter().map(|&x| x * 10f32.powi(exponent) / 10.0).collect();
            prop_assume!(scaled.iter().any(|&x| x != 0.0));
            let unit = Metric::Cosine.prepare(&scaled, scaled.len()).unwrap();
            let norm: f32 = unit.iter().map(|x| x * x).sum();
            prop_assert!((norm - 1.0).abs() < 1e-5, "{}", norm);
        }
    }

    #[test]
    fn unfit_vectors_are_refused() {
        let prepare = |vector: &[f32]| Metric::Cosine.prepare(vector, 2);
        assert!(matches!(prepare(&[1.0]), Err(Error::WrongDimension { expected: 2, got: 1 })));
        assert!(matches!(prepare(&[1.0, f32::NAN]), Err(Error::NotFinite { position: 1, .. })));
        assert!(matches!(
            prepare(&[f32::INFINITY, 0.0]),
            Err(Error::NotFinite { position: 0, .. })
        ));
        assert!(matches!(prepare(&[0.0, -0.0]), Err(Error::ZeroVector)));
        assert!(Metric::SquaredEuclidean.prepare(&[0.0, 0.0], 2).is_ok());
    }
}
