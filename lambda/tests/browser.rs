//! The page in a real browser, with the real server behind it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test reports by panicking"
)]

mod common;
mod support;

use std::net::TcpStream;

use image::imageops;
use serde_json::{Value, json};
use support::page::{Page, Rect};
use support::portraits::{self, AARON, ADAMA};

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

#[tokio::test]
async fn a_portrait_finds_its_own_person_and_marks_the_face() {
    let page = Page::open("en").await;
    // The portrait hangs at the right of a wide wall: only the true place of the face is there.
    let portrait = AARON.portrait(500);
    let mut photo = portraits::wall(1500, 700);
    imageops::overlay(&mut photo, &portrait, 800, 150);
    page.choose_photo(&photo).await;

    let matches = page.matches().await;
    assert_eq!(matches[0].name, AARON.name, "{matches:?}");
    assert_eq!(matches.len(), 5);
    assert!(matches[0].percent > 80, "{matches:?}");
    assert!(matches.is_sorted_by(|a, b| a.percent >= b.percent), "{matches:?}");

    let marks = page.marks().await;
    assert_eq!(marks.len(), 1, "{marks:?}");
    let width = f64::from(portrait.width());
    let upper_middle = Rect { x: 800.0 + width / 3.0, y: 150.0, width: width / 3.0, height: 330.0 };
    assert!(upper_middle.contains_middle_of(marks[0]), "{marks:?}");
    assert!((100.0..350.0).contains(&marks[0].height), "{marks:?}");

    let broken = page
        .browser
        .run(
            "await Promise.all([...document.images].map(image => image.decode().catch(() => {})));
            return [...document.images].filter(image => image.naturalWidth === 0).map(image => image.src)",
        )
        .await;
    assert_eq!(broken, json!([]), "these pictures do not load");

    let hosts = page
        .browser
        .run(
            "return [...new Set(performance.getEntries()
                .filter(entry => ['navigation', 'resource'].includes(entry.entryType))
                .map(entry => entry.name)
                .filter(name => !name.startsWith('blob:'))
                .map(name => new URL(name).origin + '/'))]",
        )
        .await;
    assert_eq!(hosts, json!([page.address()]));
    page.console_is_clean_but_for(&[]).await;
}

#[tokio::test]
async fn a_photo_can_be_dropped_and_pasted() {
    let page = Page::open("en").await;
    let dropped = page.file("dropped.jpg", &portraits::jpeg(&AARON.portrait(600)));
    page.browser.drop_file(&dropped, ".drop").await;
    page.finds(&AARON).await;

    // Anywhere on the page, also when there are results.
    let dropped = page.file("dropped-too.jpg", &portraits::jpeg(&ADAMA.portrait(600)));
    page.browser.drop_file(&dropped, "header").await;
    page.finds(&ADAMA).await;

    page.browser
        .run(
            "const photo = document.querySelector('.photo img');
            const canvas = document.createElement('canvas');
            canvas.width = photo.naturalWidth / 2;
            canvas.height = photo.naturalHeight / 2;
            canvas.getContext('2d').drawImage(photo, 0, 0, canvas.width, canvas.height);
            const blob = await new Promise(done => canvas.toBlob(done));
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([blob], 'pasted.png', { type: blob.type }));
            document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));",
        )
        .await;
    page.finds(&ADAMA).await;
    let width = page.browser.run("return document.querySelector('.photo img').naturalWidth").await;
    assert_eq!(width, json!(ADAMA.portrait(600).width() / 2));
    page.console_is_clean_but_for(&[]).await;
}

#[tokio::test]
async fn one_of_several_faces_is_chosen_by_click_and_by_keyboard() {
    let page = Page::open("en").await;
    page.choose_photo(&portraits::side_by_side(&AARON, &ADAMA, 500)).await;

    page.matches().await;
    let marks = page.marks().await;
    assert_eq!(marks.len(), 2, "{marks:?}");
    let half = f64::from(AARON.portrait(500).width());
    let halves = [0.0, half].map(|x| Rect { x, y: 0.0, width: half, height: 400.0 });
    assert!(
        halves.iter().zip(&marks).all(|(half, &mark)| half.contains_middle_of(mark)),
        "{marks:?}"
    );
    assert!(page.browser.text("#faces-hint").await.contains("Choose one"));

    page.browser.click(".mark:nth-of-type(2)").await;
    page.finds(&ADAMA).await;
    page.browser.click(".mark:nth-of-type(1)").await;
    page.finds(&AARON).await;

    page.browser.press(TAB).await;
    let focused = page.browser.run("return document.activeElement.title").await;
    assert_eq!(focused, json!("Face 2"));
    page.browser.press(ENTER).await;
    page.finds(&ADAMA).await;
    let pressed = page
        .browser
        .run("return [...document.querySelectorAll('.mark')].map(mark => mark.ariaPressed)")
        .await;
    assert_eq!(pressed, json!(["false", "true"]));
    let focused = page.browser.run("return document.activeElement.title").await;
    assert_eq!(focused, json!("Face 2"), "the focus stays on the chosen face");
}

#[tokio::test]
async fn a_phone_photo_is_turned_upright_and_made_smaller_before_it_is_sent() {
    let page = Page::open("en").await;
    let portrait = AARON.portrait(1500);
    let mut photo = portraits::wall(3000, 4000);
    imageops::overlay(&mut photo, &portrait, 500, 300);
    page.choose("phone.jpg", &portraits::phone_jpeg(&photo)).await;

    page.finds(&AARON).await;
    let size = page
        .browser
        .run("const { naturalWidth, naturalHeight } = document.querySelector('.photo img'); return [naturalWidth, naturalHeight]")
        .await;
    assert_eq!(size, json!([1200, 1600]));
    let marks = page.marks().await;
    let hung = Rect { x: 200.0, y: 120.0, width: 820.0, height: 600.0 };
    assert!(hung.contains_middle_of(marks[0]), "{marks:?}");
}

#[tokio::test]
async fn each_problem_with_a_photo_has_its_sentence_and_the_next_photo_works() {
    let page = Page::open("en").await;

    page.choose_photo(&portraits::wall(640, 480)).await;
    page.complains("No face was found").await;
    page.still_works().await;

    page.choose("notes.txt", b"Dear diary").await;
    page.complains("could not be read as a photo").await;
    page.still_works().await;

    // The server finds out what the name hides.
    page.choose("notes.jpg", b"Dear diary").await;
    page.complains("could not be read as a photo").await;
    page.still_works().await;

    let mut broken = portraits::jpeg(&AARON.portrait(600));
    broken.truncate(200);
    page.choose("broken.jpg", &broken).await;
    page.complains("could not be read as a photo").await;
    page.still_works().await;

    page.choose("huge.jpg", &vec![7; 11_000_000]).await;
    page.complains("too large").await;
    page.still_works().await;

    page.console_is_clean_but_for(&["422 (Unprocessable", "400 (Bad Request)"]).await;
}

#[tokio::test]
async fn a_server_that_is_gone_is_told_and_the_same_photo_can_be_sent_again() {
    let mut page = Page::open("en").await;
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
async fn a_busy_server_is_told_and_the_same_photo_can_be_sent_again() {
    let page = Page::open("en").await;
    // More visitors than the server admits have begun to send a photo and do not go on.
    let visitors: Vec<TcpStream> = (0..64).map(|_| page.hanging_upload()).collect();
    page.choose_photo(&AARON.portrait(600)).await;
    page.complains("busy").await;

    drop(visitors);
    page.browser.click(".problem button").await;
    page.finds(&AARON).await;
    page.console_is_clean_but_for(&["503 (Service Unavailable)"]).await;
}

#[tokio::test]
async fn cancelling_and_a_second_photo_leave_the_first_behind() {
    let page = Page::open("en").await;
    page.browser.delay_network(60_000).await;
    page.choose_photo(&ADAMA.portrait(600)).await;
    page.browser.click("#cancel").await;
    assert!(page.browser.is_visible("#choose").await);
    assert!(!page.browser.is_visible("#stage").await);

    page.choose_photo(&ADAMA.portrait(600)).await;
    page.browser.visible(".photo img").await;
    assert!(page.browser.text("#heading").await.contains("Looking"));
    page.browser.delay_network(0).await;
    page.choose_photo(&AARON.portrait(600)).await;
    page.finds(&AARON).await;
    page.console_is_clean_but_for(&[]).await;
}

#[tokio::test]
async fn the_browsers_language_is_spoken_and_the_switch_is_remembered() {
    let page = Page::open("ru").await;
    let language = "return [document.documentElement.lang, document.title]";
    let russian = json!(["ru", "На кого из знаменитостей вы похожи?"]);
    assert_eq!(page.browser.run(language).await, russian);
    page.choose_photo(&AARON.portrait(600)).await;
    page.finds(&AARON).await;
    assert_eq!(latin_texts(&page).await, json!([]), "all is Russian but names and the switch");

    page.browser.click("[data-language=en]").await;
    let english = json!(["en", "Which celebrity do you look like?"]);
    assert_eq!(page.browser.run(language).await, english);
    page.finds(&AARON).await;
    assert_eq!(cyrillic_texts(&page).await, json!([]), "all is English but the switch");

    page.browser.reload().await;
    assert_eq!(page.browser.run(language).await, english, "the choice outlives the page");
    assert_eq!(page.browser.text("#choose").await, "Choose a photo");

    page.browser.click("[data-language=ru]").await;
    page.choose_photo(&portraits::wall(640, 480)).await;
    page.complains("не нашлось лица").await;
    assert_eq!(latin_texts(&page).await, json!([]));
}

/// The page's texts and labels that hold a letter of `script`, without names and the switch.
async fn texts_in(page: &Page, script: &str) -> Value {
    page.browser
        .run(&format!(
            "const foreign = [];
            for (const node of document.querySelectorAll('body *')) {{
                if (node.closest('noscript, .name, .languages button')) continue;
                const own = [...node.childNodes].filter(child => child.nodeType === Node.TEXT_NODE);
                const texts = [...own.map(child => child.data), node.title, node.ariaLabel];
                foreign.push(...texts.filter(text => /\\p{{Script={script}}}/u.test(text ?? '')));
            }}
            return foreign.filter(text => !/JPEG|PNG|{}/.test(text))",
            AARON.name,
        ))
        .await
}

async fn latin_texts(page: &Page) -> Value {
    texts_in(page, "Latin").await
}

async fn cyrillic_texts(page: &Page) -> Value {
    texts_in(page, "Cyrillic").await
}

#[tokio::test]
async fn any_other_language_is_answered_in_english() {
    let page = Page::open("de").await;
    assert_eq!(page.browser.run("return document.documentElement.lang").await, json!("en"));
}

#[tokio::test]
async fn nothing_sticks_out_on_a_phone() {
    for language in ["en", "ru"] {
        let page = Page::open(language).await;
        page.browser.resize(360, 740).await;
        page.does_not_scroll_sideways().await;
        page.choose("notes.txt", b"Dear diary").await;
        page.browser.visible(".problem").await;
        page.does_not_scroll_sideways().await;
        page.choose_photo(&AARON.portrait(600)).await;
        page.finds(&AARON).await;
        page.does_not_scroll_sideways().await;
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
    tab_to(&page, "choose").await;
    let outline = "return getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(page.browser.run(outline).await, json!("solid"), "the focus is visible");
    page.browser.press(ENTER).await;
    assert_eq!(page.browser.run("return window.dialogs").await, json!(1));

    page.choose_photo(&AARON.portrait(600)).await;
    page.finds(&AARON).await;
    let focused = page.browser.run("return document.activeElement.id").await;
    assert_eq!(focused, json!("heading"), "the focus follows to the results");
    let announced =
        page.browser.run("return document.querySelector('[role=status]').textContent").await;
    assert!(announced.as_str().is_some_and(|text| text.contains(AARON.name)), "{announced}");

    tab_to(&page, "another").await;
    page.browser.press(ENTER).await;
    assert_eq!(page.browser.run("return window.dialogs").await, json!(2));
}

/// Presses the tabulator until the element with this id has the focus.
async fn tab_to(page: &Page, id: &str) {
    for _ in 0..20 {
        if page.browser.run("return document.activeElement.id").await == json!(id) {
            return;
        }
        page.browser.press(TAB).await;
    }
    panic!("the keyboard does not reach #{id}");
}
