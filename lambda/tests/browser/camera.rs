//! Photos by the camera; Chromium's fake device plays a portrait.

use serde_json::json;

use crate::support::browser::Browser;
use crate::support::page::Page;
use crate::support::portraits::{self, AARON};
use crate::{ENTER, ESCAPE};

const ALLOWED: &str = "--use-fake-ui-for-media-stream";
const FAKE: &str = "--use-fake-device-for-media-stream";

#[tokio::test]
async fn the_camera_shows_a_mirror_and_takes_a_photo() {
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.mjpeg");
    let mut frame = portraits::wall(640, 480);
    image::imageops::overlay(&mut frame, &AARON.portrait(440), -140, 40);
    std::fs::write(&film, portraits::jpeg(&frame).repeat(3)).unwrap();
    let arguments = [
        ALLOWED.to_owned(),
        FAKE.to_owned(),
        format!("--use-file-for-fake-video-capture={}", film.display()),
    ];
    let browser = Browser::start_with("en", &arguments, json!({})).await;
    let page = Page::open_in(browser).await;

    page.browser.click("#camera").await;
    page.browser.visible(".camera video").await;
    page.browser.until("document.querySelector('.camera video').videoWidth > 0").await;
    let live = page
        .browser
        .run(
            "const video = document.querySelector('.camera video');
            window.track = video.srcObject.getVideoTracks()[0];
            return [getComputedStyle(video).scale, video.paused, window.track.readyState]",
        )
        .await;
    assert_eq!(live, json!(["-1 1", false, "live"]));
    page.is_accessible("camera").await;
    // The button has the focus.
    page.browser.press(ENTER).await;
    page.finds(&AARON).await;
    let ended = "return window.track.readyState";
    assert_eq!(page.browser.run(ended).await, json!("ended"), "the camera is switched off");
    // Taken as the camera sees it, not as the mirror shows it: the face is at the left.
    let marks = page.marks().await;
    assert!(marks[0].x + marks[0].width / 2.0 < 320.0, "{marks:?}");

    page.browser.click("#camera-again").await;
    page.browser.visible(".camera video").await;
    page.browser
        .run("window.track = document.querySelector('.camera video').srcObject.getVideoTracks()[0]")
        .await;
    page.browser.press(ESCAPE).await;
    page.browser.until("!document.querySelector('camera-dialog')").await;
    assert_eq!(page.browser.run(ended).await, json!("ended"));
    page.finds(&AARON).await;
    page.console_is_clean_but_for(&[]).await;
}

#[tokio::test]
async fn a_camera_that_is_refused_or_absent_is_told_and_a_photo_still_works() {
    let block = json!({ "profile.default_content_setting_values.media_stream_camera": 2 });
    let refused = Browser::start_with("en", &[FAKE.to_owned()], block).await;
    let absent = Browser::start_with("ru", &[ALLOWED.to_owned()], json!({})).await;
    for (browser, told, taken) in [
        (refused, "not allowed", "cannot be used now"),
        (absent, "не найдена", "использовать нельзя"),
    ] {
        let page = Page::open_in(browser).await;
        page.browser.click("#camera").await;
        let problem = page.browser.text(".camera .problem").await;
        assert!(problem.contains(told), "{problem}");
        page.is_accessible(told).await;
        page.browser.click(".camera .button:not(.quiet)").await;
        assert!(page.browser.text(".camera .problem").await.contains(told));
        page.browser.click(".camera .button.quiet").await;
        page.still_works().await;

        // A camera that another program has cannot be made here: the browser's answer is.
        page.browser
            .run(
                "navigator.mediaDevices.getUserMedia = async () => {
                    throw new DOMException('', 'NotReadableError');
                };",
            )
            .await;
        page.browser.click("#camera-again").await;
        let problem = page.browser.text(".camera .problem").await;
        assert!(problem.contains(taken), "{problem}");
        page.browser.press(ESCAPE).await;
        page.finds(&AARON).await;
        page.console_is_clean_but_for(&[]).await;
    }
}
