//! `embed eval`

use std::path::PathBuf;

use clap::Subcommand;
use embed::Pipeline;
use embed::eval::lfw;

use crate::Failure;
use crate::progress::Progress;

#[derive(Subcommand)]
pub(crate) enum Benchmark {
    /// Labeled Faces in the Wild, ten-fold verification; the last line is the result.
    Lfw {
        /// Directory with pairs.txt and a folder of images per person.
        root: PathBuf,
    },
}

pub(crate) fn run(benchmark: &Benchmark, pipeline: &Pipeline) -> Result<(), Failure> {
    match benchmark {
        Benchmark::Lfw { root } => {
            let mut progress = Progress::new("images");
            let result = lfw::evaluate(pipeline, root, |done, all| {
                progress.show(done as u64, Some(done as f64 / all as f64));
            })?;
            progress.finish();
            if result.no_face > 0 {
                println!(
                    "No face was found in {} of the images; the box in their middle was used.",
                    result.no_face
                );
            }
            println!("{result}");
        }
    }
    Ok(())
}
