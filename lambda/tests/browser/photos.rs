//! How a photo gets to the server.

use image::imageops;
use serde_json::json;

use crate::support::page::{DESKTOP, Page, Rect, each_visitor};
use crate::support::portraits::{self, AARON, ADAMA};

#[tokio::test]
async fn a_portrait_finds_its_own_person_and_marks_the_face() {
    each_visitor(async |page| {
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
    let size = "const { naturalWidth, naturalHeight } = document.querySelector('marked-photo img');
        return naturalWidth / naturalHeight";
    let shape = page.browser.run(size).await.as_f64().unwrap();
    assert!((shape - 1500.0 / 700.0).abs() < 0.01, "{shape}");
    // It was made smaller before it was sent.
    let scale = 1280.0 / 1500.0;
    let width = f64::from(portrait.width()) * scale;
    let upper_middle = Rect {
        x: 800.0 * scale + width / 3.0,
        y: 150.0 * scale,
        width: width / 3.0,
        height: 330.0 * scale,
    };
    assert!(upper_middle.contains_middle_of(marks[0]), "{marks:?}");
    assert!((80.0..300.0).contains(&marks[0].height), "{marks:?}");

    let broken = page
        .browser
        .run(
            "await Promise.all([...document.images].map(image => image.decode().catch(() => {})));
            return [...document.images].filter(image => image.naturalWidth === 0).map(image => image.src)",
        )
        .await;
    assert_eq!(broken, json!([]), "these pictures do not load");
    page.is_clean_but_for(&[]).await;
    }).await;
}

#[tokio::test]
async fn a_photo_can_be_dropped_and_pasted() {
    each_visitor(async |page| {
    let dropped = page.file("dropped.jpg", &portraits::jpeg(&AARON.portrait(600)));
    page.browser.drop_file(&dropped, ".drop").await;
    page.finds(&AARON).await;
    assert!(!page.browser.is_visible(".dragging").await);

    // Anywhere on the page, also when there are results.
    let dropped = page.file("dropped-too.jpg", &portraits::jpeg(&ADAMA.portrait(600)));
    page.browser.drop_file(&dropped, "header").await;
    page.finds(&ADAMA).await;

    page.browser
        .run(
            "const photo = document.querySelector('marked-photo img');
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
    let half = ADAMA.portrait(600).width() / 2;
    let pasted = format!("document.querySelector('marked-photo img')?.naturalWidth === {half}");
    page.browser.until(&pasted).await;
    page.finds(&ADAMA).await;
    page.is_clean_but_for(&[]).await;
    }).await;
}

#[tokio::test]
async fn a_phone_photo_is_turned_upright_and_made_smaller_before_it_is_sent() {
    each_visitor(async |page| {
        let portrait = AARON.portrait(1500);
        let mut photo = portraits::wall(3000, 4000);
        imageops::overlay(&mut photo, &portrait, 500, 300);
        page.choose("phone.jpg", &portraits::phone_jpeg(&photo)).await;

        page.finds(&AARON).await;
        let size = page
        .browser
        .run(
            "const { naturalWidth, naturalHeight } = document.querySelector('marked-photo img');
            return [naturalWidth, naturalHeight]",
        )
        .await;
        assert_eq!(size, json!([960, 1280]));
        let marks = page.marks().await;
        let hung = Rect { x: 160.0, y: 96.0, width: 656.0, height: 480.0 };
        assert!(hung.contains_middle_of(marks[0]), "{marks:?}");
        page.is_clean_but_for(&[]).await;
    })
    .await;
}

#[tokio::test]
async fn what_the_camera_wrote_beside_the_picture_stays_on_the_device() {
    each_visitor(async |page| {
    page.browser
        .run(
            "const real = window.fetch;
            window.fetch = async (address, options) => {
                if (options?.body instanceof Blob) {
                    window.sent = new TextDecoder('latin1').decode(await options.body.arrayBuffer());
                }
                return real(address, options);
            };",
        )
        .await;
    page.choose("phone.jpg", &portraits::phone_jpeg(&AARON.portrait(700))).await;
    page.finds(&AARON).await;
    let sent = "return [window.sent.startsWith('\\xff\\xd8'), window.sent.includes('Exif')]";
    assert_eq!(page.browser.run(sent).await, json!([true, false]));
    page.is_clean_but_for(&[]).await;
    }).await;
}

#[tokio::test]
async fn a_photo_chosen_before_the_page_has_loaded_is_taken() {
    each_visitor(async |page| {
        let photo = page.file("early.jpg", &portraits::jpeg(&AARON.portrait(600)));
        // The document is there, the modules are on their way.
        page.browser.set_network(json!({ "latency": 1500 })).await;
        page.browser.start_loading(&page.address()).await;
        page.browser.visible("#choose").await;
        page.browser.choose_file(&photo).await;
        page.browser.set_network(json!({})).await;
        page.finds(&AARON).await;
    })
    .await;
}

#[tokio::test]
async fn cancelling_and_a_second_photo_leave_the_first_behind() {
    each_visitor(async |page| {
        page.browser.until("customElements.get('marked-photo')").await;
        page.browser.delay_network(60_000).await;
        page.choose_photo(&ADAMA.portrait(600)).await;
        page.browser.click("#cancel").await;
        assert!(page.browser.is_visible("#choose").await);
        assert!(!page.browser.is_visible("#stage").await);

        page.choose_photo(&ADAMA.portrait(600)).await;
        page.browser.visible("marked-photo img").await;
        page.says("#heading", "search.searching").await;
        page.browser.delay_network(0).await;
        page.choose_photo(&AARON.portrait(600)).await;
        page.finds(&AARON).await;
        page.choose_photo(&ADAMA.portrait(600)).await;
        page.browser
            .until("document.querySelector('.best .name')?.textContent === 'Adama Sanogo'")
            .await;
        page.is_clean_but_for(&[]).await;
    })
    .await;
}

/// Chromium reads no HEIC photos; as in Safari, the browser's own decoder is asked and believed.
#[tokio::test]
async fn a_heic_photo_is_taken_where_the_browser_reads_it() {
    let page = Page::open(DESKTOP).await;
    let readable = page.file("readable.jpg", &portraits::jpeg(&AARON.portrait(600)));
    page.browser.choose_file(&readable).await;
    page.finds(&AARON).await;
    page.browser
        .run(
            "const shown = document.querySelector('marked-photo img');
            const picture = await createImageBitmap(shown);
            window.createImageBitmap = async (file) => {
                window.decoded = file.name;
                return picture;
            };",
        )
        .await;
    page.choose("IMG_0001.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").await;
    page.browser.until("window.decoded === 'IMG_0001.HEIC'").await;
    page.browser.until("!document.querySelector('.busy')").await;
    page.finds(&AARON).await;
    page.is_clean_but_for(&[]).await;
}
