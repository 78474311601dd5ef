//! Inner products of a query with several codes at once.

/// Codes are padded with zeros to a multiple of this many bytes: a cache line, and a register of the
/// widest kernel.
pub(crate) const LINE: usize = 64;

/// So many codes are compared in one call, so that their sums are added up together.
pub(crate) const BATCH: usize = 4;

/// The instructions that a kernel is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// What the compiler makes of plain Rust.
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    /// With the dot products of ARMv8.2, as Neoverse N1 (Graviton 2) and later have them.
    #[cfg(target_arch = "aarch64")]
    NeonDot,
}

impl Kernel {
    /// Those of this architecture, the fastest first.
    const ALL: &[Self] = &[
        #[cfg(target_arch = "x86_64")]
        Self::Avx512Vnni,
        #[cfg(target_arch = "x86_64")]
        Self::Avx2,
        #[cfg(target_arch = "aarch64")]
        Self::NeonDot,
        Self::Portable,
    ];

    /// The kernels that this processor runs, the fastest first.
    #[inline]
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|kernel| kernel.runs())
    }

    /// The fastest kernel that this processor runs.
    #[inline]
    pub(crate) fn best() -> Self {
        Self::all().next().unwrap_or(Self::Portable)
    }

    /// Whether this processor has the instructions.
    #[inline]
    fn runs(self) -> bool {
        #[cfg(target_arch = "aarch64")]
        use std::arch::is_aarch64_feature_detected as has;
        #[cfg(target_arch = "x86_64")]
        use std::arch::is_x86_feature_detected as has;
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => has!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => {
                has!("avx2") && has!("avx512f") && has!("avx512bw") && has!("avx512vnni")
            }
            #[cfg(target_arch = "aarch64")]
            Self::NeonDot => has!("dotprod"),
        }
    }

    /// The inner products of a query with codes, whose bytes stand for the numbers 128 less. Neither has -128,
    /// and `zero` is 128 times the sum of the query. Codes have as many bytes as the query has numbers, a
    /// multiple of [`LINE`]; longer ones are cut, shorter ones and those with -128 give some number.
    ///
    /// The sum of a code of [`MAX_DIMENSION`](crate::MAX_DIMENSION) components fits an `i32`.
    #[inline]
    pub(crate) fn dots(self, query: &[i8], zero: i32, codes: &[&[u8]; BATCH]) -> [i32; BATCH] {
        match self {
            Self::Portable => codes.map(|code| portable(query, code)),
            // SAFETY: a kernel comes from `all`, so the processor has its instructions.
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            Self::Avx2 => unsafe { avx2::dots(query, codes) },
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            Self::Avx512Vnni => unsafe { avx512::dots(query, zero, codes) },
            #[cfg(target_arch = "aarch64")]
            #[allow(unsafe_code)]
            Self::NeonDot => unsafe { neon::dots(query, codes) },
        }
    }
}

/// Tells the processor that a list will be read soon. On x86-64 it comes into the second-level cache only: of
/// what is on its way to the first, so little can be asked for at once that a walk would wait to ask.
#[inline]
pub(crate) fn prefetch<T>(list: &[T]) {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    for line in list.chunks(LINE / size_of::<T>()) {
        let line = line.as_ptr();
        // SAFETY: a prefetch reads nothing, and every processor of these architectures has it.
        #[allow(unsafe_code)]
        unsafe {
            #[cfg(target_arch = "x86_64")]
            std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(line.cast());
            #[cfg(target_arch = "aarch64")]
            std::arch::asm!("prfm pldl1keep, [{}]", in(reg) line, options(nostack, preserves_flags));
        }
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = list;
}

fn portable(query: &[i8], code: &[u8]) -> i32 {
    query.iter().zip(code).map(|(&q, &c)| i32::from(q) * (i32::from(c) - 128)).sum()
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::BATCH;

    /// So many components are multiplied at once.
    const WIDTH: usize = 32;

    /// Of a pair of products, each of an unsigned and a signed number, the sum has 16 bits, which are enough if
    /// both numbers are of 7 bits and a sign. So the sign of the query is given to the code.
    #[target_feature(enable = "avx2")]
    pub(super) fn dots(query: &[i8], codes: &[&[u8]; BATCH]) -> [i32; BATCH] {
        let mut sums = [_mm256_setzero_si256(); BATCH];
        let (one, zero) = (_mm256_set1_epi16(1), _mm256_set1_epi8(i8::MIN));
        let blocks = codes.iter().map(|code| code.len() / WIDTH).min().unwrap_or_default();
        for (block, query) in query.chunks_exact(WIDTH).take(blocks).enumerate() {
            let query = load(query);
            let magnitude = _mm256_abs_epi8(query);
            for (sum, &code) in sums.iter_mut().zip(codes) {
                let code = _mm256_xor_si256(load(&code[block * WIDTH..][..WIDTH]), zero);
                let products = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(code, query));
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(products, one));
            }
        }
        totals(sums)
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn load<T: bytemuck::Pod>(bytes: &[T]) -> __m256i {
        let bytes: &[u8; WIDTH] = bytemuck::cast_slice(bytes).first_chunk().unwrap_or(&[0; WIDTH]);
        // SAFETY: an array of this size is read, at any alignment.
        #[allow(unsafe_code)]
        unsafe {
            _mm256_loadu_si256(bytes.as_ptr().cast())
        }
    }

    /// Adds up each of four registers.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn totals([a, b, c, d]: [__m256i; BATCH]) -> [i32; BATCH] {
        let sums = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
        let sums = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
        bytemuck::cast(sums)
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    use super::{BATCH, LINE, avx2};

    /// The products are of signed and unsigned numbers, so they are of codes as they are.
    #[target_feature(enable = "avx2,avx512f,avx512bw,avx512vnni")]
    pub(super) fn dots(query: &[i8], zero: i32, codes: &[&[u8]; BATCH]) -> [i32; BATCH] {
        let mut sums = [_mm512_setzero_si512(); BATCH];
        let lines = codes.iter().map(|code| code.len() / LINE).min().unwrap_or_default();
        for (line, query) in query.chunks_exact(LINE).take(lines).enumerate() {
            let query = load(query);
            for (sum, &code) in sums.iter_mut().zip(codes) {
                *sum = _mm512_dpbusd_epi32(*sum, load(&code[line * LINE..][..LINE]), query);
            }
        }
        let totals = avx2::totals(sums.map(|sum| {
            _mm256_add_epi32(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64::<1>(sum))
        }));
        // It fits unless a code is too short.
        totals.map(|total| total.wrapping_sub(zero))
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn load<T: bytemuck::Pod>(line: &[T]) -> __m512i {
        let line: &[u8; LINE] = bytemuck::cast_slice(line).first_chunk().unwrap_or(&[0; LINE]);
        // SAFETY: an array of this size is read, at any alignment.
        #[allow(unsafe_code)]
        unsafe {
            _mm512_loadu_si512(line.as_ptr().cast())
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod neon {
    use std::arch::aarch64::*;
    use std::arch::asm;

    use super::BATCH;

    /// So many components are multiplied at once.
    const WIDTH: usize = 16;

    #[target_feature(enable = "neon,dotprod")]
    pub(super) fn dots(query: &[i8], codes: &[&[u8]; BATCH]) -> [i32; BATCH] {
        let mut sums = [vdupq_n_s32(0); BATCH];
        let blocks = codes.iter().map(|code| code.len() / WIDTH).min().unwrap_or_default();
        for (block, query) in query.chunks_exact(WIDTH).take(blocks).enumerate() {
            let query = load(query);
            for (sum, &code) in sums.iter_mut().zip(codes) {
                let code = load(&code[block * WIDTH..][..WIDTH]);
                *sum = add_dot(*sum, query, veorq_s8(code, vdupq_n_s8(i8::MIN)));
            }
        }
        sums.map(|sum| vaddvq_s32(sum))
    }

    #[target_feature(enable = "neon")]
    #[inline]
    fn load<T: bytemuck::Pod>(bytes: &[T]) -> int8x16_t {
        let bytes: &[i8; WIDTH] = bytemuck::cast_slice(bytes).first_chunk().unwrap_or(&[0; WIDTH]);
        // SAFETY: an array of this size is read, at any alignment.
        #[allow(unsafe_code)]
        unsafe {
            vld1q_s8(bytes.as_ptr())
        }
    }

    /// What `vdotq_s32` does, which is not stable yet.
    #[target_feature(enable = "neon,dotprod")]
    #[inline]
    fn add_dot(mut sum: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
        // SAFETY: the instruction changes one register and nothing else.
        #[allow(unsafe_code)]
        unsafe {
            asm!(
                "sdot {sum:v}.4s, {a:v}.16b, {b:v}.16b",
                sum = inout(vreg) sum, a = in(vreg) a, b = in(vreg) b,
                options(pure, nomem, nostack, preserves_flags)
            );
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn kernels_agree_with_the_definition(
            (query, codes) in (1..20usize).prop_flat_map(|lines| {
                let code = || proptest::collection::vec(1..=255u8, lines * LINE);
                let query = proptest::collection::vec(-127..=127i8, lines * LINE);
                (query, [code(), code(), code(), code()])
            })
        ) {
            let dot = |code: &Vec<u8>| -> i64 {
                query.iter().zip(code).map(|(&q, &c)| i64::from(q) * (i64::from(c) - 128)).sum()
            };
            let zero = 128 * query.iter().map(|&q| i32::from(q)).sum::<i32>();
            for kernel in Kernel::all() {
                let dots = kernel.dots(&query, zero, &codes.each_ref().map(|code| &code[..]));
                prop_assert_eq!(dots.map(i64::from), codes.each_ref().map(dot), "{:?}", kernel);
            }
        }
    }

    #[test]
    fn the_largest_sum_fits() {
        let (query, code) = (vec![-127i8; crate::MAX_DIMENSION], vec![255u8; crate::MAX_DIMENSION]);
        for kernel in Kernel::all() {
            assert_eq!(
                kernel.dots(&query, -127 * 128 * 65_536, &[&code; BATCH]),
                [-127 * 127 * 65_536; BATCH],
                "{kernel:?}"
            );
        }
    }

    #[test]
    fn codes_of_other_lengths_do_no_harm() {
        let (query, code) = (vec![1i8; 2 * LINE], vec![129u8; 3 * LINE]);
        let zero = 128 * 2 * LINE as i32;
        for kernel in Kernel::all() {
            let dots = kernel.dots(&query, zero, &[&code, &code, &code, &code]);
            assert_eq!(dots, [2 * LINE as i32; BATCH], "{kernel:?}");
            kernel.dots(&query, zero, &[&[]; BATCH]);
        }
    }
}
