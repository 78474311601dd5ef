//! Stores on disks that fail: power losses, I/O errors, no space left, read-only file systems.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod faults;
mod full;
mod fuse;
mod layer;
mod mount;
mod power;
mod process;
mod script;
mod volatile;
