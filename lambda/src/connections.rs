//! Connections: how many there may be, and how long a client may take with each.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tower::{Service, service_fn};

use crate::problem::{Kind, Problem};

/// How many connections are served at once.
const MAX_CONNECTIONS: usize = 512;

/// How many more are told that there are too many; any beyond are closed.
const MAX_REFUSALS: usize = 128;

/// How long the head of a request may take, from the first wait for it: so it is also how long a
/// connection may rest between two requests.
const HEAD: Duration = Duration::from_secs(15);

/// The same where there are too many connections.
const HEAD_OF_REFUSED: Duration = Duration::from_secs(2);

/// How long a client may take nothing of its answer.
const STALLED: Duration = Duration::from_secs(30);

/// The most headers of a request, and the most bytes of its head.
const MAX_HEADERS: usize = 64;
const MAX_HEAD: usize = 32 << 10;

/// How long requests that are under way may go on after the service is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// How long to wait where connections cannot be accepted, because the process has too many files open.
const NO_MORE_FILES: Duration = Duration::from_millis(100);

/// The address at the other end of the connection, which each request carries.
#[derive(Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Answers requests with `app` until `stop` ends, and then those that are under way.
pub(crate) async fn serve(app: Router, listener: TcpListener, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let served = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let refused = Arc::new(Semaphore::new(MAX_REFUSALS));
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok((stream, address)) => (stream, Peer(address.ip())),
            Err(error) => {
                if !is_of_one_connection(&error) {
                    tracing::error!(%error, "cannot accept connections");
                    tokio::time::sleep(NO_MORE_FILES).await;
                }
                continue;
            }
        };
        // Answers are written whole; there is nothing to gain from waiting for more of one.
        let _ = stream.set_nodelay(true);
        if let Ok(place) = Arc::clone(&served).try_acquire_owned() {
            let mut app = app.clone();
            let answer = service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(peer);
                app.call(request.map(Body::new))
            });
            tokio::spawn(connection(stream, HEAD, answer, graceful.watcher(), place));
        } else if let Ok(place) = Arc::clone(&refused).try_acquire_owned() {
            let answer = service_fn(async |_: Request<Incoming>| Ok(too_many()));
            tokio::spawn(connection(stream, HEAD_OF_REFUSED, answer, graceful.watcher(), place));
        }
    }
    drop(listener);
    // Those who are not ready by then are cut off.
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}

/// Answers the requests of one connection.
async fn connection<S>(
    stream: TcpStream,
    head: Duration,
    answer: S,
    watcher: Watcher,
    place: OwnedSemaphorePermit,
) where
    S: Service<Request<Incoming>, Response = Response, Error = std::convert::Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(STALLED));
    let stream = TokioIo::new(Box::pin(stream));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD)
        .serve_connection(stream, TowerToHyperService::new(answer));
    // What goes wrong with a connection is its client's doing, or the client is gone.
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended");
    }
    drop(place);
}

fn too_many() -> Response {
    let words = "There are too many connections; try again in a moment.";
    let mut response = Problem::new(Kind::TooBusy, words).into_response();
    let close = axum::http::HeaderValue::from_static("close");
    response.headers_mut().insert(axum::http::header::CONNECTION, close);
    response
}

/// Whether the next connection may do better.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    [ConnectionAborted, ConnectionRefused, ConnectionReset].contains(&error.kind())
}
