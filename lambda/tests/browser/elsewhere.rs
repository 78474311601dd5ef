//! The page on another host than the API, as from S3: one file names the API's address.

use std::ffi::OsStr;
use std::net::Ipv4Addr;
use std::path::Path;

use axum::Router;
use serde_json::json;
use tokio::net::TcpListener;
use tower_http::services::ServeDir;

use crate::common::gallery::demo;
use crate::common::process::Server;
use crate::common::workspace;
use crate::support::browser::Browser;
use crate::support::portraits::{self, AARON};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_files_work_from_another_host() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let site = format!("http://{}", listener.local_addr().unwrap());
    let api = Server::start(&demo().folder, &[("CORS_ORIGINS", OsStr::new(&site))]);
    let address = format!("http://127.0.0.1:{}/", api.port);

    let folder = tempfile::tempdir().unwrap();
    copy(&workspace().join("site"), folder.path());
    let config = folder.path().join("config.js");
    let ours = std::fs::read_to_string(&config).unwrap();
    let theirs = ours.replace("new URL('/', import.meta.url)", &format!("new URL('{address}')"));
    assert_ne!(ours, theirs);
    std::fs::write(&config, theirs).unwrap();
    let files = Router::new().fallback_service(ServeDir::new(folder.path()));
    tokio::spawn(async move { axum::serve(listener, files).await });

    let browser = Browser::start("en").await;
    browser.open(&format!("{site}/")).await;
    let photo = folder.path().join("photo.jpg");
    std::fs::write(&photo, portraits::jpeg(&AARON.portrait(700))).unwrap();
    browser.choose_file(&photo).await;
    browser.visible(".ready .wipe").await;
    assert_eq!(browser.text(".verdict .name").await, AARON.name);
    // The portrait may be drawn on the picture for sharing.
    browser
        .run("HTMLAnchorElement.prototype.click = function () { window.saved = this.download; }")
        .await;
    browser.click(".verdict .button").await;
    browser.until("window.saved").await;
    browser.click(".verdict .quiet").await;
    browser.visible("person-dialog .card").await;
    let broken = browser
        .run(
            "await Promise.all([...document.images].map(image => image.decode().catch(() => {})));
            return [...document.images].filter(image => image.naturalWidth === 0).map(image => image.src)",
        )
        .await;
    assert_eq!(broken, json!([]));
    assert_eq!(browser.console().await, Vec::<String>::new());
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap() {
            kind if kind.is_dir() && entry.file_name() == "node_modules" => {}
            kind if kind.is_dir() => copy(&entry.path(), &target),
            _ => std::fs::copy(entry.path(), target).map(drop).unwrap(),
        }
    }
}
