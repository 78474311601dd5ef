//! `embed import` and `embed search` on the demo gallery.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

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
fn the_demo_gallery_is_imported_and_searched() {
    let photos = assets().join("gallery");
    let store = tempfile::tempdir().unwrap();
    let output = import_folder(&photos, store.path()).output().unwrap();
    let summary = last_line(&output);
    assert!(summary.starts_with("added 388, unchanged 0, skipped 83 "), "{summary}");
    assert!(summary.ends_with("duplicates 9"), "{summary}");

    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.contains("skipped 83: no face found"), "{printed}");
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

/// Four photos of two people, two of each.
const PHOTOS: [&str; 4] =
    ["Bronny_James.png", "AJ_Hoggard.jpg", "AJ_Johnson.png", "Adam_Flagler.png"];

/// The names in the answer to a search.
fn names(found: &serde_json::Value) -> Vec<&str> {
    let found = found["lookalikes"].as_array().unwrap();
    found.iter().map(|found| found["person"]["name"].as_str().unwrap()).collect()
}

#[test]
fn celeba_as_published() {
    let gallery = assets().join("gallery");
    let celeba = tempfile::tempdir().unwrap();
    let images = celeba.path().join("img_align_celeba");
    fs::create_dir(&images).unwrap();
    for (photo, number) in PHOTOS.iter().zip(1..) {
        fs::copy(gallery.join(photo), images.join(format!("{number:06}.jpg"))).unwrap();
    }
    fs::copy(images.join("000001.jpg"), images.join("000005.jpg")).unwrap();
    let identities = celeba.path().join("identity_CelebA.txt");
    let listed = "000001.jpg 2880\n000002.jpg 2880\n000003.jpg 7\n000004.jpg 7\n000005.jpg 2880\n\
                  000006.jpg 7\n000001.jpg 7\nnothing\n";
    fs::write(&identities, listed).unwrap();
    let store = tempfile::tempdir().unwrap();
    let import = |names: Option<&Path>| {
        let mut command = embed(&["import", "celeba", "--images"]);
        command.arg(&images).arg("--identities").arg(&identities).arg("--store").arg(store.path());
        if let Some(names) = names {
            command.arg("--names").arg(names);
        }
        command.output().unwrap()
    };

    let output = import(None);
    assert!(last_line(&output).starts_with("added 4, unchanged 0, skipped 4 "));
    let skipped = fs::read_to_string(store.path().join("skipped.csv")).unwrap();
    for expected in [
        "celeba/000005.jpg,duplicate: the same photo of this person is in another file",
        "celeba/000006.jpg,cannot read the photo: No such file",
        "celeba/000001.jpg,duplicate: the list has this file already",
        "line 8,expected a file and the number of a person",
    ] {
        assert!(skipped.contains(expected), "{expected}: {skipped}");
    }
    let found = search(&images.join("000002.jpg"), store.path());
    assert_eq!(names(&found), ["CelebA 2880", "CelebA 7"], "a person has one place");

    // Names that come later do not cost the networks: the portraits stay as they were.
    let portraits = modified(store.path());
    let list = celeba.path().join("names.txt");
    fs::write(&list, "2880 Ada Lovelace\n").unwrap();
    let output = import(Some(&list));
    assert!(last_line(&output).starts_with("added 2, unchanged 2, skipped 4 "));
    let found = search(&images.join("000002.jpg"), store.path());
    assert_eq!(names(&found), ["Ada Lovelace", "CelebA 7"]);
    assert_eq!(found["lookalikes"][0]["details"]["celeba_identity"], "2880");
    assert_eq!(modified(store.path()), portraits);
}

/// When each portrait was written.
fn modified(store: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let entries = fs::read_dir(store.join("portraits")).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.path(), entry.metadata().unwrap().modified().unwrap())).collect()
}

#[test]
fn lfw_as_published() {
    let gallery = assets().join("gallery");
    let lfw = tempfile::tempdir().unwrap();
    for (at, photo) in PHOTOS.iter().enumerate() {
        let name = ["Ada_Lovelace", "Grace_Hopper"][at / 2];
        fs::create_dir_all(lfw.path().join(name)).unwrap();
        let file = lfw.path().join(name).join(format!("{name}_{:04}.jpg", at % 2 + 1));
        fs::copy(gallery.join(photo), file).unwrap();
    }
    fs::write(lfw.path().join("pairs.txt"), "10\t300\n").unwrap();
    let store = tempfile::tempdir().unwrap();
    let mut import = embed(&["import", "lfw"]);
    let output = import.arg(lfw.path()).arg("--store").arg(store.path()).output().unwrap();
    assert!(last_line(&output).starts_with("added 4, unchanged 0, skipped 0 "));
    let found = search(&gallery.join(PHOTOS[3]), store.path());
    assert_eq!(names(&found), ["Grace Hopper", "Ada Lovelace"]);
}

#[test]
fn msceleb_from_a_file_and_from_standard_input() {
    let gallery = assets().join("gallery");
    let mut lines = String::new();
    for (at, photo) in PHOTOS.iter().enumerate() {
        let base64 = STANDARD.encode(fs::read(gallery.join(photo)).unwrap());
        let mid = ["m.01d0fp", "m.03hq8"][at / 2];
        lines += &format!("{mid}\t{at}\thttp://a/{at}.jpg\thttp://a\tFaceId-0\tAAAA\t{base64}\n");
    }
    lines += "m.03hq8\t9\thttp://a\thttp://a\tFaceId-0\tAAAA\tno base64\n";
    let directory = tempfile::tempdir().unwrap();
    let (list, names_list) = (directory.path().join("a.tsv"), directory.path().join("names.tsv"));
    fs::write(&list, &lines).unwrap();
    fs::write(&names_list, "m.01d0fp\t\"Ada Lovelace\"@en\n").unwrap();

    let store = tempfile::tempdir().unwrap();
    let mut import = embed(&["import", "msceleb", "--names"]);
    import.arg(&names_list).arg("--store").arg(store.path()).arg(&list);
    let output = import.output().unwrap();
    assert!(last_line(&output).starts_with("added 4, unchanged 0, skipped 1 "));
    let skipped = fs::read_to_string(store.path().join("skipped.csv")).unwrap();
    let skipped = skipped.replace('"', "");
    assert!(skipped.contains("msceleb/m.03hq8/9/FaceId-0,the photo is broken: its base64"));
    let found = search(&gallery.join(PHOTOS[0]), store.path());
    assert_eq!(names(&found), ["Ada Lovelace", "m.03hq8"]);
    assert_eq!(found["lookalikes"][0]["details"]["image_url"], "http://a/0.jpg");

    let mut import = embed(&["import", "msceleb", "-", "--names"]);
    import.arg(&names_list).arg("--store").arg(store.path());
    let mut child = import.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(last_line(&output).starts_with("added 0, unchanged 4, skipped 1 "));
}
