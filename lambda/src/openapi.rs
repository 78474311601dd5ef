//! `GET /openapi.json`: the description of the API, generated from the code that answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use utoipa::openapi::{self, ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{OpenApi, ToSchema};

use crate::problem::{self, Kind};

/// What the description says beside the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Look-alike API",
        description = "Which celebrity does a photo look like? No photo is stored or logged.\n\n\
            Every error is a problem document (RFC 9457) whose `type` is stable. A path that is \
            not listed answers 404 `/problems/not-found`, a method that is not listed 405 \
            `/problems/method-not-allowed` with the header `Allow`. What is not HTTP is answered \
            400, a head of more than 32 KiB or 64 headers 431, a path that is too long 414, each \
            without a body. Where there are too many connections, any path answers 503 \
            `/problems/too-busy`. A head that takes longer than 15 s ends the connection."
    ),
    components(schemas(problem::Document, Kind))
)]
pub(crate) struct Description;

/// The bytes of a file, in the description only.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "describes bodies to readers of the OpenAPI document")]
pub(crate) struct Bytes(Vec<u8>);

/// This description
#[utoipa::path(
    get,
    path = "/openapi.json",
    responses((status = OK, description = "OpenAPI 3.1", body = serde_json::Value))
)]
pub(crate) async fn document(Extension(description): Extension<Arc<openapi::OpenApi>>) -> Response {
    Json(&*description).into_response()
}

/// Names the problems that a route may answer with: `refusals!(Name: Kind, ...)` makes a type that stands
/// for them in the route's description.
macro_rules! refusals {
    ($name:ident: $($kind:ident),+) => {
        struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<
                String,
                utoipa::openapi::RefOr<utoipa::openapi::Response>,
            > {
                $crate::openapi::describe(&[$($crate::problem::Kind::$kind),+])
            }
        }
    };
}
pub(crate) use refusals;

/// Describes the problems that a route may answer with, one entry per status.
pub(crate) fn describe(kinds: &[Kind]) -> BTreeMap<String, RefOr<openapi::Response>> {
    let mut by_status = BTreeMap::<String, Vec<String>>::new();
    for kind in kinds {
        let line = format!("{}: `{}`", kind.title(), kind.uri());
        by_status.entry(kind.status().as_str().to_owned()).or_default().push(line);
    }
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(problem::Document::name())))
        .build();
    by_status
        .into_iter()
        .map(|(status, lines)| {
            let response = ResponseBuilder::new()
                .description(lines.join("; "))
                .content(problem::MEDIA_TYPE, content.clone())
                .build();
            (status, response.into())
        })
        .collect()
}
