//! The page as a visitor has it open: what they do, and what they are shown.

use std::ffi::OsStr;
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use image::RgbImage;
use serde_json::json;
use tempfile::TempDir;

use super::browser::Browser;
use super::portraits::{self, AARON, Sitter};
use crate::common;
use crate::common::gallery::demo;
use crate::common::process::Server;

/// The page of a server of its own, in a browser of its own.
pub(crate) struct Page {
    pub(crate) browser: Browser,
    server: Option<Server>,
    port: u16,
    folder: TempDir,
}

/// A look-alike as the page shows it.
#[derive(Debug)]
pub(crate) struct Match {
    pub(crate) name: String,
    pub(crate) percent: u32,
}

/// A rectangle in pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Page {
    pub(crate) async fn open(language: &str) -> Self {
        Self::open_in(Browser::start(language).await).await
    }

    /// Opens the page in a browser that was started in a special way.
    pub(crate) async fn open_in(browser: Browser) -> Self {
        Self::of_gallery(browser, &demo().folder).await
    }

    /// Opens the page of a server with another gallery.
    pub(crate) async fn of_gallery(browser: Browser, gallery: &Path) -> Self {
        let server = serve(gallery, "0");
        let folder = tempfile::tempdir().expect("make a folder for photos");
        let page = Self { browser, port: server.port, server: Some(server), folder };
        page.browser.open(&page.address()).await;
        page
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Ends the server under the open page.
    pub(crate) fn stop_server(&mut self) {
        self.server = None;
    }

    /// Starts a server where the one before was.
    pub(crate) fn restart_server(&mut self) {
        self.server = Some(serve(&demo().folder, &self.port.to_string()));
    }

    /// Begins to send a photo, as another visitor whose line then hangs.
    pub(crate) fn hanging_upload(&self) -> TcpStream {
        let mut visitor = TcpStream::connect(("127.0.0.1", self.port)).expect("connect");
        let head = "POST /api/lookalikes HTTP/1.1\r\nHost: localhost\r\n\
            Content-Type: image/jpeg\r\nContent-Length: 10000000\r\n\r\n";
        visitor.write_all(head.as_bytes()).expect("begin an upload");
        visitor
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).expect("write a photo");
        path
    }

    pub(crate) async fn choose(&self, name: &str, bytes: &[u8]) {
        self.browser.choose_file(&self.file(name, bytes)).await;
    }

    pub(crate) async fn choose_photo(&self, photo: &RgbImage) {
        self.choose("photo.jpg", &portraits::jpeg(photo)).await;
    }

    /// The look-alikes, as soon as there are any.
    pub(crate) async fn matches(&self) -> Vec<Match> {
        self.browser.visible(".match .name").await;
        let shown = self
            .browser
            .run(
                "return [...document.querySelectorAll('.match')].map(match => [
                    match.querySelector('.name').innerText,
                    match.querySelector('.similarity').lastChild.textContent])",
            )
            .await;
        let shown: Vec<(String, String)> = serde_json::from_value(shown).expect("pairs of texts");
        shown
            .into_iter()
            .map(|(name, similarity)| {
                let number = similarity.trim().trim_end_matches(['%', ' ', '\u{a0}']);
                let percent =
                    number.parse().unwrap_or_else(|_| panic!("{similarity} is no percentage"));
                Match { name, percent }
            })
            .collect()
    }

    /// Asserts that the photo's own person comes first.
    pub(crate) async fn finds(&self, sitter: &Sitter) {
        let matches = self.matches().await;
        assert_eq!(matches[0].name, sitter.name, "{matches:?}");
    }

    /// Asserts that a portrait is answered as if nothing had happened before.
    pub(crate) async fn still_works(&self) {
        self.choose_photo(&AARON.portrait(600)).await;
        self.finds(&AARON).await;
        assert!(!self.browser.is_visible(".problem").await, "the problem is still shown");
    }

    /// Asserts that the page says `what` went wrong.
    pub(crate) async fn complains(&self, what: &str) {
        self.browser.visible(".problem").await;
        let text = self.browser.text("main").await;
        assert!(text.contains(what), "{text}");
    }

    /// Where the marks of faces are, in pixels of the photo that is shown.
    pub(crate) async fn marks(&self) -> Vec<Rect> {
        self.browser.visible(".mark").await;
        let marks = self
            .browser
            .run(
                "const photo = document.querySelector('marked-photo img');
                const frame = photo.getBoundingClientRect();
                const scale = photo.naturalWidth / frame.width;
                return [...document.querySelectorAll('.mark')].map(mark => {
                    const { x, y, width, height } = mark.getBoundingClientRect();
                    return [x - frame.x, y - frame.y, width, height].map(length => length * scale);
                })",
            )
            .await;
        let marks: Vec<[f64; 4]> = serde_json::from_value(marks).expect("rectangles");
        marks.into_iter().map(|[x, y, width, height]| Rect { x, y, width, height }).collect()
    }

    /// Asserts that nothing was written to the console but what `allowed` names.
    pub(crate) async fn console_is_clean_but_for(&self, allowed: &[&str]) {
        let lines = self.browser.console().await;
        let surprises: Vec<_> = lines
            .iter()
            .filter(|line| !allowed.iter().any(|allowed| line.contains(allowed)))
            .collect();
        assert!(surprises.is_empty(), "{surprises:#?}");
    }

    /// Asserts that axe-core finds nothing that keeps people from using the page as it is now, in
    /// light and in dark.
    pub(crate) async fn is_accessible(&self, state: &str) {
        let axe = common::workspace().join("site/node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(&axe).unwrap_or_else(|error| {
            panic!("{}: {error}; run `npm --prefix site ci` first", axe.display())
        });
        if self.browser.run("return typeof axe").await == json!("undefined") {
            self.browser.run(&axe).await;
        }
        for scheme in ["dark", "light"] {
            self.browser.prefer(&[("prefers-color-scheme", scheme)]).await;
            // Colours on their way to others have no contrast to judge.
            let found = self
                .browser
                .run(
                    "const passing = document.getAnimations()
                        .filter(animation => animation.effect.getComputedTiming().endTime !== Infinity);
                    await Promise.all(passing.map(animation => animation.finished.catch(() => {})));
                    const { violations, passes } = await axe.run(document);
                    return [passes.length, violations.map(({ id, help, nodes }) =>
                        [id, help, nodes.map(({ html, any }) => [html, any[0]?.message])])]",
                )
                .await;
            let saw_enough = found[0].as_u64().is_some_and(|passes| passes > 10);
            assert!(saw_enough, "{state}, {scheme}: axe saw {found}");
            assert_eq!(found[1], json!([]), "{state}, {scheme}: {found:#}");
        }
    }

    /// Asserts that the page has spoken to no host but its own.
    pub(crate) async fn spoke_to_its_own_host_only(&self) {
        let hosts = self
            .browser
            .run(
                "return [...new Set(performance.getEntries()
                    .filter(entry => ['navigation', 'resource'].includes(entry.entryType))
                    .map(entry => entry.name)
                    .filter(name => !/^(blob|data):/.test(name))
                    .map(name => new URL(name).origin + '/'))]",
            )
            .await;
        assert_eq!(hosts, json!([self.address()]));
    }

    pub(crate) async fn does_not_scroll_sideways(&self) {
        let [content, window]: [f64; 2] = serde_json::from_value(
            self.browser
                .run("return [document.documentElement.scrollWidth, window.innerWidth]")
                .await,
        )
        .expect("two widths");
        assert!(content <= window, "the page is {content} px wide in a window of {window} px");
    }
}

impl Rect {
    pub(crate) fn contains_middle_of(self, other: Rect) -> bool {
        let (x, y) = (other.x + other.width / 2.0, other.y + other.height / 2.0);
        (self.x..self.x + self.width).contains(&x) && (self.y..self.y + self.height).contains(&y)
    }
}

/// Starts the real server with the page.
fn serve(gallery: &Path, port: &str) -> Server {
    let site = common::workspace().join("site");
    let settings = [("SITE_DIR", site.as_os_str()), ("PORT", OsStr::new(port))];
    Server::start(gallery, &settings)
}
