//! A headless Chromium, driven over WebDriver.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::elements::Element;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::{ParseError, Url};

const INSTALL: &str =
    "the page is tested in Chromium; on Debian: apt-get install chromium chromium-driver";

/// How long the page may take to show something before a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with a profile of its own, which ends with this value.
pub(crate) struct Browser {
    client: Client,
    _chromedriver: Chromedriver,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser whose only preferred language is `language`, such as `ru`.
    pub(crate) async fn start(language: &str) -> Self {
        Self::start_with(language, &[], json!({})).await
    }

    /// The same, with further arguments and preferences of Chromium.
    pub(crate) async fn start_with(language: &str, more: &[String], preferences: Value) -> Self {
        let chromedriver = Chromedriver::start();
        let profile = tempfile::tempdir().expect("make a folder for the browser's profile");
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--window-size=1280,900",
            &format!("--lang={language}"),
            &format!("--user-data-dir={}", profile.path().display()),
        ];
        let arguments: Vec<&str> =
            arguments.into_iter().chain(more.iter().map(String::as_str)).collect();
        let mut preferences = preferences;
        preferences["intl.accept_languages"] = language.into();
        let mut capabilities = Capabilities::new();
        capabilities.insert(
            "goog:chromeOptions".to_owned(),
            json!({ "args": arguments, "prefs": preferences }),
        );
        capabilities.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&chromedriver.url)
            .await
            .unwrap_or_else(|error| panic!("cannot start a browser: {error}; {INSTALL}"));
        Self { client, _chromedriver: chromedriver, _profile: profile }
    }

    pub(crate) async fn open(&self, url: &str) {
        self.client.goto(url).await.expect("open the page");
    }

    /// Opens a page and does not wait until it has loaded.
    pub(crate) async fn start_loading(&self, url: &str) {
        self.devtools("Page.navigate", json!({ "url": url })).await;
    }

    pub(crate) async fn reload(&self) {
        self.client.refresh().await.expect("reload the page");
    }

    /// The element at `css`, as soon as it can be seen.
    pub(crate) async fn visible(&self, css: &str) -> Element {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Ok(element) = self.client.find(Locator::Css(css)).await
                && element.is_displayed().await.unwrap_or(false)
            {
                return element;
            }
            if tokio::time::Instant::now() > deadline {
                let text = self.run("return document.body.innerText").await;
                panic!("`{css}` does not appear on the page, which reads {text}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn is_visible(&self, css: &str) -> bool {
        match self.client.find(Locator::Css(css)).await {
            Ok(element) => element.is_displayed().await.unwrap_or(false),
            Err(_) => false,
        }
    }

    pub(crate) async fn text(&self, css: &str) -> String {
        self.visible(css).await.text().await.expect("read a text")
    }

    pub(crate) async fn click(&self, css: &str) {
        self.visible(css).await.click().await.expect("click");
    }

    /// Presses keys on whatever has the focus.
    pub(crate) async fn press(&self, keys: &str) {
        let focused = self.client.active_element().await.expect("find the focus");
        focused.send_keys(keys).await.expect("press keys");
    }

    /// Presses the tabulator, also where keys that are sent to the focus would be taken for a file's name.
    pub(crate) async fn press_tab(&self) {
        for kind in ["rawKeyDown", "keyUp"] {
            let key = json!({
                "type": kind, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9,
            });
            self.devtools("Input.dispatchKeyEvent", key).await;
        }
    }

    /// Chooses `photo` as the file dialog would.
    pub(crate) async fn choose_file(&self, photo: &Path) {
        let input = self.client.find(Locator::Css("input[type=file]")).await.expect("find input");
        input.send_keys(&photo.display().to_string()).await.expect("choose a file");
    }

    /// Drags `photo` from the desktop onto the element at `css`.
    pub(crate) async fn drop_file(&self, photo: &Path, css: &str) {
        self.visible(css).await;
        let middle = format!(
            "const target = document.querySelector('{css}');
            target.scrollIntoView({{ behavior: 'instant' }});
            const {{ x, y, width, height }} = target.getBoundingClientRect();
            return [x + width / 2, y + height / 2]"
        );
        let [x, y]: [f64; 2] =
            serde_json::from_value(self.run(&middle).await).expect("two coordinates");
        for event in ["dragEnter", "dragOver", "drop"] {
            let data = json!({ "items": [], "files": [photo], "dragOperationsMask": 1 });
            let event = json!({ "type": event, "x": x, "y": y, "data": data });
            self.devtools("Input.dispatchDragEvent", event).await;
        }
    }

    /// What the body of an asynchronous function returns.
    pub(crate) async fn run(&self, body: &str) -> Value {
        let script = format!("return (async () => {{ {body} }})()");
        self.client.execute(&script, Vec::new()).await.expect("run a script")
    }

    /// Sends a command of the Chrome DevTools Protocol.
    pub(crate) async fn devtools(&self, method: &str, params: Value) -> Value {
        let body = json!({ "cmd": method, "params": params });
        self.command("goog/cdp/execute", body).await
    }

    /// What the browser wrote to the console since the last call, as `level: message`.
    pub(crate) async fn console(&self) -> Vec<String> {
        let entries = self.command("se/log", json!({ "type": "browser" })).await;
        let entries = entries.as_array().expect("the log is a list");
        entries.iter().map(|entry| format!("{}: {}", entry["level"], entry["message"])).collect()
    }

    /// Shows the page in a window of this size, in CSS pixels.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Makes each answer take that much longer on its way.
    pub(crate) async fn delay_network(&self, milliseconds: u32) {
        self.set_network(json!({ "latency": milliseconds })).await;
    }

    /// Cuts the network off, or connects it again.
    pub(crate) async fn go_offline(&self, offline: bool) {
        self.set_network(json!({ "offline": offline })).await;
    }

    /// Sets the conditions of DevTools' `Network.emulateNetworkConditions`; what is not named is unlimited.
    pub(crate) async fn set_network(&self, conditions: Value) {
        self.devtools("Network.enable", json!({})).await;
        let mut all = json!({
            "offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
        });
        for (name, value) in conditions.as_object().expect("named conditions") {
            all[name] = value.clone();
        }
        self.devtools("Network.emulateNetworkConditions", all).await;
    }

    /// Lets the page believe that the visitor prefers this, such as `prefers-color-scheme: dark`.
    pub(crate) async fn prefer(&self, features: &[(&str, &str)]) {
        let features: Vec<Value> =
            features.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Runs a script in each page before the page's own.
    pub(crate) async fn prepare_pages(&self, script: &str) {
        let source = json!({ "source": script });
        self.devtools("Page.addScriptToEvaluateOnNewDocument", source).await;
    }

    /// Waits until a condition in JavaScript holds.
    pub(crate) async fn until(&self, condition: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while self.run(&format!("return Boolean({condition})")).await != json!(true) {
            if tokio::time::Instant::now() > deadline {
                let text = self.run("return document.body.innerText").await;
                panic!("`{condition}` does not come true on the page, which reads {text}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The upper left part of the page as a PNG, also what is below the window.
    pub(crate) async fn screenshot(&self, width: u32, height: u32) -> Vec<u8> {
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
        let params = json!({ "captureBeyondViewport": true, "clip": clip });
        let picture = self.devtools("Page.captureScreenshot", params).await;
        STANDARD.decode(picture["data"].as_str().expect("a picture")).expect("base64")
    }

    async fn command(&self, path: &'static str, body: Value) -> Value {
        self.client.issue_cmd(VendorCommand { path, body }).await.expect(path)
    }
}

/// A `chromedriver` on a free port. The browser that it started ends with it.
struct Chromedriver {
    process: Child,
    url: String,
}

/// How often one is started before it counts as one that cannot be.
const STARTS: usize = 5;

impl Chromedriver {
    /// Beside other tests one may end at once, as if its port were taken by then; another one starts.
    fn start() -> Self {
        (0..STARTS)
            .find_map(|_| Self::try_start())
            .expect("chromedriver says on which port it listens")
    }

    fn try_start() -> Option<Self> {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start chromedriver: {error}; {INSTALL}"));
        let mut lines = BufReader::new(process.stdout.take().expect("stdout is piped")).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let Some(port) = port else {
            // It has closed its output, so it ends.
            process.wait().ok();
            return None;
        };
        // It must not block on what it prints later.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { process, url: format!("http://127.0.0.1:{port}") })
    }
}

impl Drop for Chromedriver {
    /// A driver that is killed leaves its browsers running; one that is asked to end takes them along.
    fn drop(&mut self) {
        if self.shut_down().is_err() {
            self.process.kill().ok();
        }
        self.process.wait().ok();
    }
}

impl Chromedriver {
    fn shut_down(&self) -> std::io::Result<()> {
        let address = self.url.trim_start_matches("http://");
        let mut driver = TcpStream::connect(address)?;
        driver.set_read_timeout(Some(PATIENCE))?;
        let request = format!("GET /shutdown HTTP/1.1\r\nHost: {address}\r\n\r\n");
        driver.write_all(request.as_bytes())?;
        driver.read_exact(&mut [0; 12]).map(drop)
    }
}

/// A command that chromedriver has beyond the WebDriver standard.
#[derive(Debug)]
struct VendorCommand {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for VendorCommand {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
