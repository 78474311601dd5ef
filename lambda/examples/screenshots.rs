//! Takes pictures of the page in each of its states, for a person to look at:
//!
//! ```text
//! cargo run -p lambda --example screenshots -- DIR [--blur] [--photo FILE]
//! ```
//!
//! Desktop and phone, light (in English) and dark (in Russian). It needs the assets, the demo
//! gallery and Chromium. `--blur` makes every photo unrecognisable, as the README needs it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "the helpers are the tests', which report by panicking"
)]

#[path = "../tests/support/browser.rs"]
#[allow(dead_code, reason = "the tests drive the browser in more ways")]
mod browser;
#[path = "../tests/support/portraits.rs"]
#[allow(dead_code, reason = "the tests need more photos")]
mod portraits;

use std::error::Error;
use std::future::IntoFuture;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use browser::Browser;
use clap::Parser;
use lambda::Settings;
use portraits::{AARON, ADAMA};
use serde_json::json;
use tokio::net::TcpListener;

#[derive(Parser)]
struct Arguments {
    /// Where to put the pictures.
    dir: PathBuf,
    /// Make every photo on the page unrecognisable.
    #[arg(long)]
    blur: bool,
    /// The photo to look up instead of a portrait of the demo gallery.
    #[arg(long)]
    photo: Option<PathBuf>,
}

/// What a visitor's device is like.
struct Device {
    name: &'static str,
    size: (u32, u32),
    scheme: &'static str,
    language: &'static str,
}

const DEVICES: [Device; 4] = [
    Device { name: "desktop-light", size: (1280, 860), scheme: "light", language: "en" },
    Device { name: "desktop-dark", size: (1280, 860), scheme: "dark", language: "ru" },
    Device { name: "phone-light", size: (360, 740), scheme: "light", language: "en" },
    Device { name: "phone-dark", size: (360, 740), scheme: "dark", language: "ru" },
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let root = portraits::workspace_root();
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
        taken = take_all(&arguments, &url) => taken,
    }
}

/// Visits the page at `url` with each device and takes a picture of each state.
async fn take_all(arguments: &Arguments, url: &str) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(&arguments.dir)?;
    let scratch = tempfile::tempdir()?;
    let [person, nobody, couple, notes] = ["person.jpg", "nobody.jpg", "couple.jpg", "notes.txt"]
        .map(|name| scratch.path().join(name));
    std::fs::write(&person, portraits::jpeg(&AARON.portrait(800)))?;
    std::fs::write(&nobody, portraits::jpeg(&portraits::wall(800, 600)))?;
    std::fs::write(&couple, portraits::jpeg(&portraits::side_by_side(&AARON, &ADAMA, 600)))?;
    std::fs::write(&notes, "Dear diary")?;
    let person = match &arguments.photo {
        Some(photo) => std::fs::canonicalize(photo)?,
        None => person,
    };

    for device in &DEVICES {
        let browser = Browser::start(device.language).await;
        browser.resize(device.size.0, device.size.1).await;
        let scheme = json!({ "name": "prefers-color-scheme", "value": device.scheme });
        browser.devtools("Emulation.setEmulatedMedia", json!({ "features": [scheme] })).await;
        browser.open(url).await;
        if arguments.blur {
            blur(&browser).await;
        }
        let take = async |state| take(&browser, device, &arguments.dir, state).await;

        take("start").await?;
        browser.delay_network(60_000).await;
        browser.choose_file(&person).await;
        browser.visible(".photo img").await;
        take("searching").await?;
        browser.delay_network(0).await;
        browser.choose_file(&person).await;
        browser.visible(".match .name").await;
        take("found").await?;
        browser.choose_file(&couple).await;
        browser.visible(".match .name").await;
        take("several-faces").await?;
        browser.choose_file(&nobody).await;
        browser.visible(".problem").await;
        take("no-face").await?;
        browser.choose_file(&notes).await;
        browser.visible("#start .problem").await;
        take("not-a-photo").await?;
    }
    Ok(())
}

/// The page's own policy admits no foreign style element, but does a constructed sheet.
async fn blur(browser: &Browser) {
    browser
        .run(
            "const sheet = new CSSStyleSheet();
            sheet.replaceSync(`
                .photo img { filter: blur(14px); }
                .best .half img { filter: blur(20px); }
                .half img { filter: blur(12px); }`);
            document.adoptedStyleSheets = [sheet];",
        )
        .await;
}

/// Writes a picture of the whole page, however long it is, when all is loaded and at rest.
async fn take(
    browser: &Browser,
    device: &Device,
    dir: &Path,
    state: &str,
) -> Result<(), Box<dyn Error>> {
    let (width, height) = device.size;
    let content = browser
        .run(
            "await Promise.all([...document.images].map(image => image.decode().catch(() => {})));
            const passing = document.getAnimations()
                .filter(animation => animation.effect.getComputedTiming().endTime !== Infinity);
            await Promise.all(passing.map(animation => animation.finished));
            return document.documentElement.scrollHeight",
        )
        .await;
    let content = u32::try_from(content.as_u64().unwrap_or_default())?;
    browser.resize(width, height.max(content)).await;
    let path = dir.join(format!("{}-{state}.png", device.name));
    std::fs::write(&path, browser.screenshot().await)?;
    browser.resize(width, height).await;
    println!("{}", path.display());
    Ok(())
}
