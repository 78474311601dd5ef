//! Takes pictures of the page in each of its states, for a person to look at:
//!
//! ```text
//! make screenshots            (or cargo run -p lambda --example screenshots -- DIR [--blur] [--photo FILE])
//! ```
//!
//! Desktop and phone, light (in English) and dark (in Russian), and a tablet. It needs the assets, the demo
//! gallery and Chromium. `--blur` makes every photo unrecognisable, as the README needs it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "the helpers are the tests', which report by panicking"
)]

#[path = "../tests/support/browser.rs"]
#[allow(dead_code, reason = "the tests drive the browser in more ways")]
mod browser;
#[path = "../tests/support/demo.rs"]
mod demo;
#[path = "../tests/support/portraits.rs"]
#[allow(dead_code, reason = "the tests need more photos")]
mod portraits;

use std::error::Error;
use std::path::{Path, PathBuf};

use browser::Browser;
use clap::Parser;
use portraits::{AARON, ADAMA};
use serde_json::json;

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

const DEVICES: [Device; 5] = [
    Device { name: "desktop-light", size: (1440, 900), scheme: "light", language: "en" },
    Device { name: "desktop-dark", size: (1440, 900), scheme: "dark", language: "ru" },
    Device { name: "phone-light", size: (390, 844), scheme: "light", language: "en" },
    Device { name: "phone-dark", size: (390, 844), scheme: "dark", language: "ru" },
    Device { name: "tablet-light", size: (768, 1024), scheme: "light", language: "ru" },
];

/// What Chromium's camera shows, and that nobody has to allow it.
const CAMERA: [&str; 2] = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"];

/// Answers in the server's place as it would if it were busy; the real one is not.
const BUSY: &str = "const real = window.fetch;
    window.fetch = (address, options) => options?.method === 'POST'
        ? Promise.resolve(new Response('', { status: 503, headers: { 'retry-after': '9' } }))
        : real(address, options);
    window.atEase = () => { window.fetch = real; };";

/// Keeps the picture for sharing, which the browser would save.
const KEEP: &str = "delete Navigator.prototype.canShare;
    HTMLAnchorElement.prototype.click = () => {};
    const { createObjectURL } = URL;
    URL.createObjectURL = (file) => {
        if (file.type === 'image/png') {
            void file.arrayBuffer().then((bytes) => { window.card = Array.from(new Uint8Array(bytes)); });
        }
        return createObjectURL(file);
    };";

/// A visitor who does not allow the camera.
const REFUSE: &str = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); }";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    demo::serve_demo(async |url| take_all(&arguments, url).await).await
}

/// Visits the page at `url` with each device and takes a picture of each state.
async fn take_all(arguments: &Arguments, url: &str) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(&arguments.dir)?;
    let scratch = tempfile::tempdir()?;
    let write = |name: &str, bytes: &[u8]| -> Result<PathBuf, std::io::Error> {
        let path = scratch.path().join(name);
        std::fs::write(&path, bytes).map(|()| path)
    };
    let portrait = AARON.portrait(800);
    let person = match &arguments.photo {
        Some(photo) => std::fs::canonicalize(photo)?,
        None => write("person.jpg", &portraits::jpeg(&portrait))?,
    };
    let mut far = portraits::wall(140, 105);
    image::imageops::overlay(&mut far, &AARON.portrait(48), 40, 30);
    let photos = Photos {
        person,
        nobody: write("nobody.jpg", &portraits::jpeg(&portraits::wall(800, 600)))?,
        couple: write(
            "couple.jpg",
            &portraits::jpeg(&portraits::side_by_side(&AARON, &ADAMA, 600)),
        )?,
        far: write("far.jpg", &portraits::jpeg(&far))?,
        notes: write("notes.txt", b"Dear diary")?,
        heic: write("IMG_0001.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")?,
    };
    let mut frame = portraits::wall(640, 480);
    image::imageops::overlay(&mut frame, &AARON.portrait(440), 20, 40);
    let film = write("film.mjpeg", &portraits::jpeg(&frame).repeat(3))?;
    let mut flags: Vec<String> = CAMERA.map(Into::into).into();
    flags.push(format!("--use-file-for-fake-video-capture={}", film.display()));

    for device in &DEVICES {
        let browser = Browser::start_with(device.language, &flags, json!({})).await;
        browser.resize(device.size.0, device.size.1).await;
        browser.prefer(&[("prefers-color-scheme", device.scheme)]).await;
        browser.open(url).await;
        browser.until("customElements.get('marked-photo')").await;
        if arguments.blur {
            blur(&browser).await;
        }
        visit(&browser, device, &photos, &arguments.dir, arguments.blur).await?;
    }
    Ok(())
}

/// What is shown to the page.
struct Photos {
    person: PathBuf,
    nobody: PathBuf,
    couple: PathBuf,
    far: PathBuf,
    notes: PathBuf,
    heic: PathBuf,
}

/// Brings the page into each of its states.
async fn visit(
    browser: &Browser,
    device: &Device,
    photos: &Photos,
    dir: &Path,
    blurred: bool,
) -> Result<(), Box<dyn Error>> {
    let take = async |state| take(browser, device, dir, state).await;

    take("start").await?;
    browser.click("#privacy summary").await;
    take("privacy").await?;
    browser.click("#privacy summary").await;
    browser.choose_file(&photos.notes).await;
    browser.visible("#start .problem").await;
    take("not-a-photo").await?;
    browser.choose_file(&photos.heic).await;
    browser.until("/HEIC/.test(document.querySelector('#start .what')?.textContent)").await;
    take("heic").await?;

    browser.click("#camera").await;
    browser.until("document.querySelector('.camera video')?.videoWidth > 0").await;
    take("camera").await?;
    browser.click(".camera .quiet:last-child").await;
    browser.run(REFUSE).await;
    browser.click("#camera").await;
    browser.visible(".camera .problem").await;
    take("camera-refused").await?;
    browser.click(".camera .quiet").await;

    browser.delay_network(60_000).await;
    browser.choose_file(&photos.person).await;
    browser.visible("marked-photo img").await;
    take("searching").await?;
    browser.visible("#hint").await;
    take("slow").await?;
    browser.go_offline(true).await;
    browser.choose_file(&photos.person).await;
    browser.visible("#stage .problem").await;
    take("offline").await?;
    browser.go_offline(false).await;
    browser.visible(".ready .wipe").await;
    browser.run(BUSY).await;
    browser.choose_file(&photos.person).await;
    browser.visible("#stage .problem").await;
    take("busy").await?;
    browser.run("window.atEase()").await;

    browser.choose_file(&photos.person).await;
    browser.visible(".ready .wipe").await;
    take("found").await?;
    browser.click(".note summary").await;
    take("explained").await?;
    browser.run(KEEP).await;
    browser.click(".verdict .button").await;
    browser.until("window.card").await;
    take("saved").await?;
    // As it was drawn: no sheet makes these faces unrecognisable.
    if !blurred {
        let card: Vec<u8> = serde_json::from_value(browser.run("return window.card").await)?;
        std::fs::write(dir.join(format!("{}-card.png", device.name)), card)?;
    }
    browser.click(".verdict .quiet").await;
    browser.visible("person-dialog .card").await;
    take("person").await?;
    browser.click("person-dialog .close").await;
    browser.click("li .card").await;
    browser.visible(".ready .wipe").await;
    take("another").await?;
    browser.choose_file(&photos.couple).await;
    browser.visible("marked-photo.several").await;
    browser.visible(".ready .wipe").await;
    take("several-faces").await?;
    browser.choose_file(&photos.far).await;
    browser.visible("marked-photo:not(.several) .mark").await;
    browser.visible(".ready .wipe").await;
    take("small-face").await?;
    browser.choose_file(&photos.nobody).await;
    browser.visible("#stage .problem").await;
    take("no-face").await
}

/// The page's own policy admits no foreign style element, but does a constructed sheet.
async fn blur(browser: &Browser) {
    browser
        .run(
            "const sheet = new CSSStyleSheet();
            sheet.replaceSync(`
                marked-photo img, .frame img, video { filter: blur(12px); }
                .wipe img { filter: blur(18px); }`);
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
            await Promise.all(passing.map(animation => animation.finished.catch(() => {})));
            scrollTo(0, 0);
            // A dialog darkens what the window shows.
            return document.querySelector('dialog[open]') ? 0 : document.documentElement.scrollHeight",
        )
        .await;
    let content = u32::try_from(content.as_u64().unwrap_or_default())?;
    let path = dir.join(format!("{}-{state}.png", device.name));
    std::fs::write(&path, browser.screenshot(width, height.max(content)).await)?;
    println!("{}", path.display());
    Ok(())
}
