//! Puts a gallery into the index service.

use std::process::ExitCode;

use clap::Parser;
use lambda::Push;
use tracing_subscriber::EnvFilter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match lambda::push(&Push::parse()).await {
        Ok(photos) => {
            println!("pushed {photos} photos");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("push: {error}");
            ExitCode::FAILURE
        }
    }
}
