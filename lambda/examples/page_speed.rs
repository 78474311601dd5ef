//! How fast the page is, measured in a real browser:
//!
//! ```text
//! make page-speed            (or cargo run -p lambda --example page_speed)
//! ```
//!
//! From choosing a phone photo to the results, beside the server's own time for what the page sent
//! to it, on loopback; and the first load over Lighthouse's "Fast 3G" (150 ms, 1.6 Mbit/s).

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
use std::path::Path;
use std::time::Instant;

use browser::Browser;
use image::imageops;
use portraits::AARON;
use serde_json::json;

/// How often each is measured; the median counts.
const ROUNDS: usize = 15;

/// Lighthouse's throttling of that name: bytes per second each way, milliseconds.
const FAST_3G: (u32, u32, u32) = (1_638_400 / 8, 768_000 / 8, 150);

/// Remembers when a photo was chosen, what was sent, and when the results were painted.
const STOPWATCH: &str = "
    document.querySelector('#file').addEventListener('change', () => { window.chosen = performance.now(); }, true);
    const real = window.fetch;
    window.fetch = (address, options) => {
        if (options?.body instanceof Blob) window.sent = options.body;
        return real(address, options);
    };
    new MutationObserver(() => {
        if (document.querySelector('.match .name')) {
            requestAnimationFrame(() => setTimeout(() => { window.painted = performance.now(); }));
        }
    }).observe(document.querySelector('#found'), { childList: true });";

/// The bytes that were sent.
const SENT: &str = "return Array.from(new Uint8Array(await window.sent.arrayBuffer()))";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    demo::serve_demo(measure).await
}

async fn measure(url: &str) -> Result<(), Box<dyn Error>> {
    let scratch = tempfile::tempdir()?;
    let photo = scratch.path().join("phone.jpg");
    let bytes = phone_photo();
    std::fs::write(&photo, &bytes)?;
    println!("photo: {:.1} MB, 3000 x 4000", bytes.len() as f64 / 1e6);
    to_results(url, &photo).await?;
    first_load(url).await;
    Ok(())
}

/// From choosing a photo to the painted results, in turns with the server alone.
async fn to_results(url: &str, photo: &Path) -> Result<(), Box<dyn Error>> {
    let browser = Browser::start("en").await;
    browser.open(url).await;
    browser.until("customElements.get('marked-photo')").await;
    browser.run(STOPWATCH).await;
    let (mut page, mut server, mut sent) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        browser.run("window.painted = null").await;
        browser.choose_file(photo).await;
        browser.until("window.painted").await;
        let took = browser.run("return window.painted - window.chosen").await;
        if round == 0 {
            // The first one warms up both sides.
            sent = serde_json::from_value(browser.run(SENT).await)?;
            continue;
        }
        page.push(took.as_f64().ok_or("no time was taken")?);
        server.push(alone(url, sent.clone()).await?);
    }
    let (page, server) = (median(&mut page), median(&mut server));
    let allowed = 1.5 * server + 300.0;
    println!(
        "to the results: page={page:.0} ms, server alone={server:.0} ms for the {} kB that were sent; \
         page / (1.5 server + 300 ms) = {:.2}",
        sent.len() / 1000,
        page / allowed
    );
    Ok(())
}

/// The server's time for what the page sent to it, in milliseconds.
async fn alone(url: &str, photo: Vec<u8>) -> Result<f64, Box<dyn Error>> {
    let address = format!("{url}api/lookalikes?k=5");
    let taken = tokio::task::spawn_blocking(move || {
        let begin = Instant::now();
        let mut answer =
            ureq::post(&address).header("content-type", "image/jpeg").send(&photo[..])?;
        answer.body_mut().read_to_vec()?;
        Ok::<_, ureq::Error>(begin.elapsed().as_secs_f64() * 1e3)
    });
    Ok(taken.await??)
}

/// The first visit over a slow line: when the page is seen, when its script is ready, what came.
async fn first_load(url: &str) {
    let (down, up, latency) = FAST_3G;
    let (mut seen, mut ready, mut kilobytes) = (Vec::new(), Vec::new(), Vec::new());
    let browser = Browser::start("en").await;
    for _ in 0..ROUNDS.min(7) {
        browser.open("about:blank").await;
        browser.devtools("Network.clearBrowserCache", json!({})).await;
        let throughput = json!({
            "latency": latency, "downloadThroughput": down, "uploadThroughput": up,
        });
        browser.set_network(throughput).await;
        browser.open(url).await;
        browser.until("customElements.get('marked-photo')").await;
        let figures = browser
            .run(
                "const [paint] = performance.getEntriesByName('first-contentful-paint');
                const [usable] = performance.getEntriesByName('usable');
                const loaded = ['navigation', 'resource'].flatMap(type => performance.getEntriesByType(type));
                return [paint.startTime, usable.startTime,
                    loaded.reduce((sum, { transferSize }) => sum + transferSize, 0) / 1000]",
            )
            .await;
        for (index, list) in [&mut seen, &mut ready, &mut kilobytes].into_iter().enumerate() {
            list.push(figures[index].as_f64().expect("a figure"));
        }
    }
    println!(
        "first load, Fast 3G: seen, and a photo can be chosen, after {:.0} ms; scripts ready after \
         {:.0} ms; {:.0} kB in all",
        median(&mut seen),
        median(&mut ready),
        median(&mut kilobytes)
    );
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// About 4 MB: somebody before a wall, with the noise of a small sensor.
fn phone_photo() -> Vec<u8> {
    let mut photo = portraits::wall(3000, 4000);
    imageops::overlay(&mut photo, &AARON.portrait(2600), 0, 700);
    let mut state = 1_u32;
    for pixel in photo.pixels_mut() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (state >> 24) as i16 % 25 - 12;
        pixel.0 = pixel.0.map(|value| (i16::from(value) + noise).clamp(0, 255) as u8);
    }
    portraits::phone_jpeg(&photo)
}
