//! What the service is started with: flags, or environment variables of the same meaning.

use std::net::{IpAddr, Ipv4Addr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use axum::http::{HeaderName, HeaderValue};
use clap::{Args, Parser};
use reqwest::Url;

/// Finds the celebrities whom a photo looks like: the look-alike HTTP API.
///
/// Under AWS Lambda (when AWS_LAMBDA_RUNTIME_API is set) it answers invocations; otherwise it
/// listens on HOST:PORT.
#[derive(Clone, Debug, Parser)]
#[command(name = "lambda", version)]
pub struct Settings {
    /// The gallery to search, made by `embed import`; or s3://BUCKET/PREFIX, where it was published. With
    /// INDEX_URL only its portraits are used.
    #[arg(long, env, value_name = "DIR")]
    pub store: PathBuf,

    /// Where a gallery from a bucket is kept [default: a folder below that for temporary files].
    #[arg(long, env, value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,

    /// The address of an index service to search in instead, such as http://127.0.0.1:8081.
    #[arg(long, env, value_name = "URL")]
    pub index_url: Option<Url>,

    /// How it is searched there.
    #[command(flatten)]
    pub index: IndexAccess,

    /// The folder with the networks and the ONNX Runtime library.
    #[arg(long, env, value_name = "DIR", default_value = "assets")]
    pub models_dir: PathBuf,

    /// Also serve the static page in this folder, under `/`.
    #[arg(long, env, value_name = "DIR")]
    pub site_dir: Option<PathBuf>,

    /// The address to listen on; 0.0.0.0 admits other machines.
    #[arg(long, env, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub host: IpAddr,

    /// The port to listen on; 0 takes a free one.
    #[arg(long, env, default_value_t = 8080)]
    pub port: u16,

    /// How many photos are worked on at once [default: one per processor].
    #[arg(long, env, value_name = "COUNT")]
    pub workers: Option<NonZeroUsize>,

    /// How many photos a client may send in a minute, or at once after a pause [default: no limit].
    #[arg(long, env, value_name = "PHOTOS")]
    pub rate_limit: Option<NonZeroU32>,

    /// The header in which a trusted proxy in front writes the client's address, such as
    /// x-forwarded-for [default: the address of the connection counts].
    #[arg(long, env, value_name = "HEADER")]
    pub client_address_header: Option<HeaderName>,

    /// The sites whose pages may call this API, such as https://example.org,https://www.example.org
    /// [default: none but its own].
    #[arg(long, env, value_name = "ORIGINS", value_delimiter = ',', value_parser = origin)]
    pub cors_origins: Vec<HeaderValue>,
}

/// An origin as browsers send it: scheme, host, and the port where it is not the usual one.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let origin = url.origin().ascii_serialization();
    if !url.origin().is_tuple() || origin != text {
        return Err(format!("write it as browsers do, without a path: {origin}"));
    }
    HeaderValue::try_from(origin).map_err(|error| error.to_string())
}

impl Settings {
    /// Where a gallery from a bucket is kept.
    pub(crate) fn cache_dir(&self) -> PathBuf {
        self.cache_dir.clone().unwrap_or_else(|| std::env::temp_dir().join("lookalikes"))
    }

    /// How many photos are worked on at once.
    pub(crate) fn worker_count(&self) -> NonZeroUsize {
        self.workers
            .or_else(|| std::thread::available_parallelism().ok())
            .unwrap_or(NonZeroUsize::MIN)
    }
}

/// A collection of an index service.
#[derive(Clone, Debug, Args)]
pub struct IndexAccess {
    /// The collection of the index service that holds the gallery.
    #[arg(
        long = "index-collection",
        env = "INDEX_COLLECTION",
        value_name = "NAME",
        default_value = "faces"
    )]
    pub collection: String,

    /// The key that the index service is shown.
    #[arg(long = "index-key", env = "INDEX_KEY", value_name = "KEY", hide_env_values = true)]
    pub key: Option<String>,
}
