//! The nearest vectors of a collection.

use axum::Json;
use axum::extract::{Path, Request, State};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use vecstore::{Filter, Hit, Query};

use super::app::Index;
use super::collections::problem;
use super::keys::Access;
use crate::openapi::refusals;
use crate::problem::{Kind, Problem};

/// The most hits, and the most candidates, of one search.
const MAX_K: usize = 10_000;

/// What to search for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    /// As many components as the collection's dimension.
    #[schema(example = json!([0.5, -1.0, 0.0, 2.0]))]
    vector: Vec<f32>,
    /// How many hits are wanted.
    #[serde(default = "default_k")]
    #[schema(minimum = 1, maximum = 10_000, default = 10)]
    k: usize,
    /// How many candidates a walk keeps: more find more and take longer. At least `k` are kept.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 10_000)]
    ef: Option<usize>,
    /// Which vectors may be found.
    #[serde(default)]
    filter: Option<Tags>,
    /// Whether of each group only the best is found.
    #[serde(default)]
    group_by: bool,
}

/// A filter by tags; of several conditions all must hold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tags {
    /// At least one of these.
    #[serde(default)]
    any: Option<Vec<String>>,
    /// All of these.
    #[serde(default)]
    all: Option<Vec<String>>,
    /// Not one of these.
    #[serde(default)]
    none: Option<Vec<String>>,
}

impl Tags {
    fn filter(self) -> Option<Filter<'static>> {
        let any = self.any.map(Filter::any);
        let all = self.all.map(Filter::all);
        let none = self.none.map(|tags| Filter::any(tags).not());
        [any, all, none].into_iter().flatten().reduce(Filter::and)
    }
}

fn default_k() -> usize {
    10
}

/// What was found, the nearest first.
#[derive(Serialize, ToSchema)]
pub(super) struct Hits {
    hits: Vec<Found>,
}

/// A vector that was found.
#[derive(Serialize, ToSchema)]
struct Found {
    id: u64,
    /// The cosine or the inner product, of which more is nearer, or the squared Euclidean distance.
    score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// As it was put in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = serde_json::Value)]
    payload: Option<Box<RawValue>>,
}

impl Found {
    fn of(hit: &Hit) -> vecstore::Result<Self> {
        let payload = hit.payload()?;
        Ok(Self { id: hit.id, score: hit.score, group: hit.group.clone(), payload })
    }
}

refusals!(Refusals: InvalidBody, InvalidRecord, Unauthorized, UnknownCollection, TooSlow, TooLarge, UnsupportedMedia, Internal, NotReady, TooBusy);

/// Finds the vectors nearest to one
#[utoipa::path(
    post,
    path = "/collections/{name}/search",
    params(("name" = String, Path, description = "The collection", example = "faces")),
    request_body = Search,
    responses((status = OK, body = Hits), Refusals),
    security(("key" = []))
)]
pub(super) async fn search(
    State(index): State<Index>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Hits>, Problem> {
    let collections = index.admit(request.headers(), Access::Read)?;
    let search: Search = index.bodies.read(request).await?;
    let numbers = [("k", Some(search.k)), ("ef", search.ef)];
    for (what, number) in numbers.into_iter().filter_map(|(what, it)| Some((what, it?))) {
        if !(1..=MAX_K).contains(&number) {
            let words = format!("`{what}` is {number}; it must be from 1 to {MAX_K}.");
            return Err(Problem::new(Kind::InvalidBody, words));
        }
    }
    let filter = search.filter.and_then(Tags::filter);
    let mut query = Query::new(&search.vector, search.k);
    if let Some(ef) = search.ef {
        query = query.ef(ef);
    }
    if let Some(filter) = &filter {
        query = query.filter(filter);
    }
    if search.group_by {
        query = query.distinct_groups();
    }
    // On this thread: a search takes less time than to hand it to another one and back.
    let collection = collections.get(&name)?;
    let hits = collection.with(&name, |store| store.search(&query))?.map_err(problem)?;
    let hits: vecstore::Result<_> = hits.iter().map(Found::of).collect();
    Ok(Json(Hits { hits: hits.map_err(problem)? }))
}
