//! `embed search`

use std::path::PathBuf;

use clap::Args;
use embed::{DecodeLimits, Face, Gallery, LookAlike, Photo, Pipeline};
use serde::Serialize;

use crate::Failure;

#[derive(Args)]
pub(crate) struct Search {
    /// The photo; of several faces the largest and most central is looked for.
    photo: PathBuf,
    /// The gallery's directory.
    #[arg(long)]
    store: PathBuf,
    /// How many people to show.
    #[arg(short, default_value_t = 5)]
    k: usize,
}

/// What is printed.
#[derive(Serialize)]
struct Found {
    faces: Vec<Face>,
    lookalikes: Vec<LookAlike>,
}

impl Search {
    pub(crate) fn run(&self, pipeline: &Pipeline) -> Result<(), Failure> {
        let gallery = Gallery::open(&self.store, pipeline)?;
        let photo = Photo::open(&self.photo, &DecodeLimits::default())
            .map_err(|error| format!("{}: {error}", self.photo.display()))?;
        let faces = pipeline.detect(&photo)?;
        let face = faces
            .first()
            .ok_or_else(|| format!("{}: no face found in the photo", self.photo.display()))?;
        let lookalikes = gallery.lookalikes(&pipeline.embed(&photo, face)?, self.k)?;
        println!("{}", serde_json::to_string_pretty(&Found { faces, lookalikes })?);
        Ok(())
    }
}
