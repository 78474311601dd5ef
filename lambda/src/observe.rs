//! What is done around every request: it has a number, and a line in the log.

use std::hash::{BuildHasher, RandomState};
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tracing::Instrument;

use crate::headers;
use crate::problem::Problem;

/// The number of a request, in the request and in its answer.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest number of a request that is taken from a client.
const MAX_ID: usize = 64;

/// What is logged and counted of a request.
pub(crate) struct Answered<'a> {
    pub(crate) method: &'a str,
    /// The route that answered; nothing more of a path is logged or counted.
    pub(crate) route: &'a str,
    pub(crate) status: u16,
    /// From the head of the request to the head of its answer.
    pub(crate) took: Duration,
}

/// Gives a request its number, that of the client or a new one, and answers with it and with the headers
/// of every answer; everything that is logged on the way names the number.
///
/// All in one, because a request is boxed for each thing around the routes.
pub(crate) async fn observe(
    request: Request,
    next: Next,
    count: impl FnOnce(&Answered<'_>),
) -> Response {
    let start = Instant::now();
    let id = request.headers().get(REQUEST_ID).filter(|id| is_plain(id)).cloned();
    let id = id.unwrap_or_else(new_id);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let id_text = id.to_str().unwrap_or_default();
    // What happens on the way is logged within this; the answer is not, whose line is then the plainer,
    // and cheaper.
    let span = tracing::info_span!("request", id = id_text);
    let answer = async {
        let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        answer.unwrap_or_else(|_| Problem::internal("a handler panicked").into_response())
    };
    let mut response = answer.instrument(span).await;
    headers::secure(&mut response);
    let answered = Answered {
        method: method.as_str(),
        route: route.as_ref().map_or("none", MatchedPath::as_str),
        status: response.status().as_u16(),
        took: start.elapsed(),
    };
    count(&answered);
    let Answered { method, route, status, took } = answered;
    tracing::info!(
        id = id_text,
        method,
        route,
        status,
        micros = took.as_micros() as u64,
        "answered"
    );
    response.headers_mut().insert(REQUEST_ID, id);
    response
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

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{StatusCode, header};
    use axum::routing::get;
    use axum::{Router, middleware};
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_problem_like_any_other() {
        async fn fail() -> StatusCode {
            panic!("a handler fails")
        }
        let around = async |request, next| {
            let count =
                |answered: &Answered<'_>| assert_eq!((answered.route, answered.status), ("/", 500));
            observe(request, next, count).await
        };
        let app = Router::new().route("/", get(fail)).layer(middleware::from_fn(around));
        let response = app.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert!(response.headers().contains_key(REQUEST_ID));
        assert!(response.headers().contains_key(header::CONTENT_SECURITY_POLICY));
    }
}
