//! From a request's body to the bytes of the photo in it, bounded in size and time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use mime::Mime;
use multer::Multipart;
use tokio::sync::Semaphore;

use crate::problem::{Kind, Problem};

/// The form field that holds the photo.
const FIELD: &str = "photo";

/// A form has one photo and perhaps a few small fields; more parts are not read.
const MAX_PARTS: usize = 16;

/// How many bodies may be on their way at once: with the largest size of one it bounds the memory
/// that slow clients can hold.
const MAX_UPLOADS: usize = 32;

/// How long a body may take to arrive: 10 MB over a slow mobile line.
const DEADLINE: Duration = Duration::from_secs(60);

/// How much of a refused body is read and thrown away, and for how long, so that a client which
/// is still sending gets the answer instead of a broken connection.
const MAX_DISCARDED: usize = 40_000_000;
const DISCARD_DEADLINE: Duration = Duration::from_secs(10);

/// Receives photos, a bounded number at once.
#[derive(Clone)]
pub(crate) struct PhotoBodies {
    max_bytes: u64,
    uploads: Arc<Semaphore>,
}

impl PhotoBodies {
    /// Accepts bodies of at most `max_bytes`. AWS Lambda itself stops at 6 MB of event, which is
    /// about 4.4 MB of photo after base64.
    pub(crate) fn new(max_bytes: u64) -> Self {
        Self { max_bytes, uploads: Arc::new(Semaphore::new(MAX_UPLOADS)) }
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
        let _upload = self.uploads.try_acquire().map_err(|_| {
            Problem::new(Kind::TooBusy, "Too many photos are arriving; try again in a moment.")
        })?;
        let bytes = tokio::time::timeout(DEADLINE, read(headers, body, self.max_bytes))
            .await
            .map_err(|_| too_slow())??;
        match media {
            Media::Image => Ok(bytes),
            Media::Form { boundary } => photo_field(&bytes, boundary).await,
        }
    }
}

/// Throws away what a refused request still sends, within bounds.
///
/// A client that asked for leave to send (`Expect: 100-continue`) has not sent anything.
pub(crate) async fn discard(headers: &HeaderMap, body: &mut Body) {
    if headers.contains_key(header::EXPECT) {
        return;
    }
    let rest = async {
        let mut discarded = 0;
        while let Some(Ok(frame)) = body.frame().await {
            discarded += frame.data_ref().map_or(0, |data| data.len());
            if discarded > MAX_DISCARDED {
                return;
            }
        }
    };
    // When the time is over the connection is closed, which is all that is left to do.
    let _ = tokio::time::timeout(DISCARD_DEADLINE, rest).await;
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

async fn read(headers: &HeaderMap, body: &mut Body, max_bytes: u64) -> Result<Vec<u8>, Problem> {
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > max_bytes) {
        return Err(too_large(max_bytes));
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Problem::new(Kind::NotAnImage, "The connection broke off; send the photo again.")
        })?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        if (bytes.len() + data.len()) as u64 > max_bytes {
            return Err(too_large(max_bytes));
        }
        bytes.extend_from_slice(data);
    }
    Ok(bytes)
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

fn too_large(max_bytes: u64) -> Problem {
    Problem::new(
        Kind::TooLarge,
        format!("The photo may have at most {max_bytes} bytes; send a smaller one."),
    )
}

fn too_slow() -> Problem {
    Problem::new(
        Kind::TooSlow,
        format!(
            "The photo did not arrive within {} seconds; send a smaller one.",
            DEADLINE.as_secs()
        ),
    )
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use http_body_util::channel::{Channel, Sender};

    use super::*;

    const MAX_BYTES: u64 = 1000;

    /// A body that arrives only as far as it is sent.
    fn arriving() -> (Sender<Bytes>, Body) {
        let (sender, body) = Channel::<Bytes>::new(1);
        (sender, Body::new(body))
    }

    fn kind(received: Result<Vec<u8>, Problem>) -> Kind {
        received.unwrap_err().kind
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_is_given_up() {
        let bodies = PhotoBodies::new(MAX_BYTES);
        let (mut sender, mut body) = arriving();
        sender.send_data(Bytes::from_static(b"\xff\xd8")).await.unwrap();
        assert_eq!(kind(bodies.receive(&HeaderMap::new(), &mut body).await), Kind::TooSlow);
        discard(&HeaderMap::new(), &mut body).await;
        assert_eq!(bodies.uploads.available_permits(), MAX_UPLOADS);
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_on_their_way_are_bounded() {
        let bodies = PhotoBodies::new(MAX_BYTES);
        let (senders, arriving): (Vec<_>, Vec<_>) = (0..MAX_UPLOADS).map(|_| arriving()).unzip();
        let uploads: Vec<_> = arriving
            .into_iter()
            .map(|mut body| {
                let bodies = bodies.clone();
                tokio::spawn(async move { bodies.receive(&HeaderMap::new(), &mut body).await })
            })
            .collect();
        while bodies.uploads.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let mut one_more = Body::from("photo");
        assert_eq!(kind(bodies.receive(&HeaderMap::new(), &mut one_more).await), Kind::TooBusy);

        drop(senders);
        for upload in uploads {
            assert_eq!(upload.await.unwrap().unwrap(), b"");
        }
        assert_eq!(bodies.receive(&HeaderMap::new(), &mut one_more).await.unwrap(), b"photo");
    }

    #[tokio::test]
    async fn the_largest_body_is_taken_and_no_larger_one() {
        let bodies = PhotoBodies::new(MAX_BYTES);
        let size = MAX_BYTES as usize;
        let mut largest = Body::from(vec![7; size]);
        assert_eq!(bodies.receive(&HeaderMap::new(), &mut largest).await.unwrap(), vec![7; size]);
        let mut larger = Body::from(vec![7; size + 1]);
        assert_eq!(kind(bodies.receive(&HeaderMap::new(), &mut larger).await), Kind::TooLarge);
    }
}
