//! What goes wrong, what the page says to do about it, and that it works.

use std::net::TcpStream;

use image::imageops;
use serde_json::json;

use crate::EAVESDROP;
use crate::support::page::{DESKTOP, PHONE, Page, each_visitor};
use crate::support::portraits::{self, AARON};

#[tokio::test]
async fn each_problem_with_a_photo_has_its_sentence_and_the_next_photo_works() {
    each_visitor(async |page| {
        page.choose_photo(&portraits::wall(640, 480)).await;
        page.complains("noFace").await;
        page.is_for_everybody("no face").await;
        page.still_works().await;

        page.browser.reload().await; // At the start, where there is no photo to show beside it.
        page.choose("notes.txt", b"Dear diary").await;
        page.complains("notAPhoto").await;
        page.is_for_everybody("not a photo").await;
        page.still_works().await;

        page.choose("notes.jpg", b"Dear diary").await;
        page.complains("notAPhoto").await;
        page.still_works().await;

        let mut broken = portraits::jpeg(&AARON.portrait(600));
        broken.truncate(200);
        page.choose("broken.jpg", &broken).await;
        page.complains("notAPhoto").await;
        page.still_works().await;

        page.choose("IMG_0001.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").await;
        page.complains("heic").await;
        page.is_for_everybody("HEIC").await;
        page.still_works().await;

        page.is_clean_but_for(&["422 (Unprocessable"]).await;
    })
    .await;
}

#[tokio::test]
async fn a_face_that_tells_little_is_told() {
    each_visitor(async |page| {
        // A face of some twenty pixels.
        let mut far = portraits::wall(140, 105);
        imageops::overlay(&mut far, &AARON.portrait(48), 40, 30);
        page.choose_photo(&far).await;
        page.matches().await;
        page.tells_flaw("too_small").await;
        page.still_works().await;
        assert!(!page.browser.is_visible("#hint").await);

        let blurred = imageops::blur(&AARON.portrait(600), 9.0);
        page.choose_photo(&blurred).await;
        page.tells_flaw("blurred").await;

        // No photo here shows a face from the side; what the server would say is put in its answer.
        page.browser.run(EAVESDROP).await;
        page.browser
            .run(
                "window.changed = answer => ({ ...answer,
                    faces: answer.faces.map(face => ({ ...face, flaw_kind: 'turned' })) })",
            )
            .await;
        page.choose_photo(&AARON.portrait(600)).await;
        page.tells_flaw("turned").await;
        page.is_clean_but_for(&[]).await;
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_gone_is_told_and_the_same_photo_can_be_sent_again() {
    each_visitor(async |mut page| {
        page.browser.until("customElements.get('marked-photo')").await;
        page.stop_server();
        page.choose_photo(&AARON.portrait(600)).await;
        page.complains("noNetwork").await;
        page.is_for_everybody("a server that is gone").await;

        page.restart_server();
        page.browser.click(".problem button").await;
        page.finds(&AARON).await;
        let focused = page.browser.run("return document.activeElement.id").await;
        assert_eq!(focused, json!("heading"), "the focus does not go with the button");
        page.still_works().await;
        page.is_clean_but_for(&["net::ERR_CONNECTION"]).await;
    })
    .await;
}

#[tokio::test]
async fn a_device_that_is_offline_is_told_and_the_photo_is_sent_when_it_is_not() {
    each_visitor(async |page| {
        page.browser.until("customElements.get('marked-photo')").await;
        page.browser.go_offline(true).await;
        page.choose_photo(&AARON.portrait(600)).await;
        page.complains("offline").await;
        page.is_for_everybody("offline").await;
        page.browser.go_offline(false).await;
        page.finds(&AARON).await;
        page.is_clean_but_for(&["net::ERR_INTERNET_DISCONNECTED"]).await;
    })
    .await;
}

#[tokio::test]
async fn a_busy_server_is_told_and_asked_again_when_it_says() {
    each_visitor(async |page| {
        page.browser.run(EAVESDROP).await;
        // More visitors than the server admits have begun to send a photo and do not go on.
        let visitors: Vec<TcpStream> = (0..64).map(|_| page.hanging_upload()).collect();
        page.choose_photo(&AARON.portrait(600)).await;
        page.says("#heading", "problem.busy.title").await;
        let waiting = page.message("problem.busy.waiting").await.replace("{seconds}", "2");
        page.browser
            .until(&format!("document.querySelector('.problem')?.innerText.includes('{waiting}')"))
            .await;
        page.browser
            .until("window.asked.filter(path => path === '/api/lookalikes').length > 1")
            .await;
        drop(visitors);
        // By itself.
        page.finds(&AARON).await;
        page.is_clean_but_for(&["503 (Service Unavailable)"]).await;
    })
    .await;
}

#[tokio::test]
async fn a_slow_network_is_admitted_and_can_be_left() {
    each_visitor(async |page| {
        page.browser.until("customElements.get('marked-photo')").await;
        page.browser.delay_network(60_000).await;
        page.choose_photo(&AARON.portrait(600)).await;
        page.browser.visible("marked-photo.busy img").await;
        page.says("#heading", "search.searching").await;
        page.says("#hint", "search.slow").await;
        page.is_for_everybody("slow").await;
        let slow = page.message("search.slow").await;
        assert!(page.heard().await.contains(&slow));
        page.browser.click("#cancel").await;
        assert!(page.browser.is_visible("#choose").await);
        page.browser.delay_network(0).await;
        page.still_works().await;
        assert_eq!(
            page.browser.run("return document.querySelector('#hint').hidden").await,
            json!(true)
        );
        page.is_clean_but_for(&[]).await;
    })
    .await;
}

/// What the real server does not do on demand is answered in its place.
#[tokio::test]
async fn every_answer_that_is_none_is_told() {
    for visitor in [PHONE, DESKTOP] {
        let page = Page::open(visitor).await;
        page.browser.run(EAVESDROP).await;
        page.choose_photo(&AARON.portrait(600)).await;
        page.finds(&AARON).await;
        for (answer, problem) in [
            ("new Response('', { status: 413 })", "tooLarge"),
            ("new Response('', { status: 415 })", "notAPhoto"),
            ("new Response('', { status: 500 })", "server"),
            ("new Response('<h1>A proxy</h1>')", "server"),
            // A few times it is asked again by itself, then by the visitor.
            ("new Response('', { status: 503, headers: { 'retry-after': '1' } })", "busy"),
            (
                "Response.json({ faces: [{ box: [0, 0, 9, 9], score: 1 }], face: 0, lookalikes: [] })",
                "emptyGallery",
            ),
        ] {
            page.browser
                .run(&format!(
                    "window.invented = path => path === '/api/lookalikes' ? {answer} : undefined"
                ))
                .await;
            page.choose_photo(&AARON.portrait(600)).await;
            page.complains(problem).await;
            page.is_for_everybody(problem).await;
            page.browser.run("window.invented = undefined").await;
            page.still_works().await;
        }
        // So long that it can be looked at.
        page.browser
            .run(
                "window.invented = path => path === '/api/lookalikes'
                ? new Response('', { status: 429, headers: { 'retry-after': '600' } }) : undefined",
            )
            .await;
        page.choose_photo(&AARON.portrait(600)).await;
        let waiting = page.message("problem.busy.waiting").await.replace("{seconds}", "30");
        page.browser
            .until(&format!("document.querySelector('.problem')?.innerText.includes('{waiting}')"))
            .await;
        page.is_for_everybody("waiting for a busy server").await;
        page.browser.run("window.invented = undefined").await;
        page.browser.click(".problem button").await;
        page.finds(&AARON).await;
        page.is_clean_but_for(&[]).await;
    }
}

#[tokio::test]
async fn a_line_that_breaks_while_the_page_loads_is_told_and_a_photo_works_when_it_is_back() {
    each_visitor(async |page| {
        page.browser.devtools("Network.enable", json!({})).await;
        page.browser.devtools("Network.setBlockedURLs", json!({ "urls": ["*/app.js"] })).await;
        page.browser.reload().await;
        page.choose_photo(&AARON.portrait(600)).await;
        page.says("#start .problem", "problem.noNetwork.title").await;
        page.is_for_everybody("half loaded").await;
        page.browser.devtools("Network.setBlockedURLs", json!({ "urls": [] })).await;
        page.still_works().await;
        page.is_clean_but_for(&["app.js"]).await;
    })
    .await;
}

#[tokio::test]
async fn without_scripts_the_page_says_what_it_needs() {
    let page = Page::open(DESKTOP).await;
    page.browser.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
    page.browser.reload().await;
    let told = page.browser.run("return document.querySelector('noscript').innerText").await;
    let told = told.as_str().unwrap();
    assert!(told.contains("needs JavaScript") && told.contains("нужен JavaScript"), "{told}");
}
