//! What it takes to visit the page: a browser, and photos to show.

#![allow(dead_code, reason = "each of the programs that visit the page takes a part")]

pub(crate) mod browser;
pub(crate) mod page;
pub(crate) mod portraits;
