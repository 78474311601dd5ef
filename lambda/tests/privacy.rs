//! What a visitor sends is neither written down nor logged.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::thread;
use std::time::Duration;

use common::gallery::demo;
use common::http::{Client, LOOKALIKES, form};
use common::process::{command, signal};

#[test]
fn photos_names_and_answers_are_not_kept() {
    let temporary = tempfile::TempDir::new().unwrap();
    let settings: [(&str, &OsStr); 2] =
        [("RUST_LOG", OsStr::new("trace")), ("TMPDIR", temporary.path().as_os_str())];
    let mut process = command(&demo().folder, &settings).spawn().unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap());
    let mut first = String::new();
    let port = loop {
        first.clear();
        assert!(log.read_line(&mut first).unwrap() > 0, "it ended");
        if let Some((_, port)) = first.split_once("listening on http://127.0.0.1:") {
            let digits: String = port.chars().take_while(char::is_ascii_digit).collect();
            break digits.parse().unwrap();
        }
    };
    let rest = thread::spawn(move || {
        let mut rest = Vec::new();
        log.read_to_end(&mut rest).unwrap();
        String::from_utf8_lossy(&rest).into_owned()
    });

    let client = Client::new(port);
    while client.get("/readyz").status != 200 {
        thread::sleep(Duration::from_millis(20));
    }
    // ONNX Runtime leaves a file of its own when it starts.
    let all = || (entries(temporary.path()), entries(&demo().folder));
    let before = all();
    let person = &demo().people[2];
    let (media, body) = form(&[("photo", Some(person.media()), &person.photo())]);
    assert_eq!(client.post(LOOKALIKES, &media, &body).people()[0], person.id);
    // One that is refused, and one that names the visitor's file.
    let named = b"--x\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"my-secret.jpg\"\r\n\r\nno photo\r\n--x--";
    assert_eq!(client.post(LOOKALIKES, "multipart/form-data; boundary=x", named).status, 400);

    signal(process.id(), "TERM");
    assert!(process.wait().unwrap().success());
    let log = rest.join().unwrap();
    assert_eq!(log.matches("/api/lookalikes").count(), 2, "requests are logged: {log}");
    for private in ["my-secret", "no photo", &person.id] {
        assert!(!log.contains(private), "{private} is in the log: {log}");
    }
    assert_eq!(all(), before, "files were written");
}

/// How many files and folders there are below a folder.
fn entries(folder: &Path) -> usize {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| 1 + if path.is_dir() { entries(&path) } else { 0 })
        .sum()
}
