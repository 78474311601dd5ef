//! English and Russian.

use serde_json::{Value, json};

use crate::support::page::{DESKTOP, PHONE, Page, Visitor};
use crate::support::portraits::{self, AARON};

#[tokio::test]
async fn the_browsers_language_is_spoken_and_the_switch_is_remembered() {
    let page = Page::open(PHONE).await;
    let language = "return [document.documentElement.lang, document.title]";
    let russian = json!(["ru", "На кого из знаменитостей вы похожи?"]);
    assert_eq!(page.browser.run(language).await, russian);
    page.choose_photo(&AARON.portrait(600)).await;
    page.finds(&AARON).await;
    assert_eq!(latin_texts(&page).await, json!([]), "all is Russian but names and the switch");
    page.browser.click(".verdict .button.quiet").await;
    page.browser.visible("person-dialog .card").await;
    assert_eq!(latin_texts(&page).await, json!([]));
    page.browser.click("person-dialog .close").await;

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
    page.complains("noFace").await;
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
                const texts = [...own.map(child => child.data), node.title, node.ariaLabel, node.ariaValueText];
                foreign.push(...texts.filter(text => /\\p{{Script={script}}}/u.test(text ?? '')));
            }}
            return foreign.filter(text => !/JPEG|PNG|HTTPS|cookie|{}/.test(text))",
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
    let page = Page::open(Visitor { language: "de", ..DESKTOP }).await;
    assert_eq!(page.browser.run("return document.documentElement.lang").await, json!("en"));
}
