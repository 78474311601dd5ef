//! What the tests share: the demo gallery, the service as a process, and a client.

#![allow(dead_code, reason = "each test binary uses a part")]

pub(crate) mod gallery;
pub(crate) mod http;
pub(crate) mod photos;
pub(crate) mod process;

use std::path::PathBuf;

/// The root of the repository.
pub(crate) fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// The fetched networks, runtime and photos.
pub(crate) fn assets() -> PathBuf {
    let assets = workspace().join("assets");
    assert!(assets.join("models").is_dir(), "run `make assets` first: {assets:?} is not complete");
    assets
}
