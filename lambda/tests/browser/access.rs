//! That everybody can use the page: on any screen, by keyboard, by ear, without motion. The states that
//! a photo, a camera, a person lead to are looked at where they are tested.

use serde_json::json;

use crate::ENTER;
use crate::support::page::{Page, each_visitor};
use crate::support::portraits::AARON;

#[tokio::test]
async fn the_start_is_for_everybody() {
    each_visitor(async |page| {
        page.browser.until("customElements.get('marked-photo')").await;
        page.is_for_everybody("start").await;
        page.browser
            .run("document.dispatchEvent(new DragEvent('dragover', { cancelable: true }))")
            .await;
        page.browser.visible(".dragging .drop").await;
        page.is_for_everybody("a photo over the page").await;
        page.is_clean_but_for(&[]).await;
    })
    .await;
}

#[tokio::test]
async fn the_keyboard_alone_is_enough() {
    each_visitor(async |page| {
        page.browser
            .run(
                "document.querySelector('#file').addEventListener('click', event => {
            event.preventDefault();
            window.dialogs = (window.dialogs ?? 0) + 1;
        })",
            )
            .await;
        let language = page.browser.run("return document.documentElement.lang").await;
        for spoken in [if language == "en" { "ru" } else { "en" }, language.as_str().unwrap()] {
            tab_to(&page, &format!("[data-language={spoken}]")).await;
            page.browser.press(ENTER).await;
            page.browser.until(&format!("document.documentElement.lang === '{spoken}'")).await;
            page.browser.run("document.activeElement.blur()").await;
        }
        tab_to(&page, "#privacy summary").await;
        page.browser.press(ENTER).await;
        for reached in ["#code-links a:nth-child(1)", "#code-links a:nth-child(3)"] {
            tab_to(&page, reached).await;
        }
        page.browser.run("document.activeElement.blur(); scrollTo(0, 0)").await;
        tab_to(&page, "#file").await;
        page.browser.run("document.activeElement.click()").await;
        assert_eq!(page.browser.run("return window.dialogs").await, json!(1));

        page.browser.delay_network(60_000).await;
        page.choose_photo(&AARON.portrait(600)).await;
        tab_to(&page, "#cancel").await;
        page.browser.press(ENTER).await;
        page.browser.visible("#start").await;
        page.browser.delay_network(0).await;
        let focused = page.browser.run("return document.activeElement.id").await;
        assert_eq!(focused, json!("file"), "the focus comes back to where a photo is chosen");

        page.choose_photo(&AARON.portrait(600)).await;
        page.finds(&AARON).await;
        let focused = page.browser.run("return document.activeElement.id").await;
        assert_eq!(focused, json!("heading"), "the focus follows to the results");
        let heard = page.heard().await;
        assert!(heard.contains(AARON.name), "{heard}");

        for reached in
            ["#another", "#camera-again", "face-duel input", ".verdict .button", ".note summary"]
        {
            tab_to(&page, reached).await;
        }
        tab_to(&page, "li:nth-child(3) .card").await;
        page.browser.press(ENTER).await;
        let focused =
            page.browser.run("return document.activeElement.matches('.verdict .name')").await;
        assert_eq!(focused, json!(true), "the focus follows to who is compared now");
        page.browser
            .run(
                "HTMLAnchorElement.prototype.click = function () { window.saved = this.download; };
            delete Navigator.prototype.canShare;",
            )
            .await;
        tab_to(&page, ".verdict .button").await;
        page.browser.press(ENTER).await;
        page.browser.until("window.saved").await;
        tab_to(&page, ".verdict .button.quiet").await;
        page.browser.press(ENTER).await;
        page.browser.visible("person-dialog .card").await;
        tab_to(&page, "person-dialog .close").await;
        page.browser.press(ENTER).await;
        page.browser.until("!document.querySelector('person-dialog')").await;

        page.browser.run("document.querySelector('#another').focus()").await;
        page.browser.press(ENTER).await;
        assert_eq!(page.browser.run("return window.dialogs").await, json!(2));
        page.is_clean_but_for(&[]).await;
    })
    .await;
}

/// Where the focus is, whether that can be seen, and whether it is the element looked for.
const FOCUS: &str = "
    const { activeElement: focused } = document;
    const shown = {
        file: () => document.querySelector('#choose'),
        range: () => document.querySelector('.handle'),
    }[focused.type]?.() ?? focused;
    const ringed = ['', '::before'].some(part => getComputedStyle(shown, part).outlineStyle === 'solid');
    const box = shown.getBoundingClientRect();
    const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
    return [focused.matches(css), focused === document.body || ringed && inside, focused.outerHTML]";

/// Presses the tabulator until the element has the focus, which can be seen all the way.
async fn tab_to(page: &Page, css: &str) {
    let focus = format!("const css = {};{FOCUS}", json!(css));
    for _ in 0..25 {
        page.browser.press_tab().await;
        let now = page.browser.run(&focus).await;
        assert_eq!(now[1], json!(true), "the focus cannot be seen on {}", now[2]);
        if now[0] == json!(true) {
            return;
        }
    }
    panic!("the keyboard does not reach {css}");
}

#[tokio::test]
async fn nothing_moves_for_who_prefers_that() {
    each_visitor(async |page| {
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
    })
    .await;
}
