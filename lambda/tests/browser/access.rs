//! That everybody can use the page: on any screen, by keyboard, by ear, without motion.

use serde_json::json;

use crate::support::page::Page;
use crate::support::portraits::{self, AARON, ADAMA};
use crate::{ENTER, TAB};

/// Phone, tablet, desktop, the same at 200 % zoom, and 400 % as WCAG 2.2, 1.4.10 has it.
const SIZES: [(u32, u32); 5] = [(360, 740), (820, 1180), (1280, 860), (640, 430), (320, 256)];

#[tokio::test]
async fn every_state_is_accessible_and_fits_in_light_and_dark() {
    for language in ["en", "ru"] {
        let page = Page::open(language).await;
        let check = async |state: &str| {
            page.is_accessible(state).await;
            for (width, height) in SIZES {
                page.browser.resize(width, height).await;
                page.does_not_scroll_sideways().await;
            }
            page.browser.resize(1280, 860).await;
        };

        check("start").await;
        page.browser.click("#privacy summary").await;
        check("privacy").await;
        page.choose("notes.txt", b"Dear diary").await;
        page.browser.visible("#start .problem").await;
        check("not a photo").await;
        page.choose_photo(&portraits::wall(640, 480)).await;
        page.browser.visible("#stage .problem").await;
        check("no face").await;
        page.choose_photo(&portraits::side_by_side(&AARON, &ADAMA, 500)).await;
        page.browser.visible(".ready .wipe").await;
        check("several faces").await;
        page.choose_photo(&AARON.portrait(600)).await;
        page.browser.until("document.querySelectorAll('.mark').length === 1").await;
        page.browser.visible(".ready .wipe").await;
        page.browser.click(".note summary").await;
        check("found").await;
        page.browser.click(".verdict .button.quiet").await;
        page.browser.visible("person-dialog .card").await;
        check("person").await;
        page.browser.run("location.hash = 'person=nobody'").await;
        page.browser.visible("person-dialog .problem").await;
        check("unknown person").await;
        page.spoke_to_its_own_host_only().await;
        page.console_is_clean_but_for(&["422 (Unprocessable", "404 (Not Found)"]).await;
    }
}

#[tokio::test]
async fn the_keyboard_alone_is_enough() {
    let page = Page::open("en").await;
    page.browser
        .run(
            "document.querySelector('#file').addEventListener('click', event => {
            event.preventDefault();
            window.dialogs = (window.dialogs ?? 0) + 1;
        })",
        )
        .await;
    tab_to(&page, "#file").await;
    let outline = "return getComputedStyle(document.querySelector('#choose')).outlineStyle";
    assert_eq!(page.browser.run(outline).await, json!("solid"), "the focus is visible");
    page.browser.run("document.activeElement.click()").await;
    assert_eq!(page.browser.run("return window.dialogs").await, json!(1));

    page.choose_photo(&AARON.portrait(600)).await;
    page.finds(&AARON).await;
    let focused = page.browser.run("return document.activeElement.id").await;
    assert_eq!(focused, json!("heading"), "the focus follows to the results");
    let announced =
        page.browser.run("return document.querySelector('[role=status]').textContent").await;
    assert!(announced.as_str().is_some_and(|text| text.contains(AARON.name)), "{announced}");

    for reached in
        ["#another", "#camera-again", "face-duel input", ".verdict .button", ".note summary"]
    {
        tab_to(&page, reached).await;
    }
    tab_to(&page, "li:nth-child(3) .card").await;
    page.browser.press(ENTER).await;
    let focused = page.browser.run("return document.activeElement.matches('.verdict .name')").await;
    assert_eq!(focused, json!(true), "the focus follows to who is compared now");
    tab_to(&page, ".verdict .button.quiet").await;
    page.browser.press(ENTER).await;
    page.browser.visible("person-dialog .card").await;
    tab_to(&page, "person-dialog .close").await;
    page.browser.press(ENTER).await;
    page.browser.until("!document.querySelector('person-dialog')").await;

    page.browser.run("document.querySelector('#another').focus()").await;
    page.browser.press(ENTER).await;
    assert_eq!(page.browser.run("return window.dialogs").await, json!(2));
}

/// Presses the tabulator until the element has the focus.
async fn tab_to(page: &Page, css: &str) {
    for _ in 0..25 {
        let there = format!("return document.activeElement.matches('{css}')");
        if page.browser.run(&there).await == json!(true) {
            return;
        }
        page.browser.press(TAB).await;
    }
    panic!("the keyboard does not reach {css}");
}

#[tokio::test]
async fn nothing_moves_for_who_prefers_that() {
    let page = Page::open("en").await;
    page.browser.prefer(&[("prefers-reduced-motion", "reduce")]).await;
    page.browser.until("customElements.get('marked-photo')").await;
    let moving = "return document.getAnimations().length";
    page.browser.delay_network(60_000).await;
    page.choose_photo(&AARON.portrait(600)).await;
    page.browser.visible("marked-photo.busy img").await;
    assert_eq!(page.browser.run(moving).await, json!(0));
    page.browser.delay_network(0).await;
    page.choose_photo(&AARON.portrait(600)).await;
    page.browser.visible(".ready .wipe").await;
    assert_eq!(page.browser.run(moving).await, json!(0));
}
