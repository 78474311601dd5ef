//! What was written since the segment: a log on disk, and a searchable index of it in memory.

mod data;
mod db;
mod entry;
mod index;
mod log;
mod newest;
mod op;

pub(crate) use index::TailIndex;
pub(crate) use log::TailLog;
pub(crate) use op::Op;
