//! `GET /api/people/{id}`: a person of the gallery, their portraits, and who looks like them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use embed::{Embedding, PersonPhoto};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::eyes::Eyes;
use crate::lookalikes::{FoundPerson, Person, named};
use crate::openapi::refusals;
use crate::portraits;
use crate::problem::{Kind, Problem};

/// The most portraits of one person that are named.
const MOST_PORTRAITS: usize = 12;

/// How many people who look like the person are named.
const LOOKALIKES: usize = 6;

/// A person of the gallery.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PersonAnswer {
    pub(crate) person: Person,
    /// At most 12, the most typical first.
    pub(crate) portraits: Vec<Portrait>,
    /// Six other people, best first.
    pub(crate) lookalikes: Vec<FoundPerson>,
}

/// A photo of the person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Portrait {
    /// The path of the photo.
    #[schema(example = "/portraits/8f14e45fceea167a.jpg")]
    pub(crate) portrait: String,
    /// Left and right eye as seen, in pixels of the portrait; absent where no face is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<[[f32; 2]; 2]>)]
    pub(crate) eyes: Option<Eyes>,
    /// What else the list of people said, such as licence and author: column and value.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(example = json!({ "license": "CC BY 4.0", "author": "Ada Lovelace" }))]
    pub(crate) details: BTreeMap<String, String>,
}

refusals!(Refusals: UnknownPerson, Internal, TooBusy, NotReady, IndexUnavailable);

/// A person of the gallery, and who looks like them
#[utoipa::path(
    get,
    path = "/api/people/{id}",
    params(("id" = String, Path, description = "The `id` of a person, as the look-alikes name it")),
    responses((status = OK, description = "The person", body = PersonAnswer), Refusals)
)]
pub(crate) async fn person(
    State(app): State<App>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Json<PersonAnswer>, Problem> {
    let Ok(Path(id)) = id else {
        return Err(Problem::not_found(request.uri().path()));
    };
    let place = app.workers.place()?;
    let opened = app.opened().await?;
    let mut photos = opened.faces.photos_of(&id, MOST_PORTRAITS).await?;
    let mean = mean(&photos).ok_or_else(unknown)?;
    photos.sort_by(|one, other| {
        mean.cosine(&other.embedding).total_cmp(&mean.cosine(&one.embedding))
    });
    let mut lookalikes = opened.faces.lookalikes(&mean, LOOKALIKES + 1).await?;
    lookalikes.retain(|other| other.person.id != id);
    lookalikes.truncate(LOOKALIKES);

    let finder = Arc::clone(&opened.finder);
    let answer = place.run(move || {
        let person = photos.first().map(|photo| photo.person.clone().into())?;
        let portraits = photos.into_iter().map(|photo| Portrait {
            eyes: finder.eyes_in(&app.portraits, &photo.portrait),
            portrait: portraits::url(&photo.portrait),
            details: photo.details,
        });
        let portraits = portraits.collect();
        Some(PersonAnswer {
            person,
            portraits,
            lookalikes: named(&finder, &app.portraits, lookalikes),
        })
    });
    answer.await?.map(Json).ok_or_else(unknown)
}

/// The mean of the embeddings; `None` of none.
fn mean(photos: &[PersonPhoto]) -> Option<Embedding> {
    let (first, others) = photos.split_first()?;
    let mut sum = first.embedding.as_slice().to_vec();
    for photo in others {
        sum.iter_mut().zip(photo.embedding.as_slice()).for_each(|(sum, value)| *sum += value);
    }
    Embedding::normalised(sum)
}

fn unknown() -> Problem {
    Problem::new(
        Kind::UnknownPerson,
        "Nobody in the gallery has this id; take it from an answer with look-alikes.",
    )
}
