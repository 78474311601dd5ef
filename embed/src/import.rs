//! Photos of people into a gallery: parallel, resumable, with a report.

mod csv;
mod folder;
mod report;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ::vecstore::Record;

use crate::digest::sha256_hex;
use crate::gallery::{GalleryError, GalleryWriter, NewPhoto, Person};
use crate::parallel;
use crate::photo::{DecodeLimits, Photo, PhotoError};
use crate::pipeline::{Pipeline, PipelineError};

pub use csv::csv;
pub use folder::folder;
pub use report::{Duplicate, Report, Skipped};

/// Photos added together, with one sync of the disk for all of them.
const BATCH: usize = 32;
/// Two people whose photos are this alike are one photo under two names.
const SAME_PHOTO: f32 = 0.999;

/// A photo to be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Where it lies.
    pub path: PathBuf,
    /// Names it for good: importing under the same key again replaces. The path
    /// below the imported directory.
    pub key: String,
    /// The name of the person in it.
    pub name: String,
    /// What else is known: column and value.
    pub details: BTreeMap<String, String>,
}

/// What stops an import. A photo that cannot be used does not: it is in the report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A file or directory cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The list of people does not follow its format.
    #[error("{}: {detail}", path.display())]
    List {
        /// The list.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// There is nothing to import.
    #[error("no photos in {}", .0.display())]
    Nothing(PathBuf),
    /// The gallery cannot be written.
    #[error(transparent)]
    Gallery(#[from] GalleryError),
    /// A network failed.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
}

/// What became of one photo.
enum Outcome {
    Added(Record),
    Unchanged,
    Skipped(String),
}

/// Imports `sources` into the gallery in `store`, making it if there is none.
///
/// Photos that are there already are left alone, so an import that was interrupted
/// goes on where it stopped. Of several faces in a photo the largest counts.
/// `progress` is told the number of photos done and of all.
///
/// # Errors
/// When the gallery cannot be written or a network fails.
pub fn import(
    pipeline: &Pipeline,
    sources: &[Source],
    store: &Path,
    mut progress: impl FnMut(usize, usize),
) -> Result<Report, ImportError> {
    let writer = GalleryWriter::open_or_create(store, pipeline)?;
    let mut report = Report::default();
    let mut batch = Vec::new();
    let mut done = 0;
    parallel::for_each(
        sources.iter(),
        |source| (source, import_one(pipeline, &writer, source)),
        |(source, outcome)| -> Result<(), ImportError> {
            match outcome? {
                Outcome::Added(record) => batch.push(record),
                Outcome::Unchanged => report.unchanged += 1,
                Outcome::Skipped(reason) => {
                    report.skipped.push(Skipped { file: source.key.clone(), reason });
                }
            }
            if batch.len() == BATCH {
                report.added += insert(&writer, &mut batch)?;
            }
            done += 1;
            progress(done, sources.len());
            Ok(())
        },
    )?;
    report.added += insert(&writer, &mut batch)?;
    writer.finish()?;
    report.skipped.sort();
    report.duplicates = duplicates(&writer, sources)?;
    report.write_skipped(store)?;
    Ok(report)
}

fn insert(writer: &GalleryWriter, batch: &mut Vec<Record>) -> Result<usize, ImportError> {
    writer.insert(batch)?;
    let count = batch.len();
    batch.clear();
    Ok(count)
}

fn import_one(
    pipeline: &Pipeline,
    writer: &GalleryWriter,
    source: &Source,
) -> Result<Outcome, ImportError> {
    let skipped = |reason: String| Ok(Outcome::Skipped(reason));
    let person = match Person::named(&source.name) {
        Ok(person) => person,
        Err(error) => return skipped(error.to_string()),
    };
    let limits = DecodeLimits::default();
    let bytes = match Photo::read(&source.path, &limits) {
        Ok(bytes) => bytes,
        Err(error) => return skipped(error.to_string()),
    };
    let sha256 = sha256_hex(&bytes);
    if writer.has(&source.key, &sha256, &person, &source.details)? {
        return Ok(Outcome::Unchanged);
    }
    let photo: Result<Photo, PhotoError> = Photo::decode(&bytes, &limits);
    let photo = match photo {
        Ok(photo) => photo,
        Err(error) => return skipped(error.to_string()),
    };
    let faces = pipeline.detect(&photo)?;
    let largest =
        faces.iter().max_by(|one, other| one.bounds.area().total_cmp(&other.bounds.area()));
    let Some(face) = largest else {
        return skipped("no face found".to_owned());
    };
    let embedding = match pipeline.embed(&photo, face) {
        Ok(embedding) => embedding,
        Err(error @ PipelineError::NoSuchFace) => return skipped(error.to_string()),
        Err(error) => return Err(error.into()),
    };
    let new = NewPhoto {
        key: &source.key,
        person: &person,
        details: &source.details,
        sha256,
        photo: &photo,
        face: face.bounds,
        embedding,
    };
    Ok(Outcome::Added(writer.prepare(new)?))
}

/// Pairs of people with one and the same photo, each pair once.
fn duplicates(writer: &GalleryWriter, sources: &[Source]) -> Result<Vec<Duplicate>, ImportError> {
    let mut found = Vec::new();
    for source in sources {
        let Ok(person) = Person::named(&source.name) else {
            continue;
        };
        let Some((other, score)) = writer.nearest_other(&source.key)? else {
            continue;
        };
        if score > SAME_PHOTO {
            let (one, other) = if person < other { (person, other) } else { (other, person) };
            found.push(Duplicate { one, other });
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}
