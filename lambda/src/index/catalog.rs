//! Which collections there are: making, describing, deleting them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::app::Index;
use super::collections::{Collection, Created};
use super::keys::Access;
use super::metadata::Metadata;
use super::name::Name;
use crate::openapi::refusals;
use crate::problem::{Kind, Problem};

/// How a collection compares vectors.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Metric {
    Cosine,
    InnerProduct,
    SquaredEuclidean,
}

impl From<Metric> for vecstore::Metric {
    fn from(metric: Metric) -> Self {
        match metric {
            Metric::Cosine => Self::Cosine,
            Metric::InnerProduct => Self::InnerProduct,
            Metric::SquaredEuclidean => Self::SquaredEuclidean,
        }
    }
}

impl From<vecstore::Metric> for Metric {
    fn from(metric: vecstore::Metric) -> Self {
        match metric {
            vecstore::Metric::Cosine => Self::Cosine,
            vecstore::Metric::InnerProduct => Self::InnerProduct,
            vecstore::Metric::SquaredEuclidean => Self::SquaredEuclidean,
        }
    }
}

/// What is fixed when a collection is made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCollection {
    /// Components of each vector.
    #[schema(minimum = 1, maximum = 65_536, example = 512)]
    dimension: usize,
    /// How vectors are compared.
    metric: Metric,
    /// What is to be kept about the collection, at most 64 KiB; in place of what was kept before.
    #[serde(default)]
    metadata: Option<Map<String, Value>>,
}

/// A collection.
#[derive(Serialize, ToSchema)]
pub(super) struct About {
    #[schema(example = "faces")]
    name: String,
    /// Components of each vector.
    dimension: usize,
    metric: Metric,
    /// How many vectors it holds.
    vectors: usize,
    /// What its maker wanted to be kept about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
}

impl About {
    fn of(name: &str, collection: &Collection) -> Result<Self, Problem> {
        collection.with(name, |store| {
            let (config, vectors) = (store.config(), store.len());
            let (dimension, metric) = (config.dimension(), config.metric().into());
            let metadata = collection.metadata();
            Self { name: name.to_owned(), dimension, metric, vectors, metadata }
        })
    }
}

/// All collections.
#[derive(Serialize, ToSchema)]
pub(super) struct All {
    /// By their names.
    collections: Vec<About>,
}

refusals!(ListRefusals: Unauthorized, Internal, NotReady);

/// Lists the collections
#[utoipa::path(
    get,
    path = "/collections",
    responses((status = OK, body = All), ListRefusals),
    security(("key" = []))
)]
pub(super) async fn list(
    State(index): State<Index>,
    headers: HeaderMap,
) -> Result<Json<All>, Problem> {
    let all = index.admit(&headers, Access::Read)?.all();
    // One that is deleted meanwhile is left out.
    let about =
        |(name, collection): (Name, Arc<Collection>)| About::of(name.as_str(), &collection).ok();
    Ok(Json(All { collections: all.into_iter().filter_map(about).collect() }))
}

refusals!(CreateRefusals: InvalidBody, InvalidParameter, Unauthorized, Forbidden, TooSlow, CollectionExists, TooLarge, UnsupportedMedia, Internal, NotReady, TooBusy);

/// Makes a collection
///
/// Nothing happens if there is one of this name, dimension and metric, but that metadata replace those
/// it has.
#[utoipa::path(
    put,
    path = "/collections/{name}",
    params(("name" = String, Path, description =
        "1 to 64 of a-z, 0-9, - and _, the first of them a letter or a digit",
        example = "faces")),
    request_body = NewCollection,
    responses(
        (status = CREATED, description = "It is there now", body = About),
        (status = OK, description = "It was there before", body = About),
        CreateRefusals
    ),
    security(("key" = []))
)]
pub(super) async fn create(
    State(index): State<Index>,
    Path(name): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<About>), Problem> {
    index.admit(request.headers(), Access::Write)?;
    let NewCollection { dimension, metric, metadata } = index.bodies.read(request).await?;
    let name = Name::parse(&name).ok_or_else(|| {
        let words =
            "A name is 1 to 64 of a-z, 0-9, - and _, the first of them a letter or a digit.";
        Problem::new(Kind::InvalidParameter, words)
    })?;
    let metadata = metadata.map(Metadata::checked).transpose()?;
    index
        .change(move |collections| {
            let config = vecstore::Config::new(dimension, metric.into());
            let status = match collections.create(&name, config)? {
                Created::Now => StatusCode::CREATED,
                Created::Before => StatusCode::OK,
            };
            let collection = collections.get(name.as_str())?;
            if let Some(metadata) = metadata {
                collections.describe(&name, &collection, metadata)?;
            }
            Ok((status, Json(About::of(name.as_str(), &collection)?)))
        })
        .await
}

refusals!(DescribeRefusals: Unauthorized, UnknownCollection, Internal, NotReady);

/// Describes a collection
#[utoipa::path(
    get,
    path = "/collections/{name}",
    params(("name" = String, Path, description = "The collection", example = "faces")),
    responses((status = OK, body = About), DescribeRefusals),
    security(("key" = []))
)]
pub(super) async fn describe(
    State(index): State<Index>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<About>, Problem> {
    let collection = index.admit(&headers, Access::Read)?.get(&name)?;
    Ok(Json(About::of(&name, &collection)?))
}

refusals!(DeleteRefusals: Unauthorized, Forbidden, UnknownCollection, Internal, NotReady, TooBusy);

/// Deletes a collection with all that is in it
#[utoipa::path(
    delete,
    path = "/collections/{name}",
    params(("name" = String, Path, description = "The collection", example = "faces")),
    responses((status = NO_CONTENT, description = "It is gone"), DeleteRefusals),
    security(("key" = []))
)]
pub(super) async fn delete(
    State(index): State<Index>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    index.admit(&headers, Access::Write)?;
    index.change(move |collections| collections.delete(&name)).await?;
    Ok(StatusCode::NO_CONTENT)
}
