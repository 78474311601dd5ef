//! The page in a real browser, with the real server behind it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test reports by panicking"
)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../support/mod.rs"]
mod support;

mod access;
mod camera;
mod elsewhere;
mod faces;
mod languages;
mod people;
mod photos;
mod problems;
mod results;
mod sharing;

const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const HOME: &str = "\u{e011}";
const LEFT: &str = "\u{e012}";

/// Sees what the API answers the page: the last answer is `window.answer`, the paths asked for are
/// `window.asked`. `window.changed`, if the test sets it, may change an answer on its way.
const EAVESDROP: &str = "
    const real = window.fetch;
    window.asked = [];
    window.fetch = async (address, options) => {
        const path = new URL(address, location).pathname;
        window.asked.push(path);
        let response = window.invented?.(path) ?? await real(address, options);
        if (path === '/api/lookalikes' && response.ok) {
            window.answer = await response.clone().json().catch(() => null);
            if (window.changed) response = Response.json(window.changed(window.answer));
        }
        return response;
    };";
