//! The index service, as a client sees it: searching the faces in it, and putting a gallery there.

mod client;
mod faces;
mod push;

pub use client::IndexError;
pub use push::{Push, push};

pub(crate) use client::{Client, Patience};
pub(crate) use faces::RemoteFaces;
