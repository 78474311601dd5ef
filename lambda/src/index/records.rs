//! Vectors of a collection: putting them in, reading them, taking them out.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use vecstore::Record;

use super::app::Index;
use super::collections::problem;
use super::keys::Access;
use super::vector::Vector;
use crate::openapi::refusals;
use crate::problem::{Kind, Problem};

/// A vector and what goes with it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Item {
    /// Chosen by the client; what the collection has under it is replaced.
    id: u64,
    /// As many components as the collection's dimension.
    vector: Vector,
    /// Any JSON, which comes back with the vector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<Value>,
    /// What filters choose by, at most 64 of at most 256 bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    /// Of each group a search by groups finds the best only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
}

impl Item {
    fn into_record(self) -> vecstore::Result<Record> {
        let mut record = Record::new(self.id, self.vector.0).with_tags(self.tags);
        if let Some(group) = self.group {
            record = record.with_group(group);
        }
        match self.payload {
            Some(payload) => record.with_payload(&payload),
            None => Ok(record),
        }
    }

    pub(crate) fn of(record: &Record) -> vecstore::Result<Self> {
        Ok(Self {
            id: record.id(),
            vector: Vector(record.vector().to_vec()),
            payload: record.payload()?,
            tags: record.tags().to_vec(),
            group: record.group().map(Into::into),
        })
    }
}

/// The vectors to put into a collection.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Upsert {
    vectors: Vec<Item>,
}

/// What was put in.
#[derive(Serialize, ToSchema)]
pub(super) struct Upserted {
    /// How many vectors.
    upserted: usize,
}

refusals!(UpsertRefusals: InvalidBody, InvalidRecord, Unauthorized, Forbidden, UnknownCollection, TooSlow, TooLarge, UnsupportedMedia, Internal, NotReady, TooBusy);

/// Puts vectors into a collection
///
/// All of them or none. Answered when they are durable.
#[utoipa::path(
    put,
    path = "/collections/{name}/vectors",
    params(("name" = String, Path, description = "The collection", example = "faces")),
    request_body = Upsert,
    responses((status = OK, body = Upserted), UpsertRefusals),
    security(("key" = []))
)]
pub(super) async fn upsert(
    State(index): State<Index>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Upserted>, Problem> {
    index.admit(request.headers(), Access::Write)?;
    let Upsert { vectors } = index.bodies.read(request).await?;
    let upserted = vectors.len();
    index
        .change(move |collections| {
            let records: vecstore::Result<Vec<_>> =
                vectors.into_iter().map(Item::into_record).collect();
            let records = records.map_err(problem)?;
            let collection = collections.get(&name)?;
            collection.with(&name, |store| store.insert_batch(&records))?.map_err(problem)
        })
        .await?;
    Ok(Json(Upserted { upserted }))
}

refusals!(ReadRefusals: InvalidParameter, Unauthorized, UnknownCollection, UnknownVector, Internal, NotReady);

/// Reads a vector
#[utoipa::path(
    get,
    path = "/collections/{name}/vectors/{id}",
    params(
        ("name" = String, Path, description = "The collection", example = "faces"),
        ("id" = u64, Path, description = "The id of the vector", example = 1)
    ),
    responses((status = OK, body = Item), ReadRefusals),
    security(("key" = []))
)]
pub(super) async fn read(
    State(index): State<Index>,
    Path((name, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<Item>, Problem> {
    let collections = index.admit(&headers, Access::Read)?;
    let (collection, id) = (collections.get(&name)?, parse(&id)?);
    let record = collection.with(&name, |store| store.get(id))?.map_err(problem)?;
    let record = record.ok_or_else(|| unknown(&name, id))?;
    Item::of(&record).map(Json).map_err(problem)
}

refusals!(DeleteRefusals: InvalidParameter, Unauthorized, Forbidden, UnknownCollection, UnknownVector, Internal, NotReady, TooBusy);

/// Takes a vector out
///
/// Answered when that is durable.
#[utoipa::path(
    delete,
    path = "/collections/{name}/vectors/{id}",
    params(
        ("name" = String, Path, description = "The collection", example = "faces"),
        ("id" = u64, Path, description = "The id of the vector", example = 1)
    ),
    responses((status = NO_CONTENT, description = "It is gone"), DeleteRefusals),
    security(("key" = []))
)]
pub(super) async fn delete(
    State(index): State<Index>,
    Path((name, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    index.admit(&headers, Access::Write)?;
    let id = parse(&id)?;
    index
        .change(move |collections| {
            let collection = collections.get(&name)?;
            match collection.with(&name, |store| store.delete(id))?.map_err(problem)? {
                true => Ok(StatusCode::NO_CONTENT),
                false => Err(unknown(&name, id)),
            }
        })
        .await
}

fn parse(id: &str) -> Result<u64, Problem> {
    id.parse().map_err(|_| {
        let words = format!("The id is {id:?}; it must be a whole number from 0 to {}.", u64::MAX);
        Problem::new(Kind::InvalidParameter, words)
    })
}

fn unknown(name: &str, id: u64) -> Problem {
    Problem::new(Kind::UnknownVector, format!("The collection {name} has no vector {id}."))
}
