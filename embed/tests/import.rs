//! `embed import` and `embed search` on the demo gallery.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::assets;

fn embed(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_embed"));
    command.arg("--assets").arg(assets()).args(arguments);
    command
}

fn import_folder(root: &Path, store: &Path) -> Command {
    let mut command = embed(&["import", "folder"]);
    command.arg(root).arg("--store").arg(store);
    command
}

fn last_line(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().last().unwrap().to_owned()
}

fn search(photo: &Path, store: &Path) -> serde_json::Value {
    let output = embed(&["search", "-k", "3", "--store"]).arg(store).arg(photo).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn an_import_that_is_killed_goes_on_where_it_stopped() {
    let photos = assets().join("gallery");
    let store = tempfile::tempdir().unwrap();
    let mut child = import_folder(&photos, store.path()).stderr(Stdio::piped()).spawn().unwrap();
    let progress = BufReader::new(child.stderr.take().unwrap());
    progress.lines().nth(1).unwrap().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();

    let output = import_folder(&photos, store.path()).output().unwrap();
    let summary = last_line(&output);
    let figures: Vec<usize> =
        summary.split(|sign: char| !sign.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    let (added, unchanged) = (figures[0], figures[1]);
    assert!(unchanged >= 32, "what was inserted before the kill stays: {summary}");
    assert_eq!(added + unchanged, 388, "{summary}");

    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(printed.lines().filter(|line| line.ends_with("no face found")).count(), 83);
    assert_eq!(printed.lines().filter(|line| line.starts_with("same photo: ")).count(), 9);
    assert!(printed.contains("same photo: Kobe Bufkin and Kobe Johnson"), "{printed}");
    let skipped = fs::read_to_string(store.path().join("skipped.csv")).unwrap();
    assert_eq!(skipped.lines().count(), 84, "a header and 83 photos");

    let portraits: BTreeSet<_> = fs::read_dir(store.path().join("portraits"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".part"))
        .collect();
    assert_eq!(portraits.len(), 388);

    let found = search(&photos.join("Bronny_James.png"), store.path());
    let first = &found["lookalikes"][0];
    assert_eq!(first["person"]["name"], "Bronny James");
    assert_eq!(first["person"]["id"], "bronny-james");
    assert!(first["score"].as_f64().unwrap() > 0.999, "{first}");
    assert!(first["similarity"].as_f64().unwrap() > 0.99, "{first}");
    assert!(portraits.contains(first["portrait"].as_str().unwrap()), "{first}");
    assert_eq!(found["lookalikes"].as_array().unwrap().len(), 3);

    let again = last_line(&import_folder(&photos, store.path()).output().unwrap());
    assert!(again.starts_with("added 0, unchanged 388, skipped 83 "), "{again}");
}

#[test]
fn broken_and_changed_photos_and_lost_portraits() {
    let gallery = assets().join("gallery");
    let photos = tempfile::tempdir().unwrap();
    let store = tempfile::tempdir().unwrap();
    let person = photos.path().join("Bronny_James");
    fs::create_dir(&person).unwrap();
    fs::copy(gallery.join("Bronny_James.png"), person.join("1.png")).unwrap();
    let photo = fs::read(gallery.join("AJ_Hoggard.jpg")).unwrap();
    fs::write(photos.path().join("Cut_Off.jpg"), &photo[..photo.len() / 2]).unwrap();
    fs::write(photos.path().join("Some_Text.jpg"), "hello").unwrap();
    fs::write(photos.path().join("Moving_Picture.gif"), b"GIF89a\x01\0\x01\0").unwrap();
    fs::write(photos.path().join("___.jpg"), &photo).unwrap();

    let output = import_folder(photos.path(), store.path()).output().unwrap();
    assert!(last_line(&output).starts_with("added 1, unchanged 0, skipped 4 "));
    let skipped = fs::read_to_string(store.path().join("skipped.csv")).unwrap();
    for expected in [
        "Cut_Off.jpg,the photo is cut off",
        "Moving_Picture.gif,Gif is not supported",
        "Some_Text.jpg,not an image",
        "no letter or digit",
    ] {
        assert!(skipped.replace('"', "").contains(expected), "{expected}: {skipped}");
    }

    let portrait = fs::read_dir(store.path().join("portraits")).unwrap().next().unwrap().unwrap();
    fs::remove_file(portrait.path()).unwrap();
    let output = import_folder(photos.path(), store.path()).output().unwrap();
    assert!(last_line(&output).starts_with("added 1, "), "a lost portrait is made again");
    assert!(portrait.path().is_file());

    fs::copy(gallery.join("AJ_Johnson.png"), person.join("1.png")).unwrap();
    let output = import_folder(photos.path(), store.path()).output().unwrap();
    assert!(last_line(&output).starts_with("added 1, "), "a changed photo replaces");
    let found = search(&gallery.join("AJ_Johnson.png"), store.path());
    assert!(found["lookalikes"][0]["score"].as_f64().unwrap() > 0.999, "{found}");
    assert_eq!(found["lookalikes"].as_array().unwrap().len(), 1);
}

#[test]
fn a_gallery_of_another_network_or_none_is_refused() {
    let photo = assets().join("gallery/Bronny_James.png");
    let store = tempfile::tempdir().unwrap();
    let refused = || {
        let output = embed(&["search", "--store"]).arg(store.path()).arg(&photo).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused().contains("is not a gallery: it has no gallery.json"));
    let manifest = store.path().join("gallery.json");
    fs::write(&manifest, r#"{"format":1,"model":"other","embedding_sha256":"00"}"#).unwrap();
    assert!(refused().contains("was made with the model `other, sha256 00`"));
    fs::write(&manifest, r#"{"format":9,"who":"knows"}"#).unwrap();
    assert!(refused().contains("has format 9, this program knows up to 1"));
    fs::write(&manifest, "{").unwrap();
    assert!(refused().contains("gallery.json is broken"));
}
