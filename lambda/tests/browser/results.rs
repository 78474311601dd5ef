//! What was found, and what can be done with it.

use serde_json::json;

use crate::support::page::each_visitor;
use crate::support::portraits::{AARON, ADAMA};
use crate::{EAVESDROP, HOME, LEFT};

/// Where the eyes of the answer are on the screen, in both pictures of the frame with the slider
/// and in the two beside it.
const EYES: &str = "
    const place = (picture, [x, y]) => {
        const style = getComputedStyle(picture);
        const scale = picture.offsetWidth / picture.naturalWidth;
        const [originX, originY] = style.transformOrigin.split(' ').map(parseFloat);
        const turned = new DOMMatrix(style.transform)
            .transformPoint(new DOMPoint(x * scale - originX, y * scale - originY));
        const side = picture.parentElement.offsetWidth;
        return [(picture.offsetLeft + originX + turned.x) / side, (picture.offsetTop + originY + turned.y) / side];
    };
    const { faces, face, lookalikes } = window.answer;
    const eyes = { photo: faces[face].eyes, portrait: lookalikes[0].portrait_eyes };
    const pictures = [...document.querySelectorAll('face-duel img')];
    return pictures.map(picture =>
        eyes[picture.src.startsWith('blob:') ? 'photo' : 'portrait'].map(eye => place(picture, eye)))";

#[tokio::test]
async fn photo_and_portrait_lie_on_each_other_eye_on_eye() {
    each_visitor(async |page| {
        page.browser.run(EAVESDROP).await;
        // A tilted head, not as large as in the portrait.
        page.choose_photo(&AARON.tilted(700, 0.2)).await;
        page.finds(&AARON).await;
        page.browser.visible(".ready .wipe").await;
        let eyes: Vec<[[f64; 2]; 2]> = serde_json::from_value(page.browser.run(EYES).await)
            .expect("two eyes in four pictures");
        assert_eq!(eyes.len(), 4, "{eyes:?}");
        for [left, right] in &eyes {
            assert!((left[1] - right[1]).abs() < 0.01, "level: {eyes:?}");
            assert!(right[0] - left[0] > 0.15, "large enough: {eyes:?}");
            for (eye, first) in [left, right].iter().zip(&eyes[0]) {
                assert!((eye[0] - first[0]).hypot(eye[1] - first[1]) < 0.01, "{eyes:?}");
            }
        }
        let tilt = page
        .browser
        .run(
            "const [[x, y], [u, v]] = window.answer.faces[0].eyes; return Math.atan2(v - y, u - x)",
        )
        .await;
        assert!(tilt.as_f64().unwrap().abs() > 0.1, "the head was not tilted: {tilt}");
        page.is_for_everybody("found").await;
        page.is_clean_but_for(&[]).await;
    })
    .await;
}

#[tokio::test]
async fn a_slider_wipes_from_one_to_the_other_by_keyboard_and_by_pointer() {
    each_visitor(async |page| {
        page.choose_photo(&AARON.portrait(700)).await;
        page.finds(&AARON).await;
        page.browser.visible(".ready .wipe").await;

        let cut = "const slider = document.querySelector('face-duel input');
        const duel = document.querySelector('face-duel');
        await Promise.all(document.getAnimations().map(animation => animation.finished));
        const top = getComputedStyle(duel.querySelector('.layer.top')).clipPath;
        return [slider.value, slider.ariaValueText, top]";
        let share = page.message("found.wiped").await;
        let percent = if share.contains("your") { "{}%" } else { "{}\u{a0}%" };
        let told = |number: &str| share.replace("{percent}", &percent.replace("{}", number));
        assert_eq!(
            page.browser.run(cut).await,
            json!(["50", told("50"), "inset(0px 50% 0px 0px)"])
        );

        page.browser.run("document.querySelector('face-duel input').focus()").await;
        page.browser.press(LEFT).await;
        page.browser.press(LEFT).await;
        assert_eq!(
            page.browser.run(cut).await,
            json!(["48", told("48"), "inset(0px 52% 0px 0px)"])
        );
        page.browser.press(HOME).await;
        assert_eq!(page.browser.run(cut).await[0], json!("0"));

        // The cut comes to where the pointer is.
        let frame = page
            .browser
            .run(
                "const wipe = document.querySelector('.wipe');
            wipe.scrollIntoView();
            const { x, y, width, height } = wipe.getBoundingClientRect();
            return [x + width * 0.8, y + height / 2, width]",
            )
            .await;
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({
                "type": kind, "x": frame[0], "y": frame[1], "button": "left", "clickCount": 1,
            });
            page.browser.devtools("Input.dispatchMouseEvent", event).await;
        }
        assert_eq!(page.browser.run(cut).await[0], json!("80"));

        // And to where the finger is.
        for (kind, share) in [("touchStart", 0.8), ("touchMove", 0.5), ("touchMove", 0.3)] {
            let x = frame[0].as_f64().unwrap() + (share - 0.8) * frame[2].as_f64().unwrap();
            let event = json!({ "type": kind, "touchPoints": [{ "x": x, "y": frame[1] }] });
            page.browser.devtools("Input.dispatchTouchEvent", event).await;
        }
        let end = json!({ "type": "touchEnd", "touchPoints": [] });
        page.browser.devtools("Input.dispatchTouchEvent", end).await;
        assert_eq!(page.browser.run(cut).await[0], json!("30"));
        page.is_clean_but_for(&[]).await;
    })
    .await;
}

#[tokio::test]
async fn another_look_alike_can_be_compared_in_large() {
    each_visitor(async |page| {
        page.choose_photo(&AARON.portrait(700)).await;
        let matches = page.matches().await;
        page.browser.click("li:nth-child(2) .card").await;
        let third = &matches[2].name;
        let compared = page.matches().await;
        assert_eq!(&compared[0].name, third);
        assert_eq!(compared.len(), 5);
        assert_eq!(compared[1].name, AARON.name, "the best one is still there: {compared:?}");
        let focused = page.browser.run("return document.activeElement.textContent").await;
        assert_eq!(focused, json!(third), "the focus follows");
        assert!(page.heard().await.contains(third));
        page.browser.visible(".ready .wipe").await;
        page.is_for_everybody("another look-alike").await;
        page.is_clean_but_for(&[]).await;
    })
    .await;
}

#[tokio::test]
async fn the_percentage_is_explained_and_what_happens_to_the_photo_is_told() {
    each_visitor(async |page| {
        assert!(!page.browser.is_visible("#privacy ul").await);
        page.browser.until("customElements.get('marked-photo')").await;
        page.browser.click("#privacy summary").await;
        for told in ["short", "device", "server", "nothing", "language"] {
            page.says("#privacy", &format!("privacy.{told}")).await;
        }
        page.is_for_everybody("privacy").await;
        let links = page
        .browser
        .run(
            "const links = [...document.querySelectorAll('#code-links a')].map(link => link.href);
            const texts = await Promise.all(links.map(async link => (await fetch(link)).text()));
            return texts.map(text => /export async function|pub.* async fn/.test(text))",
        )
        .await;
        assert_eq!(links, json!([true, true, true]), "the links lead to the code that runs");

        page.choose_photo(&AARON.portrait(700)).await;
        page.matches().await;
        page.browser.click(".note summary").await;
        page.says(".note", "found.note").await;
        page.is_for_everybody("the percentage explained").await;
        page.is_clean_but_for(&[]).await;
    })
    .await;
}

#[tokio::test]
async fn a_face_between_the_two_is_shown_where_the_server_makes_one() {
    each_visitor(async |page| {
    page.browser.run(EAVESDROP).await;
    page.choose_photo(&AARON.portrait(700)).await;
    page.finds(&AARON).await;
    page.browser.until("window.asked.includes('/openapi.json')").await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let asked = page.browser.run("return window.asked.includes('/api/blend')").await;
    assert_eq!(asked, json!(false), "nothing is asked for that the server does not have");
    assert_eq!(
        page.browser.run("return document.querySelectorAll('.pair figure').length").await,
        json!(2)
    );
    page.is_clean_but_for(&[]).await;

    // A server that blends is not there yet: its answers are put in its place.
    page.browser.reload().await;
    page.browser.run(EAVESDROP).await;
    page.browser
        .run(
            "const canvas = Object.assign(document.createElement('canvas'), { width: 8, height: 8 });
            const png = await new Promise(done => canvas.toBlob(done));
            window.invented = path => path === '/api/blend' ? new Response(png)
                : path === '/openapi.json' ? Response.json({ paths: { '/api/blend': { post: {} } } })
                : undefined;",
        )
        .await;
    page.choose_photo(&ADAMA.portrait(700)).await;
    page.browser.visible(".pair figure:nth-child(3) img").await;
    page.says(".pair", "found.blend").await;
    page.is_for_everybody("a face between the two").await;
    page.is_clean_but_for(&[]).await;
    }).await;
}
