//! `GET /api/people/{id}`: a person of the gallery, their portraits, and who looks like them.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::eyes::Eyes;
use crate::lookalikes::{FoundPerson, Person};
use crate::openapi::refusals;
use crate::problem::Problem;

/// The most portraits of one person that are named.
pub(crate) const MOST_PORTRAITS: usize = 12;

/// How many people who look like the person are named.
pub(crate) const LOOKALIKES: usize = 6;

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

refusals!(Refusals: UnknownPerson, Internal, TooBusy);

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
    let finder = app.finder;
    app.workers.run(move || finder.person(&id)).await?.map(Json)
}
