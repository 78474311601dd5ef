//! `POST /api/lookalikes`: a photo in, the people who look like the face in it out.

use std::path::Path;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::request::Parts;
use embed::{Flaw, LookAlike};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::arriving;
use crate::eyes::Eyes;
use crate::finder::{Finder, Found};
use crate::openapi::{Bytes, refusals};
use crate::portraits;
use crate::problem::{Kind, Problem};

/// Of how many people an answer says where the eyes are in the portrait: more than a page shows large.
const WITH_EYES: usize = 8;

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
    /// Left and right eye as seen, each as x and y in pixels of the upright photo.
    #[schema(value_type = [[f32; 2]; 2])]
    pub(crate) eyes: Eyes,
    /// Why little can be told from this face (too small, too blurred, turned too far), where so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "the face is too small: 20 pixels high, at least 24 are needed")]
    pub(crate) flaw: Option<String>,
    /// The same in one stable word: `too_small`, `blurred` or `turned`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "too_small")]
    pub(crate) flaw_kind: Option<Flaw>,
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
    /// Left and right eye as seen, in pixels of the portrait; of the first eight people only, and
    /// absent where no face is found in the portrait.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<[[f32; 2]; 2]>)]
    pub(crate) portrait_eyes: Option<Eyes>,
}

/// Who it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Person {
    #[schema(example = "lebron-james")]
    pub(crate) id: String,
    #[schema(example = "LeBron James")]
    pub(crate) name: String,
}

impl From<embed::Person> for Person {
    fn from(person: embed::Person) -> Self {
        Self { id: person.id, name: person.name }
    }
}

/// The people as they are answered, the first ones with the place of their eyes, which are looked for
/// in the portraits in `folder`: call it on a worker.
pub(crate) fn named(finder: &Finder, folder: &Path, found: Vec<LookAlike>) -> Vec<FoundPerson> {
    let eyes = |portrait: &str| finder.eyes_in(folder, portrait);
    let named = found.into_iter().enumerate().map(|(rank, found)| FoundPerson {
        portrait_eyes: (rank < WITH_EYES).then(|| eyes(&found.portrait)).flatten(),
        person: found.person.into(),
        score: found.score,
        similarity: found.similarity,
        portrait: portraits::url(&found.portrait),
    });
    named.collect()
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
    let finder = Arc::clone(&opened.finder);
    let lookalikes = place.run(move || named(&finder, &app.portraits, found)).await?;
    Ok(Answer { faces, face, lookalikes })
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
