//! The look-alike HTTP API: a photo in, the celebrities who look like it out.
//!
//! [`router`] is the whole application. [`serve`] runs it as an AWS Lambda function when the
//! Lambda runtime is there, and as a plain HTTP server otherwise. A photo takes this way:
//! `photo_body` receives it, `workers` gives it a thread, `finder` works on it, `lookalikes`
//! answers; whatever goes wrong on the way becomes a `problem`.

mod app;
mod finder;
mod headers;
pub mod index;
mod lookalikes;
mod openapi;
mod photo_body;
mod portraits;
mod problem;
mod serve;
mod settings;
mod site;
mod snapshot;
mod workers;

pub use app::router;
pub use finder::{Finder, OpenError};
pub use serve::{ServeError, serve};
pub use settings::Settings;
pub use site::NoSite;
pub use snapshot::{Snapshot, SnapshotError};
