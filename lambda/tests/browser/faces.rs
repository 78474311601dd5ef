//! Several faces in one photo.

use serde_json::json;

use crate::ENTER;
use crate::support::page::{Rect, each_visitor};
use crate::support::portraits::{self, AARON, ADAMA};

#[tokio::test]
async fn one_of_several_faces_is_chosen_by_click_and_by_keyboard() {
    each_visitor(async |page| {
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
        page.says("#hint", "photo.severalFaces").await;
        page.is_for_everybody("several faces").await;

        page.browser.click(".mark:nth-of-type(2)").await;
        page.finds(&ADAMA).await;
        page.browser.click(".mark:nth-of-type(1)").await;
        page.finds(&AARON).await;

        page.browser.press_tab().await;
        let second = page.message("photo.face").await.replace("{number}", "2");
        let focused = page.browser.run("return document.activeElement.title").await;
        assert_eq!(focused, json!(second));
        page.browser.press(ENTER).await;
        page.finds(&ADAMA).await;
        let pressed = page
            .browser
            .run("return [...document.querySelectorAll('.mark')].map(mark => mark.ariaPressed)")
            .await;
        assert_eq!(pressed, json!(["false", "true"]));
        let focused = page.browser.run("return document.activeElement.title").await;
        assert_eq!(focused, json!(second), "the focus stays on the chosen face");
        page.is_clean_but_for(&[]).await;
    })
    .await;
}
