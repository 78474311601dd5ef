//! The `embed` command: builds and searches galleries of faces, measures accuracy.

mod calibrate;
mod eval;
mod import;
mod progress;
mod search;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use embed::{Assets, Pipeline, PipelineError};

/// Builds and searches galleries of faces, and measures how well it does.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Directory with the networks and ONNX Runtime, as `make assets` fills it.
    #[arg(long, env = "MODELS_DIR", default_value = "assets", global = true)]
    assets: PathBuf,
    /// Name of the pipeline in models.json; MODELS_DIR/models.json, if there is one, adds more.
    #[arg(long, default_value = "default", global = true)]
    model: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Import photos of people into a gallery.
    #[command(subcommand)]
    Import(import::Import),
    /// Print who in a gallery looks like the face in a photo, as JSON.
    Search(search::Search),
    /// Measure accuracy on a published benchmark.
    #[command(subcommand)]
    Eval(eval::Benchmark),
    /// Fit the percentage that people see, and store it beside the embedding network.
    #[command(subcommand)]
    Calibrate(calibrate::Calibration),
}

/// What ends a command early; printed as it is.
type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("embed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Import(import) => import.run(import.sources()?, &pipeline(arguments)?),
        Command::Search(search) => search.run(&pipeline(arguments)?),
        Command::Eval(benchmark) => eval::run(benchmark, &pipeline(arguments)?),
        Command::Calibrate(calibration) => calibrate::run(calibration, &pipeline(arguments)?),
    }
}

fn pipeline(arguments: &Arguments) -> Result<Pipeline, PipelineError> {
    Pipeline::load(&Assets::new(&arguments.assets), &arguments.model)
}
