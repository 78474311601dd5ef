//! Every answer that is not a success: RFC 9457 problem details.

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// The media type of a problem document.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// How long a client is asked to wait before it tries again, in seconds.
const RETRY_AFTER: u64 = 2;

/// Declares the kinds of problem once: name, status, `type` and title.
macro_rules! problem_kinds {
    ($($(#[$doc:meta])* $kind:ident: $status:ident, $uri:literal, $title:literal;)+) => {
        /// What went wrong; its `type` is stable, so that a client can tell problems apart.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Kind { $($(#[$doc])* $kind,)+ }

        impl Kind {
            const ALL: &[Kind] = &[$(Kind::$kind,)+];

            /// The `type` member.
            pub(crate) fn uri(self) -> &'static str {
                match self { $(Kind::$kind => $uri,)+ }
            }

            /// The HTTP status that the problem is answered with.
            pub(crate) fn status(self) -> StatusCode {
                match self { $(Kind::$kind => StatusCode::$status,)+ }
            }

            /// The `title` member: the same words for every occurrence.
            pub(crate) fn title(self) -> &'static str {
                match self { $(Kind::$kind => $title,)+ }
            }
        }
    };
}

problem_kinds! {
    /// The photo is empty, is not an image, or breaks off or is damaged.
    NotAnImage: BAD_REQUEST, "/problems/not-an-image", "The photo cannot be read";
    /// `k` or `face` is not a number or is out of range.
    InvalidParameter: BAD_REQUEST, "/problems/invalid-parameter", "A parameter is not valid";
    /// The multipart form is malformed or has no field `photo`.
    InvalidForm: BAD_REQUEST, "/problems/invalid-form", "The form is not valid";
    /// The body is not JSON of the right shape, or a number in it is out of range.
    InvalidBody: BAD_REQUEST, "/problems/invalid-body", "The body is not valid";
    /// The collection does not take the vector, or what goes with it.
    InvalidRecord: BAD_REQUEST, "/problems/invalid-record", "The collection does not take this";
    /// No key, or a wrong one.
    Unauthorized: UNAUTHORIZED, "/problems/unauthorized", "A key is needed";
    /// The key is for reading.
    Forbidden: FORBIDDEN, "/problems/forbidden", "This key does not allow it";
    /// There is no collection of this name.
    UnknownCollection: NOT_FOUND, "/problems/unknown-collection", "There is no such collection";
    /// The collection has no vector of this id.
    UnknownVector: NOT_FOUND, "/problems/unknown-vector", "There is no such vector";
    /// A collection of this name is there, with another dimension or metric.
    CollectionExists: CONFLICT, "/problems/collection-exists", "There is another collection of this name";
    /// The collection never held a vector.
    EmptyCollection: CONFLICT, "/problems/empty-collection", "The collection is empty";
    /// The service is starting.
    NotReady: SERVICE_UNAVAILABLE, "/problems/not-ready", "The service is not ready yet";
    /// The photo shows no face that the detector finds.
    NoFace: UNPROCESSABLE_ENTITY, "/problems/no-face", "No face found";
    /// Too many bytes, or too many pixels.
    TooLarge: PAYLOAD_TOO_LARGE, "/problems/too-large", "The request is too large";
    /// Neither JPEG, PNG, WebP nor a multipart form.
    UnsupportedMedia: UNSUPPORTED_MEDIA_TYPE, "/problems/unsupported-media-type", "The media type is not supported";
    /// The body did not arrive in time.
    TooSlow: REQUEST_TIMEOUT, "/problems/too-slow", "The body did not arrive in time";
    /// Nothing lives under this path.
    NotFound: NOT_FOUND, "/problems/not-found", "Not found";
    /// The path exists, but not for this method.
    MethodNotAllowed: METHOD_NOT_ALLOWED, "/problems/method-not-allowed", "The method is not allowed";
    /// All workers are busy and the queue is full.
    TooBusy: SERVICE_UNAVAILABLE, "/problems/too-busy", "The service is too busy";
    /// The client has asked too often of late.
    TooManyRequests: TOO_MANY_REQUESTS, "/problems/too-many-requests", "Too many requests";
    /// The index service does not answer, or cannot be used.
    IndexUnavailable: SERVICE_UNAVAILABLE, "/problems/index-unavailable", "The index of faces does not answer";
    /// A fault of the service, whose cause is in its log only.
    Internal: INTERNAL_SERVER_ERROR, "/problems/internal", "The service failed";
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.uri())
    }
}

impl PartialSchema for Kind {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Stable identifier of the kind of problem"))
            .enum_values(Some(Kind::ALL.iter().map(|kind| kind.uri())))
            .into()
    }
}

impl ToSchema for Kind {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("ProblemType")
    }
}

/// A refusal on its way to the client.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    detail: String,
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem whose `detail` tells the client what happened and what to do.
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let passes = kind.status() == StatusCode::SERVICE_UNAVAILABLE;
        Self { kind, detail: detail.into(), retry_after: passes.then_some(RETRY_AFTER) }
    }

    /// The client is asked to wait for so many seconds.
    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// Nothing lives under `path`.
    pub(crate) fn not_found(path: &str) -> Self {
        Self::new(
            Kind::NotFound,
            format!("There is nothing at {path}; /openapi.json says what there is."),
        )
    }

    /// The path answers other methods, which the header `Allow` names.
    pub(crate) fn method_not_allowed() -> Self {
        Self::new(Kind::MethodNotAllowed, "Use a method that the header Allow names.")
    }

    /// A fault of ours: the cause goes to the log, never to the client.
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "request failed");
        Self::new(Kind::Internal, "Try again; if it happens again, tell the operator.")
    }
}

/// An RFC 9457 problem document.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document {
    #[serde(rename = "type")]
    kind: Kind,
    /// Short words for the kind of problem.
    title: &'static str,
    /// The HTTP status code, repeated.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened this time, and what to do.
    detail: String,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.kind.status();
        let document = Document {
            kind: self.kind,
            title: self.kind.title(),
            status: status.as_u16(),
            detail: self.detail,
        };
        let mut response = (status, Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
