//! What the sketches of a block of vectors say of their distances.

use super::kernel::Kernel;

/// So many vectors are compared at once.
pub(crate) const BLOCK: usize = 32;

/// Bytes of a table.
pub(super) const TABLE: usize = 16;

/// So many bytes of tables are added up before they are widened, and fit a byte.
const AT_ONCE: usize = 4;

/// No entry of a table is larger.
pub(super) const LARGEST: u8 = u8::MAX / AT_ONCE as u8;

/// How sketches become bounds: norm + `offset` - factor * (`scale` * sum + `base`).
pub(super) struct Bounds {
    /// A table for each four bits of a sketch; the sum is of what the bits name in them, and fits 16 bits.
    /// Their number is a multiple of 16.
    pub(super) tables: Vec<u8>,
    pub(super) offset: f32,
    pub(super) scale: f32,
    pub(super) base: f32,
}

/// Finds the bounds of a block, infinity for those that are not accepted, and gives the least of them.
///
/// `nibbles` hold for each table 16 bytes, whose low bits are those of the first 16 vectors.
#[inline]
pub(super) fn bounds(
    kernel: Kernel,
    target: &Bounds,
    factors: &[f32; BLOCK],
    nibbles: &[u8],
    norms: &[f32; BLOCK],
    accepted: u32,
    found: &mut [f32; BLOCK],
) -> f32 {
    match kernel {
        Kernel::Portable => {
            target.apply(&portable(&target.tables, nibbles), factors, norms, accepted, found)
        }
        // SAFETY: a kernel comes from `Kernel::all`, so the processor has its instructions.
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        Kernel::Avx2 => unsafe { avx2::bounds(target, factors, nibbles, norms, accepted, found) },
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        Kernel::Avx512Vnni => unsafe {
            avx512::bounds(target, factors, nibbles, norms, accepted, found)
        },
        #[cfg(target_arch = "aarch64")]
        #[allow(unsafe_code)]
        Kernel::NeonDot => unsafe {
            neon::bounds(target, factors, nibbles, norms, accepted, found)
        },
    }
}

impl Bounds {
    /// From sums to bounds, with whatever instructions the caller is compiled for.
    #[inline(always)]
    fn apply(
        &self,
        sums: &[u16; BLOCK],
        factors: &[f32; BLOCK],
        norms: &[f32; BLOCK],
        accepted: u32,
        found: &mut [f32; BLOCK],
    ) -> f32 {
        for place in 0..BLOCK {
            let far = factors[place] * (self.scale * f32::from(sums[place]) + self.base);
            let bound = norms[place] + self.offset - far;
            found[place] = if accepted & 1 << place != 0 { bound } else { f32::INFINITY };
        }
        let mut least = *found;
        for width in [16, 8, 4, 2, 1] {
            let (first, rest) = least.split_at_mut(width);
            for (least, &other) in first.iter_mut().zip(&*rest) {
                *least = if other < *least { other } else { *least };
            }
        }
        least[0]
    }
}

/// Which of the 16 bytes that belong to a table holds the bits of a vector of the block: of each 16
/// vectors the first eight are at even places, so that the kernels find them in order.
pub(super) fn place(vector: usize) -> usize {
    vector % 8 * 2 + vector / 8 % 2
}

/// Where in that byte they are: those of the second 16 vectors are its high half.
pub(super) fn shift(vector: usize) -> usize {
    vector / 16 * 4
}

fn portable(tables: &[u8], nibbles: &[u8]) -> [u16; BLOCK] {
    let mut sums = [0u16; BLOCK];
    for (table, bytes) in tables.chunks_exact(TABLE).zip(nibbles.chunks_exact(TABLE)) {
        for (vector, sum) in sums.iter_mut().enumerate() {
            let nibble = bytes[place(vector)] >> shift(vector) & 0xF;
            *sum = sum.wrapping_add(table[usize::from(nibble)].into());
        }
    }
    sums
}

// The kernels look up a byte for each vector in the low halves of all bytes and then in the high ones,
// add up four such bytes, and then those at even and at odd places in 16 bits each. To get the odd ones
// is to shift; the even ones are what the sums of both, which overflow, have more than the odd ones.

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::{AT_ONCE, BLOCK, Bounds};

    const WIDTH: usize = 32;

    #[target_feature(enable = "avx2")]
    pub(super) fn bounds(
        target: &Bounds,
        factors: &[f32; BLOCK],
        nibbles: &[u8],
        norms: &[f32; BLOCK],
        accepted: u32,
        found: &mut [f32; BLOCK],
    ) -> f32 {
        target.apply(&sums(&target.tables, nibbles), factors, norms, accepted, found)
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn sums(tables: &[u8], nibbles: &[u8]) -> [u16; BLOCK] {
        const LEN: usize = AT_ONCE * WIDTH;
        let mask = _mm256_set1_epi8(0xF);
        let [mut low, mut low_odd, mut high, mut high_odd] = [_mm256_setzero_si256(); 4];
        for (tables, bytes) in tables.chunks_exact(LEN).zip(nibbles.chunks_exact(LEN)) {
            let [mut first, mut last] = [_mm256_setzero_si256(); 2];
            for (table, bytes) in tables.chunks_exact(WIDTH).zip(bytes.chunks_exact(WIDTH)) {
                let (table, bytes) = (load(table), load(bytes));
                let halves = [bytes, _mm256_srli_epi16::<4>(bytes)];
                let [a, b] =
                    halves.map(|it| _mm256_shuffle_epi8(table, _mm256_and_si256(it, mask)));
                (first, last) = (_mm256_add_epi8(first, a), _mm256_add_epi8(last, b));
            }
            low = _mm256_add_epi16(low, first);
            low_odd = _mm256_add_epi16(low_odd, _mm256_srli_epi16::<8>(first));
            high = _mm256_add_epi16(high, last);
            high_odd = _mm256_add_epi16(high_odd, _mm256_srli_epi16::<8>(last));
        }
        let low_even = _mm256_sub_epi16(low, _mm256_slli_epi16::<8>(low_odd));
        let high_even = _mm256_sub_epi16(high, _mm256_slli_epi16::<8>(high_odd));
        bytemuck::cast([low_even, low_odd, high_even, high_odd].map(|sums| {
            _mm_add_epi16(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums))
        }))
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn load(bytes: &[u8]) -> __m256i {
        let bytes: &[u8; WIDTH] = bytes.first_chunk().unwrap_or(&[0; WIDTH]);
        // SAFETY: an array of this size is read, at any alignment.
        #[allow(unsafe_code)]
        unsafe {
            _mm256_loadu_si256(bytes.as_ptr().cast())
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    use super::{AT_ONCE, BLOCK, Bounds};

    const WIDTH: usize = 64;

    #[target_feature(enable = "avx2,avx512f,avx512bw")]
    pub(super) fn bounds(
        target: &Bounds,
        factors: &[f32; BLOCK],
        nibbles: &[u8],
        norms: &[f32; BLOCK],
        accepted: u32,
        found: &mut [f32; BLOCK],
    ) -> f32 {
        target.apply(&sums(&target.tables, nibbles), factors, norms, accepted, found)
    }

    #[target_feature(enable = "avx2,avx512f,avx512bw")]
    #[inline]
    fn sums(tables: &[u8], nibbles: &[u8]) -> [u16; BLOCK] {
        const LEN: usize = AT_ONCE * WIDTH;
        let mask = _mm512_set1_epi8(0xF);
        let [mut low, mut low_odd, mut high, mut high_odd] = [_mm512_setzero_si512(); 4];
        for (tables, bytes) in tables.chunks_exact(LEN).zip(nibbles.chunks_exact(LEN)) {
            let [mut first, mut last] = [_mm512_setzero_si512(); 2];
            for (table, bytes) in tables.chunks_exact(WIDTH).zip(bytes.chunks_exact(WIDTH)) {
                let (table, bytes) = (load(table), load(bytes));
                let halves = [bytes, _mm512_srli_epi16::<4>(bytes)];
                let [a, b] =
                    halves.map(|it| _mm512_shuffle_epi8(table, _mm512_and_si512(it, mask)));
                (first, last) = (_mm512_add_epi8(first, a), _mm512_add_epi8(last, b));
            }
            low = _mm512_add_epi16(low, first);
            low_odd = _mm512_add_epi16(low_odd, _mm512_srli_epi16::<8>(first));
            high = _mm512_add_epi16(high, last);
            high_odd = _mm512_add_epi16(high_odd, _mm512_srli_epi16::<8>(last));
        }
        let low_even = _mm512_sub_epi16(low, _mm512_slli_epi16::<8>(low_odd));
        let high_even = _mm512_sub_epi16(high, _mm512_slli_epi16::<8>(high_odd));
        let sums = folded(folded(low_even, low_odd), folded(high_even, high_odd));
        let mut stored = [0; BLOCK];
        // SAFETY: an array of the size of a register is written, at any alignment.
        #[allow(unsafe_code)]
        unsafe {
            _mm512_storeu_si512(stored.as_mut_ptr().cast(), sums);
        }
        stored
    }

    /// Of each register the sum of the first two quarters and that of the last two; or where quarters
    /// are such sums, of each register the two that they belong to.
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn folded(a: __m512i, b: __m512i) -> __m512i {
        let even = _mm512_shuffle_i64x2::<0b10_00_10_00>(a, b);
        _mm512_add_epi16(even, _mm512_shuffle_i64x2::<0b11_01_11_01>(a, b))
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn load(bytes: &[u8]) -> __m512i {
        let bytes: &[u8; WIDTH] = bytes.first_chunk().unwrap_or(&[0; WIDTH]);
        // SAFETY: an array of this size is read, at any alignment.
        #[allow(unsafe_code)]
        unsafe {
            _mm512_loadu_si512(bytes.as_ptr().cast())
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod neon {
    use std::arch::aarch64::*;

    use super::{AT_ONCE, BLOCK, Bounds, TABLE};

    #[target_feature(enable = "neon")]
    pub(super) fn bounds(
        target: &Bounds,
        factors: &[f32; BLOCK],
        nibbles: &[u8],
        norms: &[f32; BLOCK],
        accepted: u32,
        found: &mut [f32; BLOCK],
    ) -> f32 {
        target.apply(&sums(&target.tables, nibbles), factors, norms, accepted, found)
    }

    #[target_feature(enable = "neon")]
    #[inline]
    fn sums(tables: &[u8], nibbles: &[u8]) -> [u16; BLOCK] {
        const LEN: usize = AT_ONCE * TABLE;
        let [mut low, mut low_odd, mut high, mut high_odd] = [vdupq_n_u16(0); 4];
        for (tables, bytes) in tables.chunks_exact(LEN).zip(nibbles.chunks_exact(LEN)) {
            let [mut first, mut last] = [vdupq_n_u8(0); 2];
            for (table, bytes) in tables.chunks_exact(TABLE).zip(bytes.chunks_exact(TABLE)) {
                let (table, bytes) = (load(table), load(bytes));
                first = vaddq_u8(first, vqtbl1q_u8(table, vandq_u8(bytes, vdupq_n_u8(0xF))));
                last = vaddq_u8(last, vqtbl1q_u8(table, vshrq_n_u8::<4>(bytes)));
            }
            let (first, last) = (vreinterpretq_u16_u8(first), vreinterpretq_u16_u8(last));
            low = vaddq_u16(low, first);
            low_odd = vsraq_n_u16::<8>(low_odd, first);
            high = vaddq_u16(high, last);
            high_odd = vsraq_n_u16::<8>(high_odd, last);
        }
        let low_even = vsubq_u16(low, vshlq_n_u16::<8>(low_odd));
        let high_even = vsubq_u16(high, vshlq_n_u16::<8>(high_odd));
        let mut stored = [0; BLOCK];
        let registers = [low_even, low_odd, high_even, high_odd];
        for (stored, sums) in stored.chunks_exact_mut(8).zip(registers) {
            // SAFETY: a register of eight numbers is written to a slice of eight.
            #[allow(unsafe_code)]
            unsafe {
                vst1q_u16(stored.as_mut_ptr(), sums);
            }
        }
        stored
    }

    #[target_feature(enable = "neon")]
    #[inline]
    fn load(bytes: &[u8]) -> uint8x16_t {
        let bytes: &[u8; TABLE] = bytes.first_chunk().unwrap_or(&[0; TABLE]);
        // SAFETY: an array of this size is read, at any alignment.
        #[allow(unsafe_code)]
        unsafe {
            vld1q_u8(bytes.as_ptr())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn kernels_agree_with_the_definition(
            (tables, nibbles) in (1..20usize).prop_flat_map(|lines| {
                let tables = proptest::collection::vec(0..=LARGEST, lines * 256);
                (tables, proptest::collection::vec(any::<u8>(), lines * 256))
            }),
            factors in proptest::array::uniform32(-2f32..2.0),
            norms in proptest::array::uniform32(-2f32..2.0),
            accepted in any::<u32>(),
        ) {
            let target = Bounds { tables, offset: 3.0, scale: 0.5, base: -1.0 };
            let mut sums = [0u32; BLOCK];
            for (table, bytes) in target.tables.chunks(TABLE).zip(nibbles.chunks(TABLE)) {
                for (vector, sum) in sums.iter_mut().enumerate() {
                    let nibble = bytes[place(vector)] >> shift(vector) & 0xF;
                    *sum += u32::from(table[usize::from(nibble)]);
                }
            }
            for kernel in Kernel::all() {
                let mut found = [0.0; BLOCK];
                let least =
                    bounds(kernel, &target, &factors, &nibbles, &norms, accepted, &mut found);
                for vector in 0..BLOCK {
                    let far = factors[vector] * (0.5 * sums[vector] as f32 - 1.0);
                    let expected = norms[vector] + 3.0 - far;
                    if accepted >> vector & 1 == 1 {
                        let off = (found[vector] - expected).abs();
                        prop_assert!(off <= 1e-3 * expected.abs().max(1.0), "{:?}", kernel);
                    } else {
                        prop_assert_eq!(found[vector], f32::INFINITY);
                    }
                }
                prop_assert_eq!(least, found.iter().copied().fold(f32::INFINITY, f32::min));
            }
        }
    }
}
