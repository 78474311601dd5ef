//! The look-alike HTTP API: AWS Lambda handler and plain server.

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use lambda::{Finder, Settings, Snapshot};
use tracing_subscriber::EnvFilter;

/// What is logged unless `RUST_LOG` says otherwise: without the runtime's warning, under
/// `cargo lambda watch`, that one function takes one request at a time.
const LOGGED: &str = "info,lambda_runtime::runtime=error";

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(Settings::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lambda: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Opens everything before the first request is taken, so that a request never waits for it.
fn run(mut settings: Settings) -> Result<(), Box<dyn Error>> {
    let snapshot = Snapshot::bring(&settings.store, &settings.cache_dir())?;
    settings.store = snapshot.folder().to_owned();
    let finder = Finder::open(&settings)?;
    let app = snapshot.serve_portraits(lambda::router(finder, &settings)?);
    let address = SocketAddr::new(settings.host, settings.port);
    Ok(lambda::serve(app, address)?)
}
