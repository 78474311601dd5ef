//! A random rotation, so that every component of a vector carries about as much as every other.

use crate::mix::{GOLDEN, mix};

/// Rotates a vector in place: a randomised Hadamard transform, that is, random signs, then a fast
/// Walsh-Hadamard transform, several times over (N. Ailon and B. Chazelle, "The Fast
/// Johnson-Lindenstrauss Transform", SIAM J. Comput. 2009). It takes O(d log d), and nothing of it
/// has to be stored. Where the dimension is no power of two, the transform is applied to its
/// first components and then to its last ones, as many each as a power of two fits.
pub(super) fn rotate(vector: &mut [f32]) {
    let Some(log) = vector.len().checked_ilog2() else { return };
    let (len, last) = (1 << log, vector.len() - (1 << log));
    for round in 0..ROUNDS {
        flip_signs(vector, 2 * round);
        hadamard(&mut vector[..len]);
        if last > 0 {
            flip_signs(vector, 2 * round + 1);
            hadamard(&mut vector[last..]);
        }
    }
}

/// Two rounds spread even a single component over all.
const ROUNDS: u64 = 2;

/// Changes the sign of about half of the components, the same ones in every vector.
fn flip_signs(vector: &mut [f32], round: u64) {
    for (word, components) in (0u64..).zip(vector.chunks_mut(64)) {
        let bits = mix((round << 32 | word).wrapping_add(1).wrapping_mul(GOLDEN));
        for (place, component) in components.iter_mut().enumerate() {
            let sign = ((bits >> place) as u32 & 1) << 31;
            *component = f32::from_bits(component.to_bits() ^ sign);
        }
    }
}

/// The orthonormal Walsh-Hadamard transform of a vector whose length is a power of two.
fn hadamard(vector: &mut [f32]) {
    let (blocks, _) = vector.as_chunks_mut::<BLOCK>();
    // With a length that the compiler knows, the short steps are shuffles of registers.
    blocks.iter_mut().for_each(|block| sums_and_differences(block, 1));
    let done = if blocks.is_empty() { 1 } else { BLOCK };
    sums_and_differences(vector, done);
    let scale = 1.0 / (vector.len() as f32).sqrt();
    vector.iter_mut().for_each(|component| *component *= scale);
}

/// A power of two.
const BLOCK: usize = 16;

/// The steps of the transform from components that lie `half` apart on.
#[inline(always)]
fn sums_and_differences(vector: &mut [f32], mut half: usize) {
    while half < vector.len() {
        for block in vector.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (a, b) in low.iter_mut().zip(high) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dot(a: &[f32], b: &[f32]) -> f64 {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    }

    proptest! {
        #[test]
        fn inner_products_stay(
            (mut a, mut b) in (1..300usize).prop_flat_map(|dimension| {
                let vector = || proptest::collection::vec(-10.0f32..10.0, dimension);
                (vector(), vector())
            })
        ) {
            let (before, bound) = (dot(&a, &b), 1e-5 * (1.0 + (dot(&a, &a) * dot(&b, &b)).sqrt()));
            rotate(&mut a);
            rotate(&mut b);
            prop_assert!((dot(&a, &b) - before).abs() < bound);
        }
    }

    #[test]
    fn one_large_component_is_spread_over_all() {
        for dimension in [64, 100, 128, 384, 768] {
            for place in [0, 1, dimension / 2, dimension - 1] {
                let mut vector = vec![0.0; dimension];
                vector[place] = 1.0;
                rotate(&mut vector);
                let largest = vector.iter().fold(0f32, |largest, x| largest.max(x.abs()));
                assert!(largest < 8.0 / (dimension as f32).sqrt(), "{dimension} {place} {largest}");
            }
        }
    }
}
