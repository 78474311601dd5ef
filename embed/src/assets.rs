//! Where the downloaded files lie: networks and runtime library.

use std::path::{Path, PathBuf};

/// The directory that `make assets` fills.
#[derive(Debug, Clone)]
pub struct Assets {
    root: PathBuf,
}

impl Assets {
    /// Nothing is looked up until it is needed.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The ONNX Runtime library.
    pub(crate) fn runtime_library(&self) -> PathBuf {
        self.file(&format!("onnxruntime/libonnxruntime{}", std::env::consts::DLL_SUFFIX))
    }

    /// A file named by `models.json`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}
