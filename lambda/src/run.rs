//! Runs the look-alike service: under AWS Lambda, or as a plain HTTP server.

use std::future;
use std::io;
use std::net::SocketAddr;

use axum::Router;
use tokio::runtime::{self, Runtime};

use crate::app::App;
use crate::open::{OpenError, open};
use crate::serve::{ServeError, answer_invocations, is_under_lambda, listen};
use crate::settings::Settings;
use crate::site::NoSite;
use crate::snapshot::{Snapshot, SnapshotError};

/// Why the service does not serve, or no longer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotServing {
    /// The networks, the gallery or the index service.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The page.
    #[error(transparent)]
    Site(#[from] NoSite),
    /// The gallery in a bucket.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The server, or the Lambda runtime.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// Threads cannot be started.
    #[error("cannot start: {0}")]
    Start(#[from] io::Error),
}

/// The look-alike API as one router, with everything open, for programs that serve it themselves.
///
/// # Errors
///
/// When something cannot be opened.
pub async fn router(settings: &Settings) -> Result<Router, NotServing> {
    let app = App::new(settings);
    app.open(open(settings.clone()).await?);
    Ok(app.router(settings)?)
}

/// Serves the look-alike API until the process is told to stop.
///
/// A gallery in a bucket is brought first. A plain server then listens at once and opens the networks and
/// the gallery meanwhile; photos that come before wait. Under AWS Lambda all is opened first, because there
/// the time before the first invocation has more of a processor.
///
/// # Errors
///
/// When something cannot be opened, the address is taken or not ours, or the server or the Lambda
/// runtime fails.
pub fn serve(mut settings: Settings) -> Result<(), NotServing> {
    let snapshot = Snapshot::bring(&settings.store, &settings.cache_dir())?;
    settings.store = snapshot.folder().to_owned();
    let app = App::new(&settings);
    let router = snapshot.serve_portraits(app.router(&settings)?);
    let address = SocketAddr::new(settings.host, settings.port);
    let opening = async move {
        app.open(open(settings).await?);
        Ok::<_, OpenError>(())
    };
    if is_under_lambda() {
        // One invocation comes at a time, and one thread keeps the order in which the runtime's
        // client gives back its connection and takes it again. With several threads it now and
        // then opens a new one instead, which `cargo lambda watch` takes for the end of the
        // function: the request under way fails, or is never answered.
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        return runtime.block_on(async {
            opening.await?;
            Ok(answer_invocations(router).await?)
        });
    }
    Runtime::new()?.block_on(async {
        let failed = async {
            match opening.await {
                Ok(()) => future::pending().await,
                Err(error) => error,
            }
        };
        tokio::select! {
            served = listen(router, address) => Ok(served?),
            error = failed => Err(error.into()),
        }
    })
}
