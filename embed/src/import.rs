//! Photos of people into a gallery: parallel, resumable, with a report.

mod celeba;
mod csv;
mod folder;
mod lines;
mod msceleb;
mod names;
mod report;
mod source;
mod turns;

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use ::vecstore::Record;

use crate::digest::{id_of, sha256_hex};
use crate::gallery::{GalleryError, GalleryWriter, NewPhoto, Person};
use crate::memory;
use crate::parallel;
use crate::photo::{DecodeLimits, Photo};
use crate::pipeline::{Pipeline, PipelineError};
use crate::quality::Flaw;

pub use celeba::celeba;
pub use csv::csv;
pub use folder::{folder, lfw};
pub use msceleb::msceleb;
pub use report::{Duplicate, Report, Skipped};
pub use source::{Entry, Image, Source, Sources};

use report::SkippedList;
use turns::{Turn, Turns};

/// Photos added together, with one sync of the disk for all of them.
const BATCH: usize = 32;
/// So many photos use the same memory again, before what is free of it is given back.
const MEMORY_KEPT: u64 = 256;
/// Two people whose photos are this alike are one photo under two names.
const SAME_PHOTO: f32 = 0.999;

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

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Photos done.
    pub done: u64,
    /// How much of the list that is, 0 to 1, where that is known.
    pub share: Option<f64>,
}

/// What became of one photo.
enum Outcome {
    Added(Record),
    Unchanged,
    Skipped(Skipped),
}

/// Imports `sources` into the gallery in `store`, making it if there is none.
///
/// Photos that are there already are left alone, so an import that was interrupted
/// goes on where it stopped. Of several faces in a photo the largest and most central
/// counts; one that is too small or too blurred is skipped. Of several equal
/// photos of a person the first counts.
///
/// Apart from what `sources` keeps, memory grows by some 40 bytes a photo, and by 2 KB a photo of the
/// gallery while the store merges what is new into it.
///
/// # Errors
/// When a list cannot be read, the gallery cannot be written, or a network fails.
pub fn import(
    pipeline: &Pipeline,
    sources: Sources,
    store: &Path,
    mut progress: impl FnMut(Progress),
) -> Result<Report, ImportError> {
    let writer = GalleryWriter::open_or_create(store, pipeline)?;
    let mut skipped_list = SkippedList::create(store)?;
    let mut report = Report::default();
    let mut batch = Vec::new();
    let mut so_far = Progress { done: 0, share: None };
    let seen = Turns::new(Seen::default());
    parallel::for_each(
        (0..).zip(sources),
        |(number, entry)| -> Result<_, ImportError> {
            let turn = seen.turn(number);
            let Entry { photo, share } = entry?;
            let outcome = match photo {
                Ok(source) => import_one(pipeline, &writer, turn, &source)?,
                Err(skipped) => Outcome::Skipped(skipped),
            };
            Ok((outcome, share))
        },
        |result| -> Result<(), ImportError> {
            let (outcome, share) = result?;
            match outcome {
                Outcome::Added(record) => batch.push(record),
                Outcome::Unchanged => report.unchanged += 1,
                Outcome::Skipped(skipped) => skipped_list.add(skipped, &mut report)?,
            }
            if batch.len() == BATCH {
                report.added += insert(&writer, &mut batch)?;
            }
            so_far.done += 1;
            if so_far.done.is_multiple_of(MEMORY_KEPT) {
                memory::give_back();
            }
            // Photos are done nearly, but not quite, in the order of the list.
            so_far.share = share.map(|share| share.max(so_far.share.unwrap_or(0.0)));
            progress(so_far);
            Ok(())
        },
    )?;
    report.added += insert(&writer, &mut batch)?;
    writer.finish()?;
    report.duplicates = duplicates(&writer, &seen.into_state().keys)?;
    skipped_list.finish()?;
    Ok(report)
}

fn insert(writer: &GalleryWriter, batch: &mut Vec<Record>) -> Result<u64, ImportError> {
    writer.insert(batch)?;
    let count = batch.len() as u64;
    batch.clear();
    Ok(count)
}

/// What an import has met so far, as ids: keys, and photos of a person.
#[derive(Default)]
struct Seen {
    keys: HashSet<u64>,
    photos: HashSet<u64>,
}

impl Seen {
    /// Why a photo is not to be imported again, if it is not.
    fn add(&mut self, key: &str, person: &Person, sha256: &str) -> Option<&'static str> {
        if !self.keys.insert(id_of(key)) {
            return Some("duplicate: the list has this file already");
        }
        if !self.photos.insert(id_of(&format!("{} {sha256}", person.id))) {
            return Some("duplicate: the same photo of this person is in another file");
        }
        None
    }
}

fn import_one(
    pipeline: &Pipeline,
    writer: &GalleryWriter,
    turn: Turn<'_, Seen>,
    source: &Source,
) -> Result<Outcome, ImportError> {
    let skipped = |reason: &dyn ToString| {
        Ok(Outcome::Skipped(Skipped { file: source.key.clone(), reason: reason.to_string() }))
    };
    let person = match Person::named(&source.name) {
        Ok(person) => person,
        Err(error) => return skipped(&error),
    };
    let limits = DecodeLimits::default();
    let bytes = match source.image.read(&limits) {
        Ok(bytes) => bytes,
        Err(error) => return skipped(&error),
    };
    let sha256 = sha256_hex(&bytes);
    if let Some(reason) = turn.decide(|seen| seen.add(&source.key, &person, &sha256)) {
        return skipped(&reason);
    }
    if let Some(known) = writer.find(&source.key, &sha256)? {
        return Ok(match writer.relabel(known, &person, &source.details)? {
            Some(relabelled) => Outcome::Added(relabelled),
            None => Outcome::Unchanged,
        });
    }
    let photo = match Photo::decode(&bytes, &limits) {
        Ok(photo) => photo,
        Err(error) => return skipped(&error),
    };
    drop(bytes);
    let Some(face) = pipeline.detect_first(&photo)? else {
        return skipped(&"no face found");
    };
    // A turned face is told from others nine times in ten, so it is better than none.
    let flaw = face.quality.flaw.filter(|&flaw| flaw != Flaw::Turned);
    if let Some(reason) = flaw.and(face.quality.reason()) {
        return skipped(&reason);
    }
    let embedding = match pipeline.embed(&photo, &face) {
        Ok(embedding) => embedding,
        Err(error @ PipelineError::NoSuchFace) => return skipped(&error),
        Err(error) => return Err(error.into()),
    };
    let new = NewPhoto {
        key: &source.key,
        person: &person,
        details: &source.details,
        sha256,
        photo: &photo,
        face: &face,
        embedding,
    };
    Ok(Outcome::Added(writer.prepare(new)?))
}

/// Pairs of people with one and the same photo, each pair once.
fn duplicates(
    writer: &GalleryWriter,
    photos: &HashSet<u64>,
) -> Result<Vec<Duplicate>, ImportError> {
    let mut found = BTreeSet::new();
    parallel::for_each(
        photos.iter(),
        |&id| writer.nearest_other(id),
        |nearest| -> Result<(), ImportError> {
            if let Some((person, other, score)) = nearest?
                && score > SAME_PHOTO
            {
                let (one, other) = if person < other { (person, other) } else { (other, person) };
                found.insert(Duplicate { one, other });
            }
            Ok(())
        },
    )?;
    Ok(found.into_iter().collect())
}
