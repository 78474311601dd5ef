//! Vectors as they are kept.

use std::borrow::Cow;

use half::f16;
use half::slice::HalfFloatSliceExt;
use serde::{Deserialize, Serialize};

use crate::codes::prefetch;
use crate::{Error, Result};

/// How a store keeps the components of its vectors.
///
/// What [`F16`](Self::F16) does to a search: a component keeps eleven binary digits, so the cosine of two
/// vectors changes by about 0.0001 or less, and two neighbours change places only where their scores
/// are that near to each other. `benches ann --rows f16` prints the recall against the exact nearest of
/// the vectors as they were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowFormat {
    /// As they are given: 32 bits each.
    #[default]
    F32,
    /// Rounded to IEEE 754 half precision, 16 bits each, when they are inserted. A component may be 65,504
    /// at most, in absolute value.
    F16,
}

impl RowFormat {
    /// Bytes of a component.
    pub(crate) fn width(self) -> usize {
        match self {
            Self::F32 => size_of::<f32>(),
            Self::F16 => size_of::<f16>(),
        }
    }

    /// Rounds finite components to what is kept of them.
    pub(crate) fn round(self, row: &mut [f32]) -> Result<()> {
        if self == Self::F32 {
            return Ok(());
        }
        for (position, component) in row.iter_mut().enumerate() {
            let rounded = f16::from_f32(*component);
            if !rounded.is_finite() {
                return Err(Error::OutOfRange { position, value: *component, limit: LIMIT });
            }
            *component = rounded.to_f32();
        }
        Ok(())
    }
}

impl std::fmt::Display for RowFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
        })
    }
}

/// The largest number of half precision.
const LIMIT: f32 = 65_504.0;

/// A vector as it is kept: a row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Row<'a> {
    F32(&'a [f32]),
    F16(&'a [f16]),
}

impl<'a> Row<'a> {
    /// The components.
    pub(crate) fn to_f32(self) -> Cow<'a, [f32]> {
        match self {
            Self::F32(row) => row.into(),
            Self::F16(row) => row.to_f32_vec().into(),
        }
    }

    /// The bytes of the row in a file. What is kept as f16 was rounded before, so nothing is lost.
    pub(crate) fn bytes(self, format: RowFormat) -> Cow<'a, [u8]> {
        match (self, format) {
            (Self::F32(row), RowFormat::F32) => bytemuck::cast_slice(row).into(),
            (Self::F16(row), RowFormat::F16) => bytemuck::cast_slice(row).into(),
            (Self::F32(row), RowFormat::F16) => {
                row.iter().flat_map(|&it| f16::from_f32(it).to_le_bytes()).collect()
            }
            (Self::F16(row), RowFormat::F32) => {
                row.iter().flat_map(|it| it.to_f32().to_le_bytes()).collect()
            }
        }
    }

    /// Adds up what `sum` gives for a vector and the row, piece by piece; nothing if they are of different
    /// lengths, or if `sum` gives nothing.
    #[inline]
    pub(crate) fn sum(self, a: &[f32], sum: impl Fn(&[f32], &[f32]) -> Option<f64>) -> Option<f64> {
        match self {
            Self::F32(row) => sum(a, row),
            Self::F16(row) if a.len() == row.len() => {
                let mut wide = [0.0; PIECE];
                let pieces = a.chunks(PIECE).zip(row.chunks(PIECE));
                let sums = pieces.map(|(a, piece)| {
                    let wide = &mut wide[..piece.len()];
                    piece.convert_to_f32_slice(wide);
                    sum(a, wide)
                });
                sums.sum()
            }
            Self::F16(_) => None,
        }
    }

    /// Says that the row will be read soon.
    #[inline]
    pub(crate) fn prefetch(self) {
        match self {
            Self::F32(row) => prefetch(row),
            Self::F16(row) => prefetch(row),
        }
    }
}

/// So many components are made wide at once.
const PIECE: usize = 256;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Metric;

    proptest! {
        #[test]
        fn rounded_rows_are_kept_exactly(
            mut row in proptest::collection::vec(-65_504f32..65_504.0, 1..600),
            exponent in -30..1i32,
        ) {
            row.iter_mut().for_each(|component| *component *= 2f32.powi(exponent));
            let given = row.clone();
            RowFormat::F16.round(&mut row).unwrap();
            for (given, kept) in given.iter().zip(&row) {
                // Eleven digits, or where they would be smaller than any, a multiple of 2^-24.
                prop_assert!((given - kept).abs() <= (given.abs() / 2048.0).max(2f32.powi(-25)));
            }
            let bytes = Row::F32(&row).bytes(RowFormat::F16).into_owned();
            let halves: Vec<f16> = bytemuck::pod_collect_to_vec(&bytes);
            let kept = Row::F16(&halves);
            prop_assert_eq!(&*kept.to_f32(), &row[..]);
            prop_assert_eq!(kept.bytes(RowFormat::F16), bytes);
            prop_assert_eq!(kept.bytes(RowFormat::F32), Row::F32(&row).bytes(RowFormat::F32));
            for metric in [Metric::Cosine, Metric::SquaredEuclidean] {
                let [narrow, wide] = [kept, Row::F32(&row)].map(|row| metric.distance(&given, row));
                prop_assert!((narrow - wide).abs() <= 1e-5 * wide.abs().max(1e-20), "{narrow} {wide}");
            }
        }
    }

    #[test]
    fn what_half_precision_cannot_hold_is_refused() {
        let round = |mut row: Vec<f32>| RowFormat::F16.round(&mut row).map(|()| row);
        assert_eq!(round(vec![65_504.0, -65_519.9]).unwrap(), [65_504.0, -65_504.0]);
        assert!(matches!(
            round(vec![0.0, -65_520.0]),
            Err(Error::OutOfRange { position: 1, value: -65_520.0, .. })
        ));
    }

    #[test]
    fn rows_of_other_lengths_have_no_distance() {
        let row = [f16::ONE; 3];
        assert_eq!(Metric::Cosine.distance(&[1.0; 4], Row::F16(&row)), f32::INFINITY);
        assert_eq!(Metric::Cosine.distance(&[1.0; 4], Row::F32(&[1.0; 3])), f32::INFINITY);
    }
}
