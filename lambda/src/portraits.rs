//! `GET /portraits/{file}`: the photos of the people in the gallery.

use std::ffi::OsStr;
use std::path::Path;

use axum::extract::rejection::PathRejection;
use axum::extract::{self, Request, State};
use axum::response::{IntoResponse, Response};
use tower_http::services::ServeFile;

use crate::app::App;
use crate::openapi::{self, refusals};
use crate::problem::Problem;
use crate::site;

/// A portrait belongs to the photo it was made from; only a new import changes it.
const CACHE_CONTROL: &str = "public, max-age=86400";

/// Where the portrait in `file` is found.
pub(crate) fn url(file: &str) -> String {
    format!("/portraits/{file}")
}

refusals!(Refusals: NotFound, Internal);

/// The photo of a person, as the look-alikes name it
#[utoipa::path(
    get,
    path = "/portraits/{file}",
    params(("file" = String, Path, description = "The file name at the end of `portrait`")),
    responses(
        (status = OK, description = "The portrait", content_type = "image/jpeg", body = openapi::Bytes),
        Refusals,
    )
)]
pub(crate) async fn portrait(
    State(app): State<App>,
    file: Result<extract::Path<String>, PathRejection>,
    request: Request,
) -> Response {
    match file {
        Ok(extract::Path(file)) if is_plain(&file) => {
            let file = ServeFile::new(app.portraits.join(file));
            site::file(file, request, CACHE_CONTROL).await
        }
        _ => Problem::not_found(request.uri().path()).into_response(),
    }
}

/// Whether this is the name of a file and nothing else, which cannot lead out of a folder.
fn is_plain(file: &str) -> bool {
    Path::new(file).file_name() == Some(OsStr::new(file))
}
