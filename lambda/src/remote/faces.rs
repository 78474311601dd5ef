//! The faces in a collection of the index service.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use embed::{
    Embedding, Entry, Gallery, LookAlike, Manifest, PersonPhoto, Pipeline, SimilarityCurve,
};
use futures_util::future::{BoxFuture, try_join_all};
use reqwest::{Method, Url};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Client, IndexError, Patience};
use crate::face_index::FaceIndex;
use crate::index::as_base64;
use crate::problem::{Kind, Problem};
use crate::settings::IndexAccess;

/// A person waits for the answer.
const PATIENCE: Patience = Patience {
    connect: Duration::from_millis(500),
    answer: Duration::from_secs(2),
    repeats: 2,
    pause: Duration::from_millis(400),
};

/// The longest that a person waits, all repetitions included.
const DEADLINE: Duration = Duration::from_secs(5);

/// After so long it is looked again whether the vectors are of the right network: somebody may have
/// filled the collection anew.
const CHECKED_FOR: Duration = Duration::from_secs(30);

/// A collection of the index service that holds a gallery.
pub(crate) struct RemoteFaces {
    client: Client,
    collection: String,
    /// What its vectors must be made with.
    asked: Manifest,
    dimension: usize,
    curve: SimilarityCurve,
    checked: Mutex<Option<Instant>>,
}

#[derive(Serialize)]
struct Search<'a> {
    #[serde(serialize_with = "as_base64")]
    vector: &'a [f32],
    k: usize,
    group_by: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<Filter<'a>>,
}

#[derive(Serialize)]
struct Filter<'a> {
    any: [&'a str; 1],
}

#[derive(Deserialize)]
struct Hits {
    hits: Vec<Hit>,
}

#[derive(Deserialize)]
struct Hit {
    id: u64,
    score: f32,
    payload: Entry,
}

/// What is asked for of a record.
#[derive(Deserialize)]
struct Item {
    vector: Vec<f32>,
}

/// What a collection says of itself.
#[derive(Deserialize)]
struct About {
    vectors: usize,
    metadata: Option<Value>,
}

impl RemoteFaces {
    /// For embeddings of `pipeline`. Nothing is called yet.
    pub(crate) fn new(
        url: &Url,
        access: &IndexAccess,
        pipeline: &Pipeline,
    ) -> Result<Self, IndexError> {
        Ok(Self {
            client: Client::new(url, access.key.as_deref(), &PATIENCE)?,
            collection: access.collection.clone(),
            asked: Manifest::of(pipeline),
            dimension: pipeline.embedding_model().dimension,
            curve: Gallery::curve(pipeline)?,
            checked: Mutex::new(None),
        })
    }

    /// Looks whether the collection holds a gallery of the right network, and of how many photos.
    pub(crate) async fn check(&self) -> Result<usize, IndexError> {
        let url = self.client.url(&self.collection, &[]);
        let About { vectors, metadata } = self.client.call(Method::GET, &url, None).await?;
        let place = PathBuf::from(url.as_str());
        let metadata = metadata.ok_or_else(|| IndexError::NotAGallery { place: place.clone() })?;
        Manifest::parse(metadata.to_string().as_bytes(), &place)?.admit(&place, &self.asked)?;
        *self.checked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Ok(vectors)
    }

    async fn search(&self, search: &Search<'_>) -> Result<Vec<Hit>, IndexError> {
        let checked = *self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if checked.is_none_or(|checked| checked.elapsed() > CHECKED_FOR) {
            self.check().await?;
        }
        let url = self.client.url(&self.collection, &["search"]);
        let strange = |error: serde_json::Error| IndexError::Strange {
            url: url.clone(),
            why: error.to_string(),
        };
        let body = serde_json::to_vec(search).map_err(strange)?;
        let Hits { hits } = self.client.call(Method::POST, &url, Some(body)).await?;
        Ok(hits)
    }

    async fn nearest(&self, face: &Embedding, k: usize) -> Result<Vec<LookAlike>, IndexError> {
        let search = Search { vector: face.as_slice(), k, group_by: true, filter: None };
        let hits = self.search(&search).await?;
        Ok(hits.into_iter().map(|hit| hit.payload.look_alike(hit.score, self.curve)).collect())
    }

    async fn theirs(&self, person: &str, most: usize) -> Result<Vec<PersonPhoto>, IndexError> {
        // All that are theirs match, whatever they are asked to be near to.
        let any = vec![1.0; self.dimension];
        let filter = Some(Filter { any: [person] });
        let hits = self.search(&Search { vector: &any, k: most, group_by: false, filter }).await?;
        let photos = hits.into_iter().map(|hit| async move {
            let url = self.client.url(&self.collection, &["vectors", &hit.id.to_string()]);
            let Item { vector } = self.client.call(Method::GET, &url, None).await?;
            Ok::<_, IndexError>(hit.payload.photo(vector))
        });
        Ok(try_join_all(photos).await?.into_iter().flatten().collect())
    }
}

/// An answer, or that it took too long.
async fn in_time<T>(answer: impl Future<Output = Result<T, IndexError>>) -> Result<T, Problem> {
    let answer = tokio::time::timeout(DEADLINE, answer).await;
    answer.map_err(|_| unavailable("it took too long"))?.map_err(unavailable)
}

impl FaceIndex for RemoteFaces {
    fn lookalikes<'a>(
        &'a self,
        face: &'a Embedding,
        k: usize,
    ) -> BoxFuture<'a, Result<Vec<LookAlike>, Problem>> {
        Box::pin(in_time(self.nearest(face, k)))
    }

    fn photos_of<'a>(
        &'a self,
        person: &'a str,
        most: usize,
    ) -> BoxFuture<'a, Result<Vec<PersonPhoto>, Problem>> {
        Box::pin(in_time(self.theirs(person, most)))
    }

    fn photos(&self) -> BoxFuture<'_, Result<usize, Problem>> {
        Box::pin(async move { self.check().await.map_err(unavailable) })
    }
}

/// The cause goes to the log: a visitor can do nothing about it.
fn unavailable(cause: impl std::fmt::Display) -> Problem {
    tracing::error!(%cause, "the index cannot be used");
    Problem::new(
        Kind::IndexUnavailable,
        "The index of faces does not answer; try again in a moment.",
    )
}
