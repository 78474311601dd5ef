//! What it takes to visit the page: a browser, and photos to show.

#![allow(dead_code, reason = "each of the programs that visit the page takes a part")]

pub mod browser;
pub mod page;
pub mod portraits;
