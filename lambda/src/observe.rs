//! A number for each request, and a line in the log.

use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

/// The number of a request, in the request and in its answer.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest number of a request that is taken from a client.
const MAX_ID: usize = 64;

/// Gives a request its number, that of the client or a new one, and answers with it; everything that is
/// logged on the way names it.
pub(crate) async fn observe(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = request.headers().get(REQUEST_ID).filter(|id| is_plain(id)).cloned();
    let id = id.unwrap_or_else(new_id);
    let (method, route) = (request.method().clone(), route(&request));
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let id_text = id.to_str().unwrap_or_default();
    let span = tracing::info_span!("request", id = id_text, method = method.as_str(), route);
    let mut response = next.run(request).instrument(span.clone()).await;
    let (status, took) = (response.status().as_u16(), start.elapsed());
    span.in_scope(|| tracing::info!(status, micros = took.as_micros() as u64, "answered"));
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The route that answers a request; nothing more of a path is logged or counted.
pub(crate) fn route(request: &Request) -> Option<MatchedPath> {
    request.extensions().get::<MatchedPath>().cloned()
}

/// Whether a client's number may go into the log: nothing but letters, digits and a few signs.
fn is_plain(id: &HeaderValue) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    (1..=MAX_ID).contains(&id.len()) && id.as_bytes().iter().all(plain)
}

/// A number that no other request has: the keys that the standard library draws for hash maps differ each
/// time.
fn new_id() -> HeaderValue {
    let half = || RandomState::new().hash_one(0);
    HeaderValue::try_from(format!("{:016x}{:016x}", half(), half()))
        .unwrap_or(HeaderValue::from_static("none"))
}
