//! Numbers that look random.

/// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): makes 64 random-looking bits of any
/// number, always the same ones.
pub(crate) fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// 2^64 divided by the golden ratio: multiples of it are far from each other.
pub(crate) const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
