//! Missing and wrong assets: the command says what is wrong and what to do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use common::assets;

/// A directory like the real assets, file by file, for a test to spoil.
fn copy_of_assets() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for folder in ["models", "onnxruntime"] {
        fs::create_dir(copy.path().join(folder)).unwrap();
        for file in fs::read_dir(assets().join(folder)).unwrap() {
            let file = file.unwrap();
            symlink(file.path(), copy.path().join(folder).join(file.file_name())).unwrap();
        }
    }
    copy
}

/// What the command prints as its error.
fn error_with(assets: &Path) -> String {
    error_of_model(assets, "default")
}

fn error_of_model(assets: &Path, model: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_embed"))
        .args(["search", "photo.jpg", "--store", "nowhere", "--model", model, "--assets"])
        .arg(assets)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "an error and not a crash");
    String::from_utf8(output.stderr).unwrap()
}

fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

fn library(assets: &Path) -> std::path::PathBuf {
    assets.join("onnxruntime").join(format!("libonnxruntime{}", std::env::consts::DLL_SUFFIX))
}

#[test]
fn nothing_there() {
    let empty = tempfile::tempdir().unwrap();
    let error = error_with(empty.path());
    assert!(error.contains("fr_detect.onnx is missing; run `make assets`"), "{error}");
}

#[test]
fn no_runtime() {
    let copy = copy_of_assets();
    fs::remove_file(library(copy.path())).unwrap();
    let error = error_with(copy.path());
    assert!(error.contains("libonnxruntime"), "{error}");
    assert!(error.contains("is missing; run `make assets`"), "{error}");
}

#[test]
fn a_runtime_that_is_no_library() {
    let copy = copy_of_assets();
    replace(&library(copy.path()), b"not a library");
    let error = error_with(copy.path());
    assert!(error.contains("ONNX Runtime cannot be loaded from"), "{error}");
    assert!(error.contains("run `make assets`"), "{error}");
}

#[test]
fn a_network_that_is_cut_off() {
    let copy = copy_of_assets();
    let path = copy.path().join("models/fr_feature.onnx");
    let bytes = fs::read(&path).unwrap();
    replace(&path, &bytes[..bytes.len() / 2]);
    let error = error_with(copy.path());
    assert!(error.contains("fr_feature.onnx is not the expected file (sha256 expected"), "{error}");
}

#[test]
fn a_network_that_no_registry_carries() {
    for (model, from) in [("facenet", "davidsandberg/facenet"), ("arcface", "insightface")] {
        let error = error_of_model(&assets(), model);
        let expected = format!("{model}.onnx is missing; no package registry carries it");
        assert!(error.contains(&expected) && error.contains(from), "{error}");
    }
    let error = error_of_model(&assets(), "own");
    assert!(error.contains("own.onnx is missing; put the network that you trained"), "{error}");
    let error = error_of_model(&assets(), "nobody");
    assert!(error.contains("no model is called `nobody`; there is: arcface, default"), "{error}");
}
