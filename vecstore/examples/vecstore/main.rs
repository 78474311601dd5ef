//! The `vecstore` command: looks into stores, and moves vectors in and out of them.
//!
//! `cargo run --release -p vecstore --example vecstore -- help`

mod export;
mod failure;
mod files;
mod import;
mod inspect;
mod sight;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use failure::Failure;

/// Looks into vecstores, and moves vectors in and out of them.
///
/// To see what was written since the last checkpoint (the tail), `info`, `verify` and `export` open
/// the store for writing for a moment. Where they cannot, because another process writes to it or
/// because it is read-only, they see the last checkpoint and say so.
#[derive(Parser)]
#[command(name = "vecstore", version)]
enum Command {
    /// Print what a store is and how large.
    Info {
        /// A store's directory, or a single segment file.
        path: PathBuf,
    },
    /// Check all checksums, and that the contents make sense together; exits with 1 if not.
    Verify {
        /// A store's directory, or a single segment file.
        path: PathBuf,
    },
    /// Merge all that was written to a store into a new segment, which readers then see.
    Checkpoint {
        /// The store's directory.
        store: PathBuf,
    },
    Import(import::Import),
    Export(export::Export),
}

fn main() -> ExitCode {
    match run(&Command::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("vecstore: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Info { path } => inspect::info(path),
        Command::Verify { path } => inspect::verify(path),
        Command::Checkpoint { store } => inspect::checkpoint(store),
        Command::Import(import) => import.run(),
        Command::Export(export) => export.run(),
    }
}
