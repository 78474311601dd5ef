//! The examples run: each asserts what it shows.
#![allow(clippy::unwrap_used)]

mod common;

fn runs(name: &str) {
    let output = common::example(name).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !output.stdout.is_empty(), "{name}: {error}");
}

#[test]
fn quick_start() {
    runs("quick_start");
}

#[test]
fn filters_and_groups() {
    runs("filters_and_groups");
}

#[test]
fn concurrent_readers() {
    runs("concurrent_readers");
}

#[test]
fn lambda_snapshot() {
    runs("lambda_snapshot");
}
