//! Runs the application: under AWS Lambda, or as a plain HTTP server.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;

use crate::connections;

/// Set by AWS Lambda, and by `cargo lambda watch`, to the address that hands out invocations.
const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";

/// Why the service stopped serving.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another address with HOST and PORT")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// Signals cannot be received.
    #[error("the server stopped: {0}; start it again")]
    Stopped(#[from] io::Error),
    /// The Lambda runtime gave up.
    #[error("the Lambda runtime stopped: {0}")]
    Runtime(lambda_http::Error),
}

/// Whether invocations are to be answered, not connections.
pub(crate) fn is_under_lambda() -> bool {
    std::env::var_os(RUNTIME_API).is_some()
}

/// Answers the invocations of AWS Lambda with `app`.
pub(crate) async fn answer_invocations(app: Router) -> Result<(), ServeError> {
    lambda_http::run(app).await.map_err(ServeError::Runtime)
}

/// Serves `app` on an address until the process is told to stop, and its requests have ended.
pub(crate) async fn listen(app: Router, address: SocketAddr) -> Result<(), ServeError> {
    let failed = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    tracing::info!("listening on http://{}", listener.local_addr().map_err(failed)?);

    connections::serve(app, listener, stop_signal()?).await;
    Ok(())
}

/// Ends when the process is interrupted (Ctrl-C) or asked to terminate.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
