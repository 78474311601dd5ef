//! Whether each photo of a person leads to the person's other photos.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::embedding::Embedding;
use crate::eval::EvalError;
use crate::geometry::Rect;
use crate::parallel;
use crate::photo::{DecodeLimits, Photo};
use crate::pipeline::Pipeline;

/// A photo and who is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// Where the photo lies.
    pub path: PathBuf,
    /// The person: the same text for the same person.
    pub person: String,
}

/// What leaving one out gave; displays as one line.
#[derive(Debug, Clone, PartialEq)]
pub struct GalleryResult {
    /// People with at least one photo that shows a face.
    pub people: usize,
    /// Photos that show a face.
    pub photos: usize,
    /// Photos in which no face was found; they are neither looked for nor found.
    pub no_face: Vec<PathBuf>,
    /// Photos that were looked for: those whose person has another.
    pub queries: usize,
    /// Share of them whose nearest person is the right one.
    pub rank_1: f64,
    /// Share of them with the right one among the five nearest people.
    pub rank_5: f64,
    /// Those whose nearest person is another, the most mistaken first: where the wrong
    /// person is ahead by most.
    pub failures: Vec<Failure>,
}

/// A photo that led to another person.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The photo that was left out and looked for.
    pub query: Seen,
    /// The nearest photo: of another person.
    pub found: Seen,
    /// Cosine with it.
    pub found_cosine: f32,
    /// The nearest photo of the right person.
    pub own: Seen,
    /// Cosine with it.
    pub own_cosine: f32,
}

/// A photo and where the face in it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The photo.
    pub path: PathBuf,
    /// Who is in it.
    pub person: String,
    /// The face, in pixels of the upright photo.
    pub face: Rect,
}

impl fmt::Display for GalleryResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "gallery rank1={:.4} rank5={:.4} queries={} failures={} people={} photos={} no_face={}",
            self.rank_1,
            self.rank_5,
            self.queries,
            self.failures.len(),
            self.people,
            self.photos,
            self.no_face.len()
        )
    }
}

/// The photos that a list names: on each line a file below `images`, a space, and who is in
/// it, as in CelebA's `identity_CelebA.txt`.
///
/// # Errors
/// When the list cannot be read or a line has no two fields.
pub fn identities(list: &Path, images: &Path) -> Result<Vec<Labelled>, EvalError> {
    let text = std::fs::read_to_string(list)
        .map_err(|source| EvalError::Read { path: list.to_owned(), source })?;
    let photo = |(at, line): (usize, &str)| {
        let (file, person) =
            line.trim().split_once(char::is_whitespace).ok_or_else(|| EvalError::List {
                path: list.to_owned(),
                line: at + 1,
                detail: "expected `file person`".to_owned(),
            })?;
        Ok(Labelled { path: images.join(file), person: person.trim().to_owned() })
    };
    text.lines().enumerate().map(photo).collect()
}

/// Leaves out each photo in turn and looks for its person among all others, one by one,
/// without an index: a person is as near as their nearest photo.
///
/// `progress` is told the number of photos done and of all.
///
/// # Errors
/// When a photo cannot be read, no person has two, or a network fails.
pub fn evaluate(
    pipeline: &Pipeline,
    photos: &[Labelled],
    mut progress: impl FnMut(usize, usize),
) -> Result<GalleryResult, EvalError> {
    let mut embedded = vec![None; photos.len()];
    let mut done = 0;
    parallel::for_each(
        photos.iter().enumerate(),
        |(at, photo)| (at, embed_first(pipeline, &photo.path)),
        |(at, face)| -> Result<(), EvalError> {
            embedded[at] = face?;
            done += 1;
            progress(done, photos.len());
            Ok(())
        },
    )?;
    let (mut faces, mut no_face) = (Vec::new(), Vec::new());
    for (photo, face) in photos.iter().zip(embedded) {
        match face {
            Some((bounds, embedding)) => faces.push(FaceOf { photo, bounds, embedding }),
            None => no_face.push(photo.path.clone()),
        }
    }
    let result = leave_one_out(&faces, no_face);
    if result.queries == 0 {
        let root = photos.first().and_then(|photo| photo.path.parent()).unwrap_or(Path::new("."));
        return Err(EvalError::NothingToFind(root.to_owned()));
    }
    Ok(result)
}

/// The first face of the photo, if it shows one.
fn embed_first(pipeline: &Pipeline, path: &Path) -> Result<Option<(Rect, Embedding)>, EvalError> {
    let photo = Photo::open(path, &DecodeLimits::default())
        .map_err(|source| EvalError::Photo { path: path.to_owned(), source })?;
    let Some(face) = pipeline.detect_first(&photo)? else { return Ok(None) };
    Ok(Some((face.bounds, pipeline.embed(&photo, &face)?)))
}

struct FaceOf<'a> {
    photo: &'a Labelled,
    bounds: Rect,
    embedding: Embedding,
}

impl FaceOf<'_> {
    fn seen(&self) -> Seen {
        let Labelled { path, person } = self.photo.clone();
        Seen { path, person, face: self.bounds }
    }
}

fn leave_one_out(faces: &[FaceOf<'_>], no_face: Vec<PathBuf>) -> GalleryResult {
    let people: BTreeMap<&str, usize> = faces.iter().fold(BTreeMap::new(), |mut people, face| {
        let next = people.len();
        people.entry(face.photo.person.as_str()).or_insert(next);
        people
    });
    let person_of: Vec<usize> =
        faces.iter().map(|face| people[face.photo.person.as_str()]).collect();
    let (mut queries, mut first, mut among_five) = (0, 0, 0);
    let mut failures = Vec::new();
    for (query, face) in faces.iter().enumerate() {
        // The nearest photo of each person, without the one that is left out.
        let mut nearest: Vec<Option<(f32, usize)>> = vec![None; people.len()];
        for (at, other) in faces.iter().enumerate().filter(|&(at, _)| at != query) {
            let cosine = face.embedding.cosine(&other.embedding);
            let best = &mut nearest[person_of[at]];
            if best.is_none_or(|(known, _)| cosine > known) {
                *best = Some((cosine, at));
            }
        }
        let Some((own_cosine, own)) = nearest[person_of[query]] else { continue };
        queries += 1;
        let ahead = nearest.iter().flatten().filter(|(cosine, _)| *cosine > own_cosine);
        let rank = 1 + ahead.count();
        among_five += usize::from(rank <= 5);
        if rank == 1 {
            first += 1;
            continue;
        }
        let found = nearest.iter().flatten().max_by(|one, other| one.0.total_cmp(&other.0));
        if let Some(&(found_cosine, found)) = found {
            failures.push(Failure {
                query: face.seen(),
                found: faces[found].seen(),
                found_cosine,
                own: faces[own].seen(),
                own_cosine,
            });
        }
    }
    let ahead = |failure: &Failure| failure.found_cosine - failure.own_cosine;
    failures.sort_by(|one, other| ahead(other).total_cmp(&ahead(one)));
    let share = |count: usize| count as f64 / queries.max(1) as f64;
    GalleryResult {
        people: people.len(),
        photos: faces.len(),
        no_face,
        queries,
        rank_1: share(first),
        rank_5: share(among_five),
        failures,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(file: &str, person: &str) -> Labelled {
        Labelled { path: file.into(), person: person.to_owned() }
    }

    /// Faces as directions in the plane, in degrees.
    fn result_of(photos: &[(Labelled, f32)]) -> GalleryResult {
        let bounds = Rect { x: 0.0, y: 0.0, width: 1.0, height: 1.0 };
        let faces: Vec<FaceOf<'_>> = photos
            .iter()
            .map(|(photo, degrees)| {
                let (sine, cosine) = degrees.to_radians().sin_cos();
                let embedding = Embedding::normalised(vec![cosine, sine]).unwrap();
                FaceOf { photo, bounds, embedding }
            })
            .collect();
        leave_one_out(&faces, Vec::new())
    }

    #[test]
    fn each_photo_but_itself_counts() {
        let result = result_of(&[
            (labelled("a1", "a"), 0.0),
            (labelled("a2", "a"), 10.0),
            (labelled("b1", "b"), 14.0),
            (labelled("b2", "b"), 20.0),
            (labelled("c1", "c"), 90.0),
        ]);
        // a2 is nearer to b1 than to a1, and b1 to a2; c has no second photo.
        assert_eq!((result.people, result.photos, result.queries), (3, 5, 4));
        assert_eq!((result.rank_1, result.rank_5), (0.5, 1.0));
        let wrong: Vec<_> = result
            .failures
            .iter()
            .map(|failure| {
                [&failure.query, &failure.found, &failure.own]
                    .map(|seen| seen.path.to_str().unwrap())
            })
            .collect();
        assert_eq!(wrong, [["a2", "b1", "a1"], ["b1", "a2", "b2"]], "the most mistaken first");
        let expected = "gallery rank1=0.5000 rank5=1.0000 queries=4 failures=2 people=3 photos=5 \
                        no_face=0";
        assert_eq!(result.to_string(), expected);
    }

    #[test]
    fn five_people_may_come_first_not_five_photos() {
        let mut photos = vec![(labelled("a1", "a"), 0.0), (labelled("a2", "a"), 40.0)];
        for at in 0..8 {
            photos.push((labelled("b", "b"), 1.0 + at as f32 / 10.0));
        }
        for (at, person) in ["c", "d", "e"].into_iter().enumerate() {
            photos.push((labelled(person, person), -1.0 - at as f32));
        }
        // Of the photos of a, one has b, c, d and e before its own: rank 5; the other, too.
        assert_eq!(result_of(&photos).rank_5, 1.0);
        photos.push((labelled("f", "f"), -5.0));
        assert!(result_of(&photos).rank_5 < 1.0);
    }

    #[test]
    fn a_list_of_identities() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("identity.txt");
        std::fs::write(&list, "000001.jpg 2880\n000002.jpg  17\n").unwrap();
        let read = identities(&list, Path::new("images")).unwrap();
        let expected = [labelled("images/000001.jpg", "2880"), labelled("images/000002.jpg", "17")];
        assert_eq!(read, expected);
        std::fs::write(&list, "000001.jpg 2880\n000002.jpg\n").unwrap();
        let message = identities(&list, Path::new("images")).unwrap_err().to_string();
        assert!(message.ends_with("line 2: expected `file person`"), "{message}");
    }
}
