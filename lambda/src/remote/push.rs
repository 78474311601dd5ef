//! Puts a gallery into a collection of the index service.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use embed::{Gallery, Manifest};
use reqwest::{Method, Url};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Client, IndexError, Patience};
use crate::index::Item;
use crate::settings::IndexAccess;

/// The index may be busy with a checkpoint, or be restarted meanwhile.
const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(5),
    answer: Duration::from_secs(60),
    repeats: 10,
    pause: Duration::from_secs(5),
};

/// A request has about so many bytes, a quarter of what the index takes.
const BATCH_BYTES: usize = 4 << 20;

/// Puts the vectors of a gallery into the index service; run it again after each import.
///
/// The portraits stay where they are, beside the look-alike API.
#[derive(Clone, Debug, Parser)]
#[command(name = "push", version)]
pub struct Push {
    /// The gallery, made by `embed import`.
    #[arg(long, env, value_name = "DIR")]
    pub store: PathBuf,

    /// The address of the index service, such as http://127.0.0.1:8081.
    #[arg(long, env, value_name = "URL")]
    pub index_url: Url,

    /// Where to put it there.
    #[command(flatten)]
    pub index: IndexAccess,
}

/// What the collection must be.
#[derive(Serialize)]
struct NewCollection {
    dimension: usize,
    metric: &'static str,
    metadata: Manifest,
}

/// What it says before.
#[derive(Deserialize)]
struct About {
    metadata: Option<Value>,
}

/// Puts the gallery there, batch by batch, each durable when it is answered; how many photos that were.
///
/// What the collection holds under the same ids is replaced, so it may be stopped and run again.
///
/// # Errors
///
/// When the gallery cannot be read, the collection holds one of another network, or the index refuses
/// or does not answer.
pub async fn push(push: &Push) -> Result<usize, IndexError> {
    let IndexAccess { collection, key } = &push.index;
    let client = Client::new(&push.index_url, key.as_deref(), &PATIENCE)?;
    let metadata = Manifest::read(&push.store)?;
    let vectors = Gallery::vectors(&push.store)?;

    let url = client.url(collection, None);
    let place = PathBuf::from(url.as_str());
    match client.call::<About>(Method::GET, &url, None).await {
        Ok(About { metadata: Some(there) }) => {
            Manifest::parse(there.to_string().as_bytes(), &place)?.admit(&place, &metadata)?;
        }
        Ok(About { metadata: None }) => {}
        Err(IndexError::Refused { status, .. }) if status.as_u16() == 404 => {}
        Err(error) => return Err(error),
    }
    let dimension = vectors.config().dimension();
    let new = NewCollection { dimension, metric: "cosine", metadata };
    client.call::<About>(Method::PUT, &url, Some(json(&new)?)).await?;

    let url = client.url(collection, Some("vectors"));
    let (mut batch, mut pushed) = (Batch::default(), 0);
    for record in vectors.snapshot().iter() {
        let item = Item::of(&record.map_err(embed::GalleryError::from)?);
        batch.add(&item.map_err(embed::GalleryError::from)?)?;
        pushed += 1;
        if batch.is_full() {
            client.call::<Value>(Method::PUT, &url, Some(batch.take())).await?;
            tracing::info!(pushed, of = vectors.len(), "pushing");
        }
    }
    if !batch.is_empty() {
        client.call::<Value>(Method::PUT, &url, Some(batch.take())).await?;
    }
    Ok(pushed)
}

/// The body of a request, as far as it is filled.
#[derive(Default)]
struct Batch(Vec<u8>);

impl Batch {
    fn add(&mut self, item: &Item) -> Result<(), IndexError> {
        let before: &[u8] = if self.is_empty() { b"{\"vectors\":[" } else { b"," };
        self.0.extend_from_slice(before);
        self.0.extend(json(item)?);
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn is_full(&self) -> bool {
        self.0.len() >= BATCH_BYTES
    }

    fn take(&mut self) -> Vec<u8> {
        self.0.extend_from_slice(b"]}");
        std::mem::take(&mut self.0)
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, IndexError> {
    let json = serde_json::to_vec(value).map_err(vecstore::Error::from);
    Ok(json.map_err(embed::GalleryError::from)?)
}
