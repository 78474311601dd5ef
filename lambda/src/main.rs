//! The look-alike HTTP API: AWS Lambda handler and plain server.

use std::process::ExitCode;

use clap::Parser;
use lambda::Settings;
use tracing_subscriber::EnvFilter;

/// What is logged unless `RUST_LOG` says otherwise: without the runtime's warning, under
/// `cargo lambda watch`, that one function takes one request at a time.
const LOGGED: &str = "info,lambda_runtime::runtime=error";

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match lambda::serve(&Settings::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lambda: {error}");
            ExitCode::FAILURE
        }
    }
}
