//! `embed eval`

use std::path::{Path, PathBuf};

use clap::Subcommand;
use embed::Pipeline;
use embed::eval::gallery::{self, Labelled};
use embed::eval::{contact_sheet, lfw};
use embed::import::{self, Image, Source};

use crate::Failure;
use crate::progress::Progress;

#[derive(Subcommand)]
pub(crate) enum Benchmark {
    /// Labeled Faces in the Wild, ten-fold verification; the last line is the result.
    Lfw {
        /// Directory with pairs.txt and a folder of images per person.
        root: PathBuf,
    },
    /// Leave one photo out and look for its person among all others; the last line is the
    /// result.
    Gallery {
        /// A folder per person, or with --identities the directory of all photos.
        root: PathBuf,
        /// A list of `file person` lines, as CelebA has.
        #[arg(long)]
        identities: Option<PathBuf>,
        /// Write an image of the photos that led to another person: the photo, who was
        /// found (red), the nearest of the right person (green).
        #[arg(long, value_name = "IMAGE")]
        failures: Option<PathBuf>,
    },
}

pub(crate) fn run(benchmark: &Benchmark, pipeline: &Pipeline) -> Result<(), Failure> {
    match benchmark {
        Benchmark::Lfw { root } => run_lfw(root, pipeline),
        Benchmark::Gallery { root, identities, failures } => {
            let photos = match identities {
                Some(list) => gallery::identities(list, root)?,
                None => labelled(root)?,
            };
            run_gallery(&photos, failures.as_deref(), pipeline)
        }
    }
}

fn run_lfw(root: &Path, pipeline: &Pipeline) -> Result<(), Failure> {
    let mut progress = Progress::new("images");
    let result = lfw::evaluate(pipeline, root, |done, all| progress.show_of(done, all))?;
    progress.finish();
    if result.no_face > 0 {
        println!(
            "No face was found in {} of the images; the box in their middle was used.",
            result.no_face
        );
    }
    println!("{result}");
    Ok(())
}

fn run_gallery(
    photos: &[Labelled],
    sheet: Option<&Path>,
    pipeline: &Pipeline,
) -> Result<(), Failure> {
    let mut progress = Progress::new("photos");
    let result = gallery::evaluate(pipeline, photos, |done, all| progress.show_of(done, all))?;
    progress.finish();
    for path in &result.no_face {
        println!("no face: {}", path.display());
    }
    for failure in &result.failures {
        println!(
            "{} ({}) led to {} ({}), cosine {:.3}; the nearest own is {}, cosine {:.3}",
            failure.query.path.display(),
            failure.query.person,
            failure.found.path.display(),
            failure.found.person,
            failure.found_cosine,
            failure.own.path.display(),
            failure.own_cosine
        );
    }
    if let Some(path) = sheet {
        contact_sheet(&result.failures, path)?;
    }
    println!("{result}");
    Ok(())
}

fn labelled(root: &Path) -> Result<Vec<Labelled>, Failure> {
    let mut labelled = Vec::new();
    for entry in import::folder(root)? {
        // What names no photo is none to be asked about.
        if let Ok(Source { image: Image::File(path), name: person, .. }) = entry?.photo {
            labelled.push(Labelled { path, person });
        }
    }
    Ok(labelled)
}
