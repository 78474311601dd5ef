//! The index as a service of its own: collections of vectors over HTTP.

use std::process::ExitCode;

use clap::Parser;
use lambda::index::{self, Settings};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(true);
    log.with_span_list(false).with_env_filter(filter).with_writer(std::io::stderr).init();
    match index::serve(&Settings::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("index: {error}");
            ExitCode::FAILURE
        }
    }
}
