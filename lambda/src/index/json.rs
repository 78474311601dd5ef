//! Bodies of JSON, bounded in size, in time and in number.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use crate::problem::{Kind, Problem};

/// The largest body: a thousand vectors of 1,024 components, and what goes with them.
pub(super) const MAX_BYTES: usize = 16 << 20;

/// How many bodies may be on their way at once, which bounds the memory that they take.
const MAX_UPLOADS: usize = 32;

/// How long a body may take to arrive.
const DEADLINE: Duration = Duration::from_secs(30);

/// Receives bodies, a bounded number at once.
#[derive(Clone)]
pub(super) struct Bodies {
    uploads: Arc<Semaphore>,
}

impl Bodies {
    pub(super) fn new() -> Self {
        Self { uploads: Arc::new(Semaphore::new(MAX_UPLOADS)) }
    }

    /// Reads what the body of a request says.
    pub(super) async fn read<T: DeserializeOwned>(&self, request: Request) -> Result<T, Problem> {
        let _upload = self.uploads.try_acquire().map_err(|_| {
            Problem::new(Kind::TooBusy, "Too many bodies are arriving; try again in a moment.")
        })?;
        match tokio::time::timeout(DEADLINE, Json::from_request(request, &())).await {
            Ok(Ok(Json(body))) => Ok(body),
            Ok(Err(rejection)) => Err(refused(&rejection)),
            Err(_) => {
                let words = format!("The body did not arrive within {} s.", DEADLINE.as_secs());
                Err(Problem::new(Kind::TooSlow, words))
            }
        }
    }
}

fn refused(rejection: &JsonRejection) -> Problem {
    let kind = match rejection {
        JsonRejection::MissingJsonContentType(_) => Kind::UnsupportedMedia,
        JsonRejection::BytesRejection(error) if error.status().as_u16() == 413 => {
            let limit = MAX_BYTES >> 20;
            return Problem::new(
                Kind::TooLarge,
                format!("The body is larger than {limit} MiB; send fewer vectors at once."),
            );
        }
        _ => Kind::InvalidBody,
    };
    Problem::new(kind, format!("{}.", rejection.body_text().trim_end_matches('.')))
}
