//! What goes wrong, what the page says to do about it, and that it works.

use std::net::TcpStream;

use image::imageops;
use serde_json::json;

use crate::EAVESDROP;
use crate::support::page::Page;
use crate::support::portraits::{self, AARON};

#[tokio::test]
async fn each_problem_with_a_photo_has_its_sentence_and_the_next_photo_works() {
    let page = Page::open("en").await;

    page.choose_photo(&portraits::wall(640, 480)).await;
    page.complains("No face was found").await;
    page.still_works().await;

    page.choose("notes.txt", b"Dear diary").await;
    page.complains("could not be read as a photo").await;
    page.still_works().await;

    page.choose("notes.jpg", b"Dear diary").await;
    page.complains("could not be read as a photo").await;
    page.still_works().await;

    let mut broken = portraits::jpeg(&AARON.portrait(600));
    broken.truncate(200);
    page.choose("broken.jpg", &broken).await;
    page.complains("could not be read as a photo").await;
    page.still_works().await;

    page.choose("IMG_0001.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").await;
    page.complains("cannot read HEIC").await;
    page.still_works().await;

    page.console_is_clean_but_for(&["422 (Unprocessable"]).await;
}

#[tokio::test]
async fn a_face_that_tells_little_is_told() {
    let page = Page::open("en").await;
    // A face of some twenty pixels.
    let mut far = portraits::wall(140, 105);
    imageops::overlay(&mut far, &AARON.portrait(48), 40, 30);
    page.choose_photo(&far).await;
    page.matches().await;
    assert!(page.browser.text("#hint").await.contains("very small"));
    page.is_accessible("a small face").await;
    page.still_works().await;
    assert!(!page.browser.is_visible("#hint").await);

    // The other flaws are measured by the same code; what the server would say is put in its answer.
    page.browser.run(EAVESDROP).await;
    for (flaw, told) in [("turned", "looks at the camera"), ("blurred", "sharper")] {
        let change = format!(
            "window.changed = answer => ({{ ...answer, faces: answer.faces.map(face => \
                ({{ ...face, flaw_kind: '{flaw}' }})) }})"
        );
        page.browser.run(&change).await;
        page.choose_photo(&AARON.portrait(600)).await;
        page.browser
            .until(&format!("document.querySelector('#hint').innerText.includes('{told}')"))
            .await;
    }
}

#[tokio::test]
async fn a_server_that_is_gone_is_told_and_the_same_photo_can_be_sent_again() {
    let mut page = Page::open("en").await;
    page.browser.until("customElements.get('marked-photo')").await;
    page.stop_server();
    page.choose_photo(&AARON.portrait(600)).await;
    page.complains("cannot be reached").await;

    page.restart_server();
    page.browser.click(".problem button").await;
    page.finds(&AARON).await;
    page.still_works().await;
    page.console_is_clean_but_for(&["net::ERR_CONNECTION"]).await;
}

#[tokio::test]
async fn a_device_that_is_offline_is_told_and_the_photo_is_sent_when_it_is_not() {
    let page = Page::open("en").await;
    page.browser.until("customElements.get('marked-photo')").await;
    page.browser.go_offline(true).await;
    page.choose_photo(&AARON.portrait(600)).await;
    page.complains("You are offline").await;
    page.is_accessible("offline").await;
    page.browser.go_offline(false).await;
    page.finds(&AARON).await;
    page.console_is_clean_but_for(&["net::ERR_INTERNET_DISCONNECTED"]).await;
}

#[tokio::test]
async fn a_busy_server_is_told_and_asked_again_when_it_says() {
    let page = Page::open("en").await;
    page.browser.run(EAVESDROP).await;
    // More visitors than the server admits have begun to send a photo and do not go on.
    let visitors: Vec<TcpStream> = (0..64).map(|_| page.hanging_upload()).collect();
    page.choose_photo(&AARON.portrait(600)).await;
    page.complains("busy").await;
    page.complains("sent again in 2 s").await;
    page.browser.until("window.asked.filter(path => path === '/api/lookalikes').length > 1").await;

    drop(visitors);
    // By itself.
    page.finds(&AARON).await;
    page.console_is_clean_but_for(&["503 (Service Unavailable)"]).await;
}

#[tokio::test]
async fn a_slow_network_is_admitted_and_can_be_left() {
    let page = Page::open("en").await;
    page.browser.until("customElements.get('marked-photo')").await;
    page.browser.delay_network(60_000).await;
    page.choose_photo(&AARON.portrait(600)).await;
    page.browser.visible("marked-photo.busy img").await;
    page.is_accessible("searching").await;
    assert!(page.browser.text("#hint").await.contains("longer than usual"));
    page.is_accessible("slow").await;
    let said = page.browser.run("return document.querySelector('[role=status]').textContent").await;
    assert!(said.as_str().unwrap().contains("longer than usual"), "{said}");
    page.browser.click("#cancel").await;
    assert!(page.browser.is_visible("#choose").await);
    page.browser.delay_network(0).await;
    page.still_works().await;
    assert_eq!(
        page.browser.run("return document.querySelector('#hint').hidden").await,
        json!(true)
    );
    page.console_is_clean_but_for(&[]).await;
}
