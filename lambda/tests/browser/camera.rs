//! Photos by the camera; Chromium's fake device plays a portrait.

use serde_json::json;

use crate::support::browser::Browser;
use crate::support::page::{DESKTOP, PHONE, Page};
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
    for visitor in [PHONE, DESKTOP] {
        let browser = Browser::start_with(visitor.language, &arguments, json!({})).await;
        let page = Page::open_in(browser, visitor.window).await;

        // As long as the browser asks the visitor.
        page.browser
            .run(
                "const { mediaDevices } = navigator;
            window.real = mediaDevices.getUserMedia;
            mediaDevices.getUserMedia = () => new Promise(() => {})",
            )
            .await;
        page.browser.click("#camera").await;
        page.says("camera-dialog", "camera.asking").await;
        page.is_for_everybody("a camera that is asked for").await;
        page.browser.click(".camera .button").await;
        page.browser.run("navigator.mediaDevices.getUserMedia = window.real").await;

        page.browser.run("document.querySelector('#camera').focus()").await;
        page.browser.press(ENTER).await;
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
        page.is_for_everybody("camera").await;
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
        page.is_clean_but_for(&[]).await;
    }
}

#[tokio::test]
async fn a_camera_that_is_refused_or_absent_is_told_and_a_photo_still_works() {
    let block = json!({ "profile.default_content_setting_values.media_stream_camera": 2 });
    for visitor in [PHONE, DESKTOP] {
        let start = async |flag: &str, preferences| {
            Browser::start_with(visitor.language, &[flag.to_owned()], preferences).await
        };
        let refused = start(FAKE, block.clone()).await;
        let absent = start(ALLOWED, json!({})).await;
        for (browser, problem) in [(refused, "refused"), (absent, "absent")] {
            let page = Page::open_in(browser, visitor.window).await;
            let title = format!("camera.{problem}.title");
            page.browser.click("#camera").await;
            page.says(".camera .problem", &title).await;
            page.says(".camera .problem", &format!("camera.{problem}.advice")).await;
            page.is_for_everybody(problem).await;
            page.browser.click(".camera .button:not(.quiet)").await;
            page.says(".camera .problem", &title).await;
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
            page.says(".camera .problem", "camera.taken.title").await;
            page.says(".camera .problem", "camera.taken.advice").await;
            page.is_for_everybody("a camera that is taken").await;
            page.browser.press(ESCAPE).await;
            page.finds(&AARON).await;
            page.is_clean_but_for(&[]).await;
        }
    }
}

#[tokio::test]
async fn of_two_cameras_the_other_can_be_used() {
    let two = [ALLOWED.to_owned(), format!("{FAKE}=device-count=2")];
    for visitor in [PHONE, DESKTOP] {
        let browser = Browser::start_with(visitor.language, &two, json!({})).await;
        let page = Page::open_in(browser, visitor.window).await;
        page.browser.click("#camera").await;
        let camera =
            "const [track] = document.querySelector('.camera video').srcObject.getVideoTracks();
            return track.getSettings().deviceId";
        let mut used = Vec::new();
        for _ in 0..3 {
            page.browser.visible(".camera video").await;
            used.push(page.browser.run(camera).await);
            page.says(".camera .button.quiet", "camera.switch").await;
            page.is_for_everybody("two cameras").await;
            page.browser.click(".camera .button.quiet").await;
        }
        assert_ne!(used[0], used[1]);
        assert_eq!(used[0], used[2]);
        page.is_clean_but_for(&[]).await;
    }
}
