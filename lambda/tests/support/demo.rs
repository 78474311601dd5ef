//! The page with the demo gallery behind it, for programs that visit it.

use std::error::Error;
use std::future::IntoFuture;
use std::net::Ipv4Addr;

use clap::Parser;
use lambda::Settings;
use tokio::net::TcpListener;

use super::portraits::workspace_root;

/// Serves the page for as long as `visit` takes, which is told its address.
pub(crate) async fn serve_demo(
    visit: impl AsyncFnOnce(&str) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let root = workspace_root();
    let settings = Settings::parse_from([
        "lambda".into(),
        "--store".into(),
        root.join("data/demo"),
        "--models-dir".into(),
        root.join("assets"),
        "--site-dir".into(),
        root.join("site"),
    ]);
    let app = lambda::router(&settings).await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::select! {
        served = axum::serve(listener, app).into_future() => Ok(served?),
        visited = visit(&url) => visited,
    }
}
