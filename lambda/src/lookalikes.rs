//! `POST /api/lookalikes`: a photo in, the people who look like the face in it out.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::request::Parts;
use embed::LookAlike;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::arriving;
use crate::finder::Found;
use crate::openapi::{Bytes, refusals};
use crate::portraits;
use crate::problem::{Kind, Problem};

/// The most people that one answer names.
const MAX_K: usize = 100;

/// What is asked about a photo.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(crate) struct Question {
    /// How many people to find
    #[param(minimum = 1, maximum = 100, default = 5)]
    pub(crate) k: usize,
    /// Which face of the photo, counted from 0 in the order of `faces`
    #[param(default = 0)]
    pub(crate) face: usize,
}

impl Default for Question {
    fn default() -> Self {
        Self { k: 5, face: 0 }
    }
}

/// The faces of a photo, and whom one of them looks like.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answer {
    /// All faces of the photo, the largest and most central first.
    pub(crate) faces: Vec<FoundFace>,
    /// The index in `faces` of the face that the look-alikes are for.
    pub(crate) face: usize,
    /// Distinct people, best first.
    pub(crate) lookalikes: Vec<FoundPerson>,
}

/// A face of the photo.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundFace {
    /// Left edge, top edge, width and height in pixels of the upright photo.
    #[serde(rename = "box")]
    pub(crate) bounds: [f32; 4],
    /// How sure the detector is, from 0 to 1.
    pub(crate) score: f32,
    /// Why little can be told from this face (too small, too blurred, turned too far), where so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "the face is too small: 20 pixels high, at least 24 are needed")]
    pub(crate) flaw: Option<String>,
}

/// A person of the gallery who looks like the face.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundPerson {
    pub(crate) person: Person,
    /// Cosine of the angle between the two faces' embeddings, from -1 to 1.
    pub(crate) score: f32,
    /// The calibrated likeness that people are shown, from 0 to 1.
    pub(crate) similarity: f32,
    /// The path of the person's photo.
    #[schema(example = "/portraits/8f14e45fceea167a.jpg")]
    pub(crate) portrait: String,
}

/// Who it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Person {
    #[schema(example = "lebron-james")]
    pub(crate) id: String,
    #[schema(example = "LeBron James")]
    pub(crate) name: String,
}

impl From<LookAlike> for FoundPerson {
    fn from(found: LookAlike) -> Self {
        Self {
            person: Person { id: found.person.id, name: found.person.name },
            score: found.score,
            similarity: found.similarity,
            portrait: portraits::url(&found.portrait),
        }
    }
}

/// The photo in a form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only describes the form to readers of the OpenAPI document")]
struct PhotoForm {
    photo: Bytes,
}

refusals!(Refusals: NotAnImage, InvalidParameter, InvalidForm, TooSlow, TooLarge, UnsupportedMedia, NoFace, TooManyRequests, Internal, TooBusy, NotReady, IndexUnavailable);

/// Finds the people who look like a face in the photo
///
/// The photo has at most 10 MB (on AWS Lambda about 4.4 MB) and is turned upright by its EXIF
/// orientation. It is neither stored nor logged.
#[utoipa::path(
    post,
    path = "/api/lookalikes",
    params(Question),
    request_body(
        description = "The photo itself, or a form with the photo in the field `photo`",
        content(
            (Bytes = "image/jpeg"),
            (Bytes = "image/png"),
            (Bytes = "image/webp"),
            (PhotoForm = "multipart/form-data"),
        )
    ),
    responses((status = OK, description = "The faces and the look-alikes", body = Answer), Refusals)
)]
pub(crate) async fn lookalikes(
    State(app): State<App>,
    request: Request,
) -> Result<Json<Answer>, Problem> {
    let (head, mut body) = request.into_parts();
    let answer = answer(app, &head, &mut body).await;
    if answer.is_err() {
        arriving::discard(&head.headers, &mut body).await;
    }
    answer.map(Json)
}

async fn answer(app: App, head: &Parts, body: &mut Body) -> Result<Answer, Problem> {
    app.clients.admit(head)?;
    let Question { k, face } = question(head)?;
    let photo = app.bodies.receive(&head.headers, body).await?;
    let place = app.workers.place()?;
    let opened = app.opened().await?;
    let finder = Arc::clone(&opened.finder);
    let Found { faces, embedding } = place.run(move || finder.find(&photo, face)).await??;
    let found = opened.faces.lookalikes(&embedding, k).await?;
    Ok(Answer { faces, face, lookalikes: found.into_iter().map(FoundPerson::from).collect() })
}

fn question(head: &Parts) -> Result<Question, Problem> {
    let invalid = |why: String| Problem::new(Kind::InvalidParameter, why);
    let Query(question) = Query::<Question>::try_from_uri(&head.uri).map_err(|rejection| {
        invalid(format!("`k` and `face` are whole numbers: {}.", rejection.body_text()))
    })?;
    if !(1..=MAX_K).contains(&question.k) {
        return Err(invalid(format!(
            "`k` is {}; ask for at least 1 and at most {MAX_K} people.",
            question.k
        )));
    }
    Ok(question)
}
