//! The picture for sharing.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::EAVESDROP;
use crate::support::page::each_visitor;
use crate::support::portraits::AARON;

#[tokio::test]
async fn without_a_share_sheet_the_picture_is_saved_and_nothing_is_uploaded() {
    each_visitor(async |page| {
        let folder = tempfile::tempdir().unwrap();
        let behavior = json!({ "behavior": "allow", "downloadPath": folder.path() });
        page.browser.devtools("Browser.setDownloadBehavior", behavior).await;
        page.browser
            .run("delete Navigator.prototype.canShare; delete Navigator.prototype.share;")
            .await;
        page.choose_photo(&AARON.portrait(700)).await;
        page.finds(&AARON).await;
        page.browser.run(EAVESDROP).await;
        page.browser.click(".verdict .button").await;

        let file = folder.path().join("aaron-scott.png");
        let picture = saved(&file).await;
        assert_eq!((picture.width(), picture.height()), (1080, 1080));
        let picture = picture.into_rgb8();
        // Both faces are there: neither half is plain.
        for x in [48 + 240, 1080 - 48 - 240] {
            let row: Vec<_> = (x - 200..x + 200).map(|x| *picture.get_pixel(x, 380)).collect();
            assert!(row.iter().any(|pixel| pixel != &row[0]), "nothing is drawn around {x}");
        }
        page.says(".verdict .button", "share.saved").await;
        assert_eq!(page.heard().await, page.message("share.saved").await);
        assert_eq!(
            page.browser.run("return window.asked").await,
            json!([]),
            "nothing is sent for it"
        );
        page.is_for_everybody("saved").await;

        // A portrait that cannot be drawn any more: that is told, and the button stays.
        page.browser
            .run("HTMLImageElement.prototype.decode = () => Promise.reject(new Error('broken'))")
            .await;
        page.browser.click(".verdict .button").await;
        page.says(".verdict .button", "share.failed").await;
        assert_eq!(page.heard().await, page.message("share.failed").await);
        page.is_for_everybody("not shared").await;
        page.is_clean_but_for(&["broken"]).await;
    })
    .await;
}

async fn saved(file: &Path) -> image::DynamicImage {
    for _ in 0..200 {
        if let Ok(picture) = image::open(file) {
            return picture;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} was not saved", file.display());
}

#[tokio::test]
async fn where_there_is_a_share_sheet_it_gets_the_picture() {
    each_visitor(async |page| {
        // Chromium on Linux has no sheet; this one remembers what it was given.
        page.browser
            .run(
                "navigator.canShare = ({ files }) => files.length === 1;
            navigator.share = async ({ files: [file] }) => {
                window.shared = [file.name, file.type, (await createImageBitmap(file)).width];
                if (window.closed_without_choice) throw new DOMException('', 'AbortError');
            };",
            )
            .await;
        page.choose_photo(&AARON.portrait(700)).await;
        page.finds(&AARON).await;
        page.browser.click(".verdict .button").await;
        page.browser.until("window.shared").await;
        assert_eq!(
            page.browser.run("return window.shared").await,
            json!(["aaron-scott.png", "image/png", 1080])
        );

        // Who closes the sheet is not told of a failure.
        page.browser.run("window.shared = null; window.closed_without_choice = true").await;
        page.browser.click(".verdict .button:not(:disabled)").await;
        page.browser
            .until("window.shared && !document.querySelector('.verdict .button').disabled")
            .await;
        page.says(".verdict .button", "share.button").await;
        page.is_for_everybody("shared").await;
        page.is_clean_but_for(&[]).await;
    })
    .await;
}
