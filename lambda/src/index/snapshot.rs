//! The segment of a collection, to be opened elsewhere.

use std::io;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use vecstore::Snapshot;

use super::app::Index;
use super::collections::problem;
use super::keys::Access;
use crate::openapi::{self, refusals};
use crate::problem::{Kind, Problem};

/// So much is sent at once.
const PIECE: usize = 256 << 10;

refusals!(Refusals: Unauthorized, UnknownCollection, EmptyCollection, Internal, NotReady, TooBusy);

/// Makes a checkpoint and sends its segment
///
/// One file with everything that was written before, which `vecstore::Reader::open_segment` opens
/// wherever it lies. The header `ETag` names the last change in it.
#[utoipa::path(
    post,
    path = "/collections/{name}/snapshot",
    params(("name" = String, Path, description = "The collection", example = "faces")),
    responses(
        (status = OK, description = "The segment file", body = openapi::Bytes,
         content_type = "application/octet-stream"),
        Refusals
    ),
    security(("key" = []))
)]
pub(super) async fn snapshot(
    State(index): State<Index>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    index.admit(&headers, Access::Read)?;
    let snapshot = index
        .change(move |collections| {
            let collection = collections.get(&name)?;
            let made = collection.with(&name, |store| {
                store.checkpoint()?;
                Ok(store.snapshot())
            })?;
            made.map_err(problem)
        })
        .await?;
    let Some(len) = snapshot.segment().map(<[u8]>::len) else {
        let words = "The collection was always empty, so there is no segment.";
        return Err(Problem::new(Kind::EmptyCollection, words));
    };
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, len.to_string()),
        (header::ETAG, format!("\"{}\"", snapshot.last_change())),
    ];
    Ok((headers, Body::from_stream(pieces(snapshot))).into_response())
}

/// The file piece by piece; it stays as it is while the snapshot is held, whatever is written meanwhile.
fn pieces(snapshot: Snapshot) -> impl stream::Stream<Item = io::Result<Bytes>> {
    stream::iter((0..).step_by(PIECE).map_while(move |start| {
        let rest = snapshot.segment()?.get(start..).filter(|rest| !rest.is_empty())?;
        Some(Ok(Bytes::copy_from_slice(&rest[..rest.len().min(PIECE)])))
    }))
}
