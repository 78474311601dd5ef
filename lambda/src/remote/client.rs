//! Calls to the index service, bounded in time and repeated where that may help.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderValue;
use backon::{ExponentialBuilder, Retryable};
use embed::GalleryError;
use reqwest::{Method, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::causes::with_causes;

/// A connection that is idle for longer may be closed by the service just when it is used again.
const IDLE: Duration = Duration::from_secs(5);

/// Why the index service cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The address is none that can be called.
    #[error(
        "INDEX_URL={url} cannot be used: {why}; give the address of the index, http://HOST:8081"
    )]
    Address {
        /// What was given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The service does not answer, or says that it cannot now.
    #[error("the index does not answer at {url}: {why}; start it, or correct INDEX_URL")]
    Away {
        /// What was called.
        url: Url,
        /// What happened.
        why: String,
    },
    /// The service does not do it.
    #[error("the index refuses {url} with {status}: {why}")]
    Refused {
        /// What was called.
        url: Url,
        /// The status of the answer.
        status: StatusCode,
        /// The service's words.
        why: String,
    },
    /// The answer is not that of an index service.
    #[error("{url} answers as no index does: {why}; correct INDEX_URL")]
    Strange {
        /// What was called.
        url: Url,
        /// What is wrong with it.
        why: String,
    },
    /// The collection does not say which network made its vectors.
    #[error("{} has no metadata of a gallery; fill it with the command `push`", place.display())]
    NotAGallery {
        /// The address of the collection.
        place: PathBuf,
    },
    /// The gallery in it, or the one to be put there.
    #[error(transparent)]
    Gallery(#[from] GalleryError),
}

impl IndexError {
    /// Whether it may pass by itself.
    fn passes(&self) -> bool {
        matches!(self, Self::Away { .. })
    }

    /// Whether nothing but other settings will help.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Refused { status, .. } => {
                [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(status)
            }
            Self::Address { .. } | Self::Gallery(_) => true,
            Self::Away { .. } | Self::Strange { .. } | Self::NotAGallery { .. } => false,
        }
    }
}

/// How long a caller is ready to wait.
pub(crate) struct Patience {
    /// For a connection.
    pub(crate) connect: Duration,
    /// For one answer, connection included.
    pub(crate) answer: Duration,
    /// How many times a call is repeated.
    pub(crate) repeats: usize,
    /// The longest pause before a repetition.
    pub(crate) pause: Duration,
}

/// A client of one index service. Whatever it calls may be called twice with the effect of once.
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    key: Option<HeaderValue>,
    backoff: ExponentialBuilder,
}

impl Client {
    /// Of the service at `base`, which is shown `key`. Nothing is called yet.
    pub(crate) fn new(
        base: &Url,
        key: Option<&str>,
        patience: &Patience,
    ) -> Result<Self, IndexError> {
        let wrong =
            |why: &dyn Error| IndexError::Address { url: base.to_string(), why: with_causes(why) };
        let http = reqwest::Client::builder()
            .connect_timeout(patience.connect)
            .timeout(patience.answer)
            .pool_idle_timeout(IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| wrong(&error))?;
        if base.cannot_be_a_base() || !["http", "https"].contains(&base.scheme()) {
            let why = "it does not begin with http:// or https://".to_owned();
            return Err(IndexError::Address { url: base.to_string(), why });
        }
        let key = key.map(|key| {
            let mut value = HeaderValue::try_from(format!("Bearer {key}"))?;
            value.set_sensitive(true);
            Ok::<_, axum::http::header::InvalidHeaderValue>(value)
        });
        let backoff = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(Duration::from_millis(50))
            .with_max_delay(patience.pause)
            .with_max_times(patience.repeats);
        let key = key.transpose().map_err(|error| IndexError::Address {
            url: base.to_string(),
            why: format!("the key for it cannot be sent ({error})"),
        })?;
        Ok(Self { http, base: base.clone(), key, backoff })
    }

    /// The address of something below a collection.
    pub(crate) fn url(&self, collection: &str, below: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("collections").push(collection).extend(below);
        }
        url
    }

    /// Calls, again where the service does not answer, and understands the answer.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        url: &Url,
        body: Option<Vec<u8>>,
    ) -> Result<T, IndexError> {
        let body = body.map(axum::body::Bytes::from);
        let answer = (|| self.once(method.clone(), url, body.clone()))
            .retry(self.backoff)
            .when(IndexError::passes)
            .notify(|error, pause| tracing::warn!(%error, ?pause, "asking the index again"))
            .await?;
        serde_json::from_slice(&answer)
            .map_err(|error| IndexError::Strange { url: url.clone(), why: error.to_string() })
    }

    async fn once(
        &self,
        method: Method,
        url: &Url,
        body: Option<axum::body::Bytes>,
    ) -> Result<axum::body::Bytes, IndexError> {
        let away = |why: String| IndexError::Away { url: url.clone(), why };
        let mut request = self.http.request(method, url.clone());
        if let Some(key) = &self.key {
            request = request.header("authorization", key.clone());
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let failed = |error: reqwest::Error| away(with_causes(&error.without_url()));
        let response = request.send().await.map_err(failed)?;
        let status = response.status();
        let body = response.bytes().await.map_err(failed)?;
        if status.is_success() {
            return Ok(body);
        }
        let why = words(&body);
        match status {
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Err(away(why)),
            _ if status.is_server_error() => Err(away(format!("{status}: {why}"))),
            _ => Err(IndexError::Refused { url: url.clone(), status, why }),
        }
    }
}

/// What a problem document says, or that there is none.
fn words(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Document {
        detail: String,
    }
    let document = serde_json::from_slice::<Document>(body);
    document.map_or_else(|_| "no reason is given".to_owned(), |document| document.detail)
}
