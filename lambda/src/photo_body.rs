//! From a request's body to the bytes of the photo in it, bounded in size and time.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use mime::Mime;
use multer::Multipart;

use crate::arriving::{Arriving, NotReceived};
use crate::problem::{Kind, Problem};

/// The form field that holds the photo.
const FIELD: &str = "photo";

/// A form has one photo and perhaps a few small fields; more parts are not read.
const MAX_PARTS: usize = 16;

/// Receives photos, a bounded number at once.
#[derive(Clone)]
pub(crate) struct PhotoBodies {
    max_bytes: u64,
    arriving: Arriving,
}

impl PhotoBodies {
    /// Accepts bodies of at most `max_bytes`. AWS Lambda itself stops at 6 MB of event, which is
    /// about 4.4 MB of photo after base64.
    pub(crate) fn new(max_bytes: u64) -> Self {
        Self { max_bytes, arriving: Arriving::new(max_bytes) }
    }

    /// Reads the photo from a body that is an image or a multipart form.
    ///
    /// Only the declared media type is judged here; what the bytes are, decoding finds out.
    pub(crate) async fn receive(
        &self,
        headers: &HeaderMap,
        body: &mut Body,
    ) -> Result<Vec<u8>, Problem> {
        let media = Media::declared(headers)?;
        let received = self.arriving.receive(headers, body).await;
        let bytes = received.map_err(|error| not_received(&error, self.max_bytes))?;
        match media {
            Media::Image => Ok(bytes),
            Media::Form { boundary } => photo_field(&bytes, boundary).await,
        }
    }
}

fn not_received(error: &NotReceived, max_bytes: u64) -> Problem {
    let (kind, words) = match error {
        NotReceived::TooMany => {
            (Kind::TooBusy, "Too many photos are arriving; try again in a moment.".to_owned())
        }
        NotReceived::TooLarge => {
            let words =
                format!("The photo may have at most {max_bytes} bytes; send a smaller one.");
            (Kind::TooLarge, words)
        }
        NotReceived::TooSlow => {
            (Kind::TooSlow, "The photo comes too slowly; send a smaller one.".to_owned())
        }
        NotReceived::Broken => {
            (Kind::NotAnImage, "The connection broke off; send the photo again.".to_owned())
        }
    };
    Problem::new(kind, words)
}

/// The kinds of body that may hold a photo.
enum Media {
    /// The body is the image itself.
    Image,
    /// The image is the field `photo` of a multipart form.
    Form { boundary: String },
}

impl Media {
    fn declared(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get(header::CONTENT_TYPE) else {
            // Nothing is claimed, so the bytes decide.
            return Ok(Self::Image);
        };
        let media = value.to_str().ok().and_then(|text| text.parse::<Mime>().ok());
        let media = media.ok_or_else(|| unsupported("the Content-Type header is not valid"))?;
        if may_be_photo(&media) {
            return Ok(Self::Image);
        }
        if media.essence_str() != mime::MULTIPART_FORM_DATA.essence_str() {
            return Err(unsupported(&format!("the body is {}", media.essence_str())));
        }
        match media.get_param(mime::BOUNDARY) {
            Some(boundary) => Ok(Self::Form { boundary: boundary.as_str().to_owned() }),
            None => Err(invalid_form("its Content-Type names no boundary")),
        }
    }
}

/// Whether a photo may be declared so; `application/octet-stream` claims nothing.
fn may_be_photo(media: &Mime) -> bool {
    matches!(
        media.essence_str(),
        "image/jpeg" | "image/png" | "image/webp" | "application/octet-stream"
    )
}

/// The bytes of the field `photo` of a multipart form.
async fn photo_field(form: &[u8], boundary: String) -> Result<Vec<u8>, Problem> {
    let mut parts = Multipart::with_reader(form, boundary);
    for _ in 0..MAX_PARTS {
        let Some(part) = parts.next_field().await.map_err(invalid_form)? else {
            break;
        };
        if part.name() != Some(FIELD) {
            continue;
        }
        if let Some(media) = part.content_type().filter(|media| !may_be_photo(media)) {
            return Err(unsupported(&format!("the field `{FIELD}` is {}", media.essence_str())));
        }
        return part.bytes().await.map(Vec::from).map_err(invalid_form);
    }
    Err(invalid_form(format!("it has no field `{FIELD}`")))
}

fn invalid_form(why: impl std::fmt::Display) -> Problem {
    Problem::new(
        Kind::InvalidForm,
        format!("Send a multipart form with the photo in the field `{FIELD}`: {why}."),
    )
}

fn unsupported(why: &str) -> Problem {
    Problem::new(
        Kind::UnsupportedMedia,
        format!(
            "Send a JPEG, PNG or WebP image, or a multipart form with the field `{FIELD}`: {why}."
        ),
    )
}
