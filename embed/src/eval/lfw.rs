//! Labeled Faces in the Wild, from the raw images through our own detection and alignment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::embedding::Embedding;
use crate::eval::{EvalError, Pair, Verification};
use crate::geometry::Rect;
use crate::parallel;
use crate::photo::{DecodeLimits, Photo};
use crate::pipeline::{Face, Pipeline};

/// The pairs of LFW, each with its cosine.
#[derive(Debug, Clone, PartialEq)]
pub struct LfwPairs {
    /// As many of one person as of two in each.
    pub folds: Vec<Vec<Pair>>,
    /// Images used.
    pub images: usize,
    /// Images in which no face was found, embedded from the box in their middle.
    pub no_face: usize,
}

/// The result of the ten-fold protocol; displays as one line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LfwResult {
    /// How well same and different persons are told apart.
    pub verification: Verification,
    /// Images used.
    pub images: usize,
    /// Images in which no face was found, embedded from the box in their middle.
    pub no_face: usize,
}

impl fmt::Display for LfwResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verification { accuracy, std, tar_at_far_001, tar_at_far_01 } = self.verification;
        write!(
            formatter,
            "lfw accuracy={accuracy:.4} std={std:.4} tar@far=0.001:{tar_at_far_001:.4} \
             tar@far=0.01:{tar_at_far_01:.4} images={} no_face={}",
            self.images, self.no_face
        )
    }
}

/// Runs the protocol on `root/pairs.txt` and `root/NAME/NAME_0001.jpg`.
///
/// `progress` is told the number of images done and of all.
///
/// # Errors
/// When the list or an image cannot be read, or a network fails.
pub fn evaluate(
    pipeline: &Pipeline,
    root: &Path,
    progress: impl FnMut(usize, usize),
) -> Result<LfwResult, EvalError> {
    let LfwPairs { folds, images, no_face } = compare(pipeline, root, progress)?;
    let verification = Verification::of(&folds).ok_or_else(|| EvalError::List {
        path: root.join("pairs.txt"),
        line: 1,
        detail: "at least two folds with pairs are needed".to_owned(),
    })?;
    Ok(LfwResult { verification, images, no_face })
}

/// The cosine of each pair, for [`evaluate`] and for `embed calibrate`.
///
/// # Errors
/// As [`evaluate`].
pub fn compare(
    pipeline: &Pipeline,
    root: &Path,
    mut progress: impl FnMut(usize, usize),
) -> Result<LfwPairs, EvalError> {
    let list = PairList::read(root)?;
    let mut embeddings = vec![None; list.images.len()];
    let (mut done, mut no_face) = (0, 0);
    parallel::for_each(
        list.images.iter().enumerate(),
        |(index, path)| (index, embed_image(pipeline, path)),
        |(index, result)| -> Result<(), EvalError> {
            let (embedding, found) = result?;
            embeddings[index] = Some(embedding);
            no_face += usize::from(!found);
            done += 1;
            progress(done, list.images.len());
            Ok(())
        },
    )?;
    let folds = list
        .folds
        .iter()
        .map(|fold| fold.iter().filter_map(|pair| pair.judge(&embeddings)).collect())
        .collect();
    Ok(LfwPairs { folds, images: list.images.len(), no_face })
}

/// The embedding of the face nearest the middle, where LFW has its person, and
/// whether one was found.
fn embed_image(pipeline: &Pipeline, path: &Path) -> Result<(Embedding, bool), EvalError> {
    let photo = Photo::open(path, &DecodeLimits::default())
        .map_err(|source| EvalError::Photo { path: path.to_owned(), source })?;
    let (width, height) = (photo.width() as f32, photo.height() as f32);
    let off_center = |face: &Face| {
        let center = face.bounds.center();
        (center.x - width / 2.0).hypot(center.y - height / 2.0)
    };
    let faces = pipeline.detect(&photo)?;
    let nearest = faces.iter().min_by(|one, other| off_center(one).total_cmp(&off_center(other)));
    let face = match nearest {
        Some(face) => *face,
        None => pipeline.face_in(&photo, middle_box(width, height))?,
    };
    Ok((pipeline.embed(&photo, &face)?, nearest.is_some()))
}

/// Where the face is in LFW's funneled images: the middle 40 % of them.
fn middle_box(width: f32, height: f32) -> Rect {
    Rect { x: 0.3 * width, y: 0.3 * height, width: 0.4 * width, height: 0.4 * height }
}

/// `pairs.txt`, with the images that it names, each once.
struct PairList {
    images: Vec<PathBuf>,
    folds: Vec<Vec<ListedPair>>,
}

struct ListedPair {
    one: usize,
    other: usize,
    same: bool,
}

impl ListedPair {
    fn judge(&self, embeddings: &[Option<Embedding>]) -> Option<Pair> {
        let one = embeddings.get(self.one)?.as_ref()?;
        let other = embeddings.get(self.other)?.as_ref()?;
        Some(Pair { cosine: one.cosine(other), same: self.same })
    }
}

impl PairList {
    /// The first line gives the number of folds and of pairs of each kind in a fold;
    /// then fold by fold `NAME i j` for one person and `NAME i OTHER j` for two.
    fn read(root: &Path) -> Result<Self, EvalError> {
        let path = root.join("pairs.txt");
        let text = std::fs::read_to_string(&path)
            .map_err(|source| EvalError::Read { path: path.clone(), source })?;
        let wrong = |line: usize, detail: &str| EvalError::List {
            path: path.clone(),
            line: line + 1,
            detail: detail.to_owned(),
        };
        let mut lines = text.lines().enumerate();
        let header = lines.next().and_then(|(_, line)| {
            let (folds, pairs) = line.trim().split_once('\t')?;
            Some((folds.parse::<usize>().ok()?, pairs.parse::<usize>().ok()?))
        });
        let (_, pairs) = header
            .filter(|&(_, pairs)| pairs > 0)
            .ok_or_else(|| wrong(0, "expected the number of folds, a tab, and of pairs"))?;
        let mut list = Self { images: Vec::new(), folds: Vec::new() };
        let mut known = BTreeMap::new();
        let mut image = |name: &str, number: &str| {
            let number: u32 = number.parse().ok()?;
            let path = root.join(name).join(format!("{name}_{number:04}.jpg"));
            Some(*known.entry(path.clone()).or_insert_with(|| {
                list.images.push(path);
                list.images.len() - 1
            }))
        };
        let mut listed = Vec::new();
        for (at, line) in lines {
            let fields: Vec<&str> = line.split('\t').map(str::trim).collect();
            let pair = match fields[..] {
                [name, one, other] => image(name, one).zip(image(name, other)),
                [name, one, other_name, other] => image(name, one).zip(image(other_name, other)),
                _ => None,
            };
            let (one, other) =
                pair.ok_or_else(|| wrong(at, "expected `name i j` or `name i name j`"))?;
            listed.push(ListedPair { one, other, same: fields.len() == 3 });
        }
        let mut rest = listed.into_iter().peekable();
        while rest.peek().is_some() {
            list.folds.push(rest.by_ref().take(2 * pairs).collect());
        }
        Ok(list)
    }
}
