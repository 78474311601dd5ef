//! The look-alike HTTP API: a photo in, the celebrities who look like it out.
//!
//! [`serve`] runs it: as an AWS Lambda function when the Lambda runtime is there, and as a plain HTTP
//! server otherwise. A photo takes this way: `photo_body` receives it, `workers` gives it a thread,
//! `finder` finds the faces in it, a `face_index` (the gallery, or `remote`, the index service) those who
//! look like one, `lookalikes` answers; whatever goes wrong on the way becomes a `problem`.

mod app;
mod arriving;
mod causes;
mod clients;
mod connections;
mod face_index;
mod finder;
mod headers;
pub mod index;
mod lookalikes;
mod observe;
mod open;
mod openapi;
mod people;
mod photo_body;
mod portraits;
mod problem;
mod remote;
mod run;
mod serve;
mod settings;
mod site;
mod snapshot;
mod source;
mod workers;

pub use open::OpenError;
pub use remote::{IndexError, Push, push};
pub use run::{NotServing, router, serve};
pub use serve::ServeError;
pub use settings::{IndexAccess, Settings};
pub use site::NoSite;
pub use snapshot::SnapshotError;
