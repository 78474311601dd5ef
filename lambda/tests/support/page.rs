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

/// Somebody who visits the page: their browser's language, and their window in CSS pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visitor {
    pub(crate) language: &'static str,
    pub(crate) window: (u32, u32),
}

pub(crate) const PHONE: Visitor = Visitor { language: "ru", window: (390, 844) };
pub(crate) const TABLET: Visitor = Visitor { language: "ru", window: (768, 1024) };
pub(crate) const DESKTOP: Visitor = Visitor { language: "en", window: (1440, 900) };

/// Lets each kind of visitor, one after the other, do the same.
pub(crate) async fn each_visitor(visit: impl AsyncFn(Page)) {
    for visitor in [PHONE, TABLET, DESKTOP] {
        eprintln!("{visitor:?}");
        visit(Page::open(visitor).await).await;
    }
}

/// Small and large windows; a desktop's at 200 % zoom, and 400 % as WCAG 2.2, 1.4.10 has it.
const WINDOWS: [(u32, u32); 7] =
    [(360, 740), (390, 844), (768, 1024), (1280, 860), (1440, 900), (640, 430), (320, 256)];

/// The texts that do not fit where they stand, and what reaches out of the window.
const MISFITS: &str = "
    const misfits = [];
    for (const node of document.querySelectorAll('body *')) {
        if (!node.checkVisibility() || node.closest('.visually-hidden, svg, .frame, .wipe, video')) continue;
        const box = node.getBoundingClientRect();
        const reach = document.createRange();
        reach.selectNodeContents(node);
        const content = reach.getBoundingClientRect();
        const holdsText = [...node.childNodes].some(({ nodeType, data }) => nodeType === Node.TEXT_NODE && data.trim());
        if (box.left < -1 || box.right > innerWidth + 1) misfits.push(['out of the window', node.outerHTML]);
        if (holdsText && (content.left < box.left - 1 || content.right > box.right + 1
            || content.top < box.top - 8 || content.bottom > box.bottom + 8)) misfits.push(['text out of its box', node.outerHTML]);
    }
    const { scrollWidth } = document.documentElement;
    if (scrollWidth > innerWidth) misfits.push(['the page scrolls sideways', `${scrollWidth} px in ${innerWidth} px`]);
    return misfits";

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
    pub(crate) async fn open(visitor: Visitor) -> Self {
        Self::open_in(Browser::start(visitor.language).await, visitor.window).await
    }

    /// Opens the page in a browser that was started in a special way.
    pub(crate) async fn open_in(browser: Browser, window: (u32, u32)) -> Self {
        Self::of_gallery(browser, window, &demo().folder).await
    }

    /// Opens the page of a server with another gallery.
    pub(crate) async fn of_gallery(browser: Browser, window: (u32, u32), gallery: &Path) -> Self {
        browser.resize(window.0, window.1).await;
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

    /// A text of the page in the visitor's language.
    pub(crate) async fn message(&self, key: &str) -> String {
        let read = format!(
            "const {{ lang }} = document.documentElement;
            return (await import(`/messages/${{lang}}.js`)).default['{key}']"
        );
        let text = self.browser.run(&read).await;
        text.as_str().unwrap_or_else(|| panic!("the page has no text {key}")).to_owned()
    }

    /// Asserts that the page says what went wrong and what to do, in the visitor's language.
    pub(crate) async fn complains(&self, problem: &str) {
        for part in ["title", "advice"] {
            self.says("main", &format!("problem.{problem}.{part}")).await;
        }
        let heard = self.heard().await;
        let title = self.message(&format!("problem.{problem}.title")).await;
        assert!(heard.contains(&title), "a screen reader hears only {heard}");
    }

    /// Asserts that the page says why little can be told from the face.
    pub(crate) async fn tells_flaw(&self, flaw: &str) {
        let key = format!("flaw.{flaw}");
        self.says("#hint", &key).await;
        let (heard, told) = (self.heard().await, self.message(&key).await);
        assert!(heard.contains(&told), "a screen reader hears only {heard}");
        self.is_for_everybody(flaw).await;
    }

    /// Waits until the element at `css` shows this text of the page.
    pub(crate) async fn says(&self, css: &str, key: &str) {
        let text = json!(self.message(key).await);
        let css = json!(css);
        self.browser
            .until(&format!("document.querySelector({css})?.innerText.includes({text})"))
            .await;
    }

    /// What a screen reader heard last.
    pub(crate) async fn heard(&self) -> String {
        let heard = "return document.querySelector('#announcement').textContent";
        self.browser.run(heard).await.as_str().expect("a text").to_owned()
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

    /// Asserts that nothing was written to the console but what `allowed` names, and that the page has
    /// spoken to no host but its own.
    pub(crate) async fn is_clean_but_for(&self, allowed: &[&str]) {
        self.spoke_to_its_own_host_only().await;
        let lines = self.browser.console().await;
        let surprises: Vec<_> = lines
            .iter()
            .filter(|line| !allowed.iter().any(|allowed| line.contains(allowed)))
            .collect();
        assert!(surprises.is_empty(), "{surprises:#?}");
    }

    /// Asserts that everybody can use the page as it is now: in light and dark, in any window, with
    /// larger text.
    pub(crate) async fn is_for_everybody(&self, state: &str) {
        let before = self.browser.run("return [innerWidth, innerHeight]").await;
        let before: (u32, u32) = serde_json::from_value(before).expect("the size of the window");
        for (width, height) in WINDOWS {
            self.browser.resize(width, height).await;
            self.fits(&format!("{state}, {width} x {height}")).await;
        }
        for (width, height) in [PHONE.window, DESKTOP.window] {
            self.browser.resize(width, height).await;
            self.is_accessible(&format!("{state}, {width} x {height}")).await;
        }
        self.browser.run("document.documentElement.style.fontSize = '200%'").await;
        self.fits(&format!("{state}, text of 200 %")).await;
        self.browser.run("document.documentElement.style.fontSize = ''").await;
        self.browser.resize(before.0, before.1).await;
    }

    async fn fits(&self, state: &str) {
        let misfits = self.browser.run(MISFITS).await;
        assert_eq!(misfits, json!([]), "{state}: {misfits:#}");
    }

    /// Asserts that axe-core finds nothing that keeps people from using the page as it is now, in
    /// light and in dark.
    async fn is_accessible(&self, state: &str) {
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
                    const { violations, passes } = await axe.run(document, { rules: { 'target-size': { enabled: true } } });
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
    async fn spoke_to_its_own_host_only(&self) {
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
