//! Bodies of JSON, bounded in size, in time and in number.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use mime::Mime;
use serde::de::DeserializeOwned;

use crate::arriving::{Arriving, NotReceived, discard};
use crate::problem::{Kind, Problem};

/// The largest body: a thousand vectors of 1,024 components, and what goes with them.
const MAX_BYTES: u64 = 16 << 20;

/// Receives bodies, a bounded number at once.
#[derive(Clone)]
pub(super) struct Bodies(Arriving);

impl Bodies {
    pub(super) fn new() -> Self {
        Self(Arriving::new(MAX_BYTES))
    }

    /// Reads what the body of a request says.
    pub(super) async fn read<T: DeserializeOwned>(&self, request: Request) -> Result<T, Problem> {
        let (head, mut body) = request.into_parts();
        let received = match is_json(&head.headers) {
            true => self.0.receive(&head.headers, &mut body).await.map_err(not_received),
            false => Err(Problem::new(
                Kind::UnsupportedMedia,
                "Send JSON, with the header Content-Type: application/json.",
            )),
        };
        match received {
            Ok(bytes) => parse(&bytes),
            Err(problem) => {
                discard(&head.headers, &mut body).await;
                Err(problem)
            }
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    media.and_then(|media| media.parse::<Mime>().ok()).is_some_and(|media| {
        media.type_() == mime::APPLICATION
            && (media.subtype() == mime::JSON || media.suffix() == Some(mime::JSON))
    })
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // What is wrong is read once more, by a slower parser that says where in the body it stands.
    serde_json::from_slice(bytes).or_else(|_| match Json::from_bytes(bytes) {
        Ok(Json(body)) => Ok(body),
        Err(rejection) => {
            let words = format!("{}.", rejection.body_text().trim_end_matches('.'));
            Err(Problem::new(Kind::InvalidBody, words))
        }
    })
}

fn not_received(error: NotReceived) -> Problem {
    let (kind, words) = match error {
        NotReceived::TooMany => {
            (Kind::TooBusy, "Too many bodies are arriving; try again in a moment.".to_owned())
        }
        NotReceived::TooLarge => {
            let limit = MAX_BYTES >> 20;
            let words = format!("The body is larger than {limit} MiB; send fewer vectors at once.");
            (Kind::TooLarge, words)
        }
        NotReceived::TooSlow => {
            (Kind::TooSlow, "The body comes too slowly; send less at once.".to_owned())
        }
        NotReceived::Broken => {
            (Kind::InvalidBody, "The connection broke off; send the body again.".to_owned())
        }
    };
    Problem::new(kind, words)
}
