//! A small gallery of the demo photos, imported as a user imports them.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use embed::import::Image;
use embed::{Assets, Pipeline};

use super::assets;

/// How many of the demo photos are imported.
const PHOTOS: usize = 40;

/// The gallery, and the photos it was made from.
pub(crate) struct Demo {
    pub(crate) folder: PathBuf,
    pub(crate) people: Vec<Person>,
    /// A photo in which no face is found: the demo's grey silhouette.
    pub(crate) faceless: Vec<u8>,
}

/// A person of the gallery, with one photo.
pub(crate) struct Person {
    pub(crate) id: String,
    file: PathBuf,
}

impl Person {
    pub(crate) fn photo(&self) -> Vec<u8> {
        std::fs::read(&self.file).unwrap()
    }

    pub(crate) fn media(&self) -> &'static str {
        if self.file.extension().is_some_and(|end| end == "png") {
            "image/png"
        } else {
            "image/jpeg"
        }
    }
}

/// The gallery, made once per test binary.
pub(crate) fn demo() -> &'static Demo {
    static DEMO: OnceLock<Demo> = OnceLock::new();
    DEMO.get_or_init(import)
}

fn import() -> Demo {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME"));
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    let entries: Vec<_> = embed::import::folder(&assets().join("gallery"))
        .unwrap()
        .take(PHOTOS)
        .collect::<Result<_, _>>()
        .unwrap();
    let pipeline = Pipeline::load(&Assets::new(assets()), "default").unwrap();
    let all = Box::new(entries.clone().into_iter().map(Ok));
    let report = embed::import::import(&pipeline, all, &folder, |_| {}).unwrap();

    let skipped = std::fs::read_to_string(folder.join("skipped.csv")).unwrap();
    let (faceless, people): (Vec<_>, Vec<_>) = entries
        .into_iter()
        .map(|entry| entry.photo.unwrap())
        .partition(|source| skipped.lines().any(|line| line.starts_with(&source.key)));
    assert!(!faceless.is_empty() && people.len() > 20, "{report:?}");
    let file = |image| match image {
        Image::File(path) => path,
        Image::Base64(_) => panic!("the demo photos are files"),
    };
    Demo {
        folder,
        people: people
            .into_iter()
            .map(|source| Person {
                id: embed::Person::named(&source.name).unwrap().id,
                file: file(source.image),
            })
            .collect(),
        faceless: std::fs::read(file(faceless[0].image.clone())).unwrap(),
    }
}
