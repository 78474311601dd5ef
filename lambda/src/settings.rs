//! What the service is started with: flags, or environment variables of the same meaning.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Parser;

/// Finds the celebrities whom a photo looks like: the look-alike HTTP API.
///
/// Under AWS Lambda (when AWS_LAMBDA_RUNTIME_API is set) it answers invocations; otherwise it
/// listens on HOST:PORT.
#[derive(Clone, Debug, Parser)]
#[command(name = "lambda", version)]
pub struct Settings {
    /// The gallery to search, made by `embed import`; or s3://BUCKET/PREFIX, where it was published.
    #[arg(long, env, value_name = "DIR")]
    pub store: PathBuf,

    /// Where a gallery from a bucket is kept [default: a folder below that for temporary files].
    #[arg(long, env, value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,

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
}

impl Settings {
    /// Where a gallery from a bucket is kept.
    pub fn cache_dir(&self) -> PathBuf {
        self.cache_dir.clone().unwrap_or_else(|| std::env::temp_dir().join("lookalikes"))
    }

    /// How many photos are worked on at once.
    pub(crate) fn worker_count(&self) -> NonZeroUsize {
        self.workers
            .or_else(|| std::thread::available_parallelism().ok())
            .unwrap_or(NonZeroUsize::MIN)
    }
}
