//! SHA-256 as people compare it, and ids made of it.

use sha2::{Digest, Sha256};

/// The digest in lowercase hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first 64 bits of the digest: the same in every run and on every machine.
pub(crate) fn id_of(text: &str) -> u64 {
    let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    digest.first_chunk().copied().map_or(0, u64::from_be_bytes)
}
