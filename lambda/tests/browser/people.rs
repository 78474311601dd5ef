//! People of the gallery.

use std::path::PathBuf;

use embed::{Assets, Pipeline};
use serde_json::json;

use crate::ESCAPE;
use crate::common::assets;
use crate::support::browser::Browser;
use crate::support::page::{DESKTOP, PHONE, Page, each_visitor};
use crate::support::portraits::{AARON, ADAMA};

#[tokio::test]
async fn a_person_has_a_panel_with_portraits_and_people_who_look_like_them() {
    each_visitor(async |page| {
        page.choose_photo(&AARON.portrait(700)).await;
        page.finds(&AARON).await;
        page.browser.click(".verdict .button.quiet").await;
        page.browser.visible("person-dialog h2").await;
        assert_eq!(page.browser.text("person-dialog h2").await, AARON.name);
        page.says("person-dialog .hint", "person.noTerms").await;
        page.is_for_everybody("a person").await;
        let others = "return document.querySelectorAll('person-dialog .card').length";
        assert_eq!(page.browser.run(others).await, json!(6));

        // From person to person, and back by the browser's own button.
        let other = page.browser.text("person-dialog li .name").await;
        page.browser.click("person-dialog li .card").await;
        page.browser
            .until(&format!(
                "document.querySelector('person-dialog h2')?.textContent === '{other}'"
            ))
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
        assert_eq!(focused, json!(page.message("person.about").await), "the focus comes back");
        page.is_clean_but_for(&[]).await;
    })
    .await;
}

#[tokio::test]
async fn a_panel_has_an_address_and_an_old_address_is_explained() {
    each_visitor(async |page| {
        page.browser.open(&format!("{}#person=adama-sanogo", page.address())).await;
        page.browser.reload().await;
        page.browser.visible("person-dialog h2").await;
        assert_eq!(page.browser.text("person-dialog h2").await, ADAMA.name);
        page.browser.click("person-dialog .close").await;
        assert!(page.browser.is_visible("#choose").await);

        page.browser.run("location.hash = 'person=nobody'").await;
        page.says("person-dialog .problem", "problem.unknownPerson.title").await;
        page.is_for_everybody("an unknown person").await;
        page.browser.click("person-dialog .close").await;

        page.browser.delay_network(60_000).await;
        page.browser.run("location.hash = 'person=adama-sanogo'").await;
        page.says("person-dialog", "person.loading").await;
        page.is_for_everybody("a person on the way").await;
        page.browser.go_offline(true).await;
        page.browser.press(ESCAPE).await;
        page.browser.until("!document.querySelector('person-dialog')").await;
        page.browser.run("location.hash = 'person=aaron-scott'").await;
        page.says("person-dialog .problem", "problem.offline.title").await;
        page.browser.go_offline(false).await;
        page.browser.click("person-dialog .problem button").await;
        page.browser.visible("person-dialog h2").await;
        page.is_clean_but_for(&["404 (Not Found)", "ERR_INTERNET_DISCONNECTED"]).await;
    })
    .await;
}

#[tokio::test]
async fn the_terms_of_a_photo_are_told_as_the_gallery_has_them() {
    let folder = gallery_with_terms();
    for visitor in [PHONE, DESKTOP] {
        let page =
            Page::of_gallery(Browser::start(visitor.language).await, visitor.window, &folder).await;
        page.browser.run("location.hash = 'person=aaron-scott'").await;
        let terms = page.browser.text("person-dialog figcaption").await;
        let mut told = Vec::new();
        for (term, value) in
            [("licence", "CC BY 4.0"), ("author", "Ada <Lovelace>"), ("source", "example.org/1")]
        {
            told.push(format!("{}: {value}", page.message(&format!("person.{term}")).await));
        }
        assert_eq!(terms.lines().collect::<Vec<_>>(), told);
        let link = page
            .browser
            .run("const { href, rel } = document.querySelector('person-dialog figcaption a'); return [href, rel]")
            .await;
        assert_eq!(link, json!(["https://example.org/1", "noreferrer"]));
        page.is_for_everybody("a person with terms").await;
        page.browser.run("location.hash = 'person=adama-sanogo'").await;
        page.browser
            .until("document.querySelector('person-dialog h2')?.textContent === 'Adama Sanogo'")
            .await;
        let terms = page.browser.text("person-dialog figcaption").await;
        assert!(
            terms.ends_with(": javascript:alert(1)"),
            "only addresses of pages become links: {terms}"
        );
        assert_eq!(
            page.browser.run("return document.querySelectorAll('figcaption a').length").await,
            json!(0)
        );
        page.is_clean_but_for(&[]).await;
    }
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
