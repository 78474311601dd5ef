//! SHA-256 as people compare it.

use sha2::{Digest, Sha256};

/// The digest in lowercase hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
