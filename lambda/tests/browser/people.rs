//! People of the gallery.

use std::path::PathBuf;

use embed::{Assets, Pipeline};
use serde_json::json;

use crate::ESCAPE;
use crate::common::assets;
use crate::support::browser::Browser;
use crate::support::page::Page;
use crate::support::portraits::{AARON, ADAMA};

#[tokio::test]
async fn a_person_has_a_panel_with_portraits_and_people_who_look_like_them() {
    let page = Page::open("en").await;
    page.choose_photo(&AARON.portrait(700)).await;
    page.finds(&AARON).await;
    page.browser.click(".verdict .button.quiet").await;
    page.browser.visible("person-dialog h2").await;
    assert_eq!(page.browser.text("person-dialog h2").await, AARON.name);
    assert!(page.browser.text("person-dialog .hint").await.contains("does not state the terms"));
    let others = "return document.querySelectorAll('person-dialog .card').length";
    assert_eq!(page.browser.run(others).await, json!(6));

    // From person to person, and back by the browser's own button.
    let other = page.browser.text("person-dialog li .name").await;
    page.browser.click("person-dialog li .card").await;
    page.browser
        .until(&format!("document.querySelector('person-dialog h2')?.textContent === '{other}'"))
        .await;
    page.browser.run("history.back()").await;
    page.browser
        .until(&format!(
            "document.querySelector('person-dialog h2')?.textContent === '{}'",
            AARON.name
        ))
        .await;

    page.browser.press(ESCAPE).await;
    page.browser.until("!document.querySelector('person-dialog')").await;
    assert_eq!(page.browser.run("return location.hash").await, json!(""));
    page.finds(&AARON).await;
    let focused = page.browser.run("return document.activeElement.textContent").await;
    assert_eq!(focused, json!("About this person"), "the focus comes back");
    page.spoke_to_its_own_host_only().await;
    page.console_is_clean_but_for(&[]).await;
}

#[tokio::test]
async fn a_panel_has_an_address_and_an_old_address_is_explained() {
    let page = Page::open("en").await;
    page.browser.open(&format!("{}#person=adama-sanogo", page.address())).await;
    page.browser.reload().await;
    page.browser.visible("person-dialog h2").await;
    assert_eq!(page.browser.text("person-dialog h2").await, ADAMA.name);
    page.browser.click("person-dialog .close").await;
    assert!(page.browser.is_visible("#choose").await);

    page.browser.run("location.hash = 'person=nobody'").await;
    assert!(page.browser.text("person-dialog .problem").await.contains("not in the gallery"));
    page.console_is_clean_but_for(&["404 (Not Found)"]).await;
}

#[tokio::test]
async fn the_terms_of_a_photo_are_told_as_the_gallery_has_them() {
    let folder = gallery_with_terms();
    let page = Page::of_gallery(Browser::start("en").await, &folder).await;
    page.browser.run("location.hash = 'person=aaron-scott'").await;
    let terms = page.browser.text("person-dialog figcaption").await;
    assert_eq!(
        terms.lines().collect::<Vec<_>>(),
        ["Licence: CC BY 4.0", "By: Ada <Lovelace>", "Source: example.org/1"]
    );
    let link = page
        .browser
        .run("const { href, rel } = document.querySelector('person-dialog figcaption a'); return [href, rel]")
        .await;
    assert_eq!(link, json!(["https://example.org/1", "noreferrer"]));
    page.browser.run("location.hash = 'person=adama-sanogo'").await;
    page.browser
        .until("document.querySelector('person-dialog h2')?.textContent === 'Adama Sanogo'")
        .await;
    let terms = page.browser.text("person-dialog figcaption").await;
    assert_eq!(terms, "Source: javascript:alert(1)", "only addresses of pages become links");
    page.console_is_clean_but_for(&[]).await;
}

/// Two people with columns that tell of their photos' terms.
fn gallery_with_terms() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("browser-terms");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    let list = tempfile::NamedTempFile::new().unwrap();
    let rows = format!(
        "file,name,license,author,source_url,born\n\
        {},{},CC BY 4.0,Ada <Lovelace>,https://example.org/1,1990\n\
        {},{},,,javascript:alert(1),1991\n",
        AARON.file().display(),
        AARON.name,
        ADAMA.file().display(),
        ADAMA.name,
    );
    std::fs::write(list.path(), rows).unwrap();
    let pipeline = Pipeline::load(&Assets::new(assets()), "default").unwrap();
    let sources = embed::import::csv(list.path(), "".as_ref()).unwrap();
    embed::import::import(&pipeline, sources, &folder, |_| {}).unwrap();
    folder
}
