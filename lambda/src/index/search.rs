//! The nearest vectors of a collection.

use axum::Json;
use axum::extract::{Path, Request, State};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::task;
use utoipa::ToSchema;
use vecstore::{Filter, Hit, Query};

use super::app::Index;
use super::collections::{Collection, problem};
use super::keys::Access;
use super::vector::Vector;
use crate::openapi::refusals;
use crate::problem::{Kind, Problem};

/// The most hits, and the most candidates, of one request; and the most tags, where they are looked for
/// several times.
const MAX_K: usize = 10_000;

/// The most vectors of one request.
const MAX_VECTORS: usize = 100;

/// What to search for: `vector`, or in its place several `vectors`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    /// As many components as the collection's dimension.
    #[serde(default)]
    #[schema(example = json!([0.5, -1.0, 0.0, 2.0]))]
    vector: Option<Vector>,
    /// Each is searched for as if it came alone. All together may ask for 10,000 hits, keep 10,000
    /// candidates, and look for 10,000 tags.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 100)]
    vectors: Option<Vec<Vector>>,
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
    fn len(&self) -> usize {
        [&self.any, &self.all, &self.none].into_iter().flatten().map(Vec::len).sum()
    }

    fn filter(&self) -> Option<Filter<'static>> {
        let any = self.any.as_ref().map(Filter::any);
        let all = self.all.as_ref().map(Filter::all);
        let none = self.none.as_ref().map(|tags| Filter::any(tags).not());
        [any, all, none].into_iter().flatten().reduce(Filter::and)
    }
}

fn default_k() -> usize {
    10
}

/// What was found.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Answer {
    /// For `vector`.
    One(Hits),
    /// For `vectors`.
    Several(Results),
}

/// What was found for each of several vectors, in their order.
#[derive(Serialize, ToSchema)]
pub(super) struct Results {
    results: Vec<Hits>,
}

/// What was found for a vector, the nearest first.
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

/// Finds the vectors nearest to one, or to each of several
#[utoipa::path(
    post,
    path = "/collections/{name}/search",
    params(("name" = String, Path, description = "The collection", example = "faces")),
    request_body = Search,
    responses((status = OK, body = Answer), Refusals),
    security(("key" = []))
)]
pub(super) async fn search(
    State(index): State<Index>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Answer>, Problem> {
    let collections = index.admit(request.headers(), Access::Read)?;
    let mut search: Search = index.bodies.read(request).await?;
    // On this thread: a search takes less time than to hand it to another one and back.
    match (search.vector.take(), search.vectors.take()) {
        (Some(vector), None) => {
            search.check(1)?;
            let collection = collections.get(&name)?;
            let hits = search.nearest(&vector, &name, &collection)?;
            Ok(Json(Answer::One(hits)))
        }
        (None, Some(vectors)) => {
            search.check(vectors.len())?;
            let collection = collections.get(&name)?;
            let mut results = Vec::with_capacity(vectors.len());
            for vector in &vectors {
                results.push(search.nearest(vector, &name, &collection)?);
                // Requests that came meanwhile have their turn.
                task::yield_now().await;
            }
            Ok(Json(Answer::Several(Results { results })))
        }
        _ => Err(Problem::new(Kind::InvalidBody, "Send either `vector` or `vectors`.")),
    }
}

impl Search {
    /// Whether so many vectors may be searched for at once, with what is asked of each.
    fn check(&self, vectors: usize) -> Result<(), Problem> {
        let refuse = |words| Err(Problem::new(Kind::InvalidBody, words));
        if !(1..=MAX_VECTORS).contains(&vectors) {
            return refuse(format!("`vectors` are {vectors}; they may be 1 to {MAX_VECTORS}."));
        }
        let most = MAX_K / vectors;
        let tags = self.filter.as_ref().map_or(0, Tags::len);
        if vectors > 1 && tags > most {
            let words =
                format!("`filter` names {tags} tags; for {vectors} vectors {most} at most.");
            return refuse(words);
        }
        let numbers = [("k", Some(self.k)), ("ef", self.ef)];
        for (what, number) in numbers.into_iter().filter_map(|(what, it)| Some((what, it?))) {
            if !(1..=most).contains(&number) {
                let of =
                    if vectors > 1 { format!(" for {vectors} vectors") } else { String::new() };
                return refuse(format!("`{what}` is {number}; it must be from 1 to {most}{of}."));
            }
        }
        Ok(())
    }

    fn nearest(
        &self,
        vector: &[f32],
        name: &str,
        collection: &Collection,
    ) -> Result<Hits, Problem> {
        let filter = self.filter.as_ref().and_then(Tags::filter);
        let mut query = Query::new(vector, self.k);
        if let Some(ef) = self.ef {
            query = query.ef(ef);
        }
        if let Some(filter) = &filter {
            query = query.filter(filter);
        }
        if self.group_by {
            query = query.distinct_groups();
        }
        let hits = collection.with(name, |store| store.search(&query))?.map_err(problem)?;
        let hits: vecstore::Result<_> = hits.iter().map(Found::of).collect();
        Ok(Hits { hits: hits.map_err(problem)? })
    }
}
