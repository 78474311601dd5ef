//! Everything outside the API: the static page, when there is one, or "not found".

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tower::{Service, ServiceExt};
use tower_http::services::ServeDir;
use tower_http::services::fs::ServeFileSystemResponseBody;

use crate::problem::Problem;

/// Paths under this prefix belong to the API, even where it does not answer them.
const API: &str = "/api/";

/// The folder of the page is not there.
#[derive(Debug, thiserror::Error)]
#[error(
    "SITE_DIR is {folder:?}, which is not a folder; name the folder of the page, or leave SITE_DIR \
     out to serve the API alone"
)]
pub struct NoSite {
    folder: PathBuf,
}

/// The files of the page. They carry no version in their names, so a browser asks each time
/// whether they changed, and is answered 304 when they did not.
#[derive(Clone)]
pub(crate) struct Site {
    files: Option<ServeDir>,
}

impl Site {
    pub(crate) fn new(folder: Option<&Path>) -> Result<Self, NoSite> {
        match folder {
            Some(folder) if !folder.is_dir() => Err(NoSite { folder: folder.to_owned() }),
            folder => Ok(Self { files: folder.map(ServeDir::new) }),
        }
    }

    /// Answers a request that no route of the API took.
    pub(crate) async fn answer(self, request: Request) -> Response {
        let path = request.uri().path().to_owned();
        match self.files.filter(|_| !path.starts_with(API)) {
            Some(files) => file(files, request, "no-cache").await,
            None => Problem::not_found(&path).into_response(),
        }
    }
}

/// Answers with a file that `files` finds, which the client may keep as `cache_control` says.
///
/// tower-http keeps the path inside its folder, knows the content types, and answers `HEAD`,
/// ranges and conditional requests; what is left is to put its errors into our words.
pub(crate) async fn file<S>(files: S, request: Request, cache_control: &'static str) -> Response
where
    S: Service<Request, Response = Response<ServeFileSystemResponseBody>, Error = Infallible>,
{
    let path = request.uri().path().to_owned();
    let Ok(response) = files.oneshot(request).await;
    match response.status() {
        StatusCode::NOT_FOUND => Problem::not_found(&path).into_response(),
        StatusCode::METHOD_NOT_ALLOWED => {
            ([(header::ALLOW, "GET,HEAD")], Problem::method_not_allowed()).into_response()
        }
        StatusCode::INTERNAL_SERVER_ERROR => {
            Problem::internal(format_args!("cannot read the file of {path}")).into_response()
        }
        _ => {
            let mut response = response.map(Body::new);
            let value = HeaderValue::from_static(cache_control);
            response.headers_mut().insert(header::CACHE_CONTROL, value);
            response
        }
    }
}
