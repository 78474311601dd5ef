//! `GET /source`: the code that a photo goes through, for visitors who want to know what happens to it.

use std::fmt::Write;

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// As it was compiled, in the order of a photo's way.
const FILES: [(&str, &str); 5] = [
    ("lambda/src/observe.rs", include_str!("observe.rs")),
    ("lambda/src/photo_body.rs", include_str!("photo_body.rs")),
    ("lambda/src/lookalikes.rs", include_str!("lookalikes.rs")),
    ("lambda/src/workers.rs", include_str!("workers.rs")),
    ("lambda/src/finder.rs", include_str!("finder.rs")),
];

/// The code that photos go through on this server
#[utoipa::path(
    get,
    path = "/source",
    responses((status = OK, description = "Rust", content_type = "text/plain", body = String))
)]
pub(crate) async fn source() -> Response {
    let mut text =
        String::from("What happens to a photo on this server, from its arrival to the answer.\n");
    for (path, code) in FILES {
        // Writing to a string does not fail.
        let _ = write!(text, "\n\n==== {path}\n\n{code}");
    }
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}
