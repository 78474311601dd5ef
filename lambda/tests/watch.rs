//! The service as a Lambda function, under the emulator of `cargo lambda watch`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use common::gallery::demo;
use common::http::{Client, LOOKALIKES, form};
use common::{assets, photos, process, workspace};

/// What `cargo lambda watch` prints when the function ends by itself.
const FUNCTION_ENDED: &str = "command exited";

/// The function, built and running under `cargo lambda watch`.
struct Watch {
    process: Child,
    client: Client,
    ended: Arc<AtomicBool>,
}

impl Watch {
    fn start() -> Self {
        let function = ["--package", "lambda", "--bin", "lambda"];
        // Built beforehand, because `watch` would build it while the first request waits.
        let built =
            Command::new("cargo").arg("build").args(function).current_dir(workspace()).status();
        assert!(built.unwrap().success(), "the function does not build");

        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut process = Command::new(assets().join("bin/cargo-lambda"))
            .args(["lambda", "watch"])
            .args(function)
            .args(["--ignore-changes", "--disable-cors", "--invoke-address", "127.0.0.1"])
            .args(["--invoke-port", &port.to_string()])
            .current_dir(workspace())
            .env("STORE", &demo().folder)
            .env("MODELS_DIR", assets())
            .env_remove("SITE_DIR")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("cargo-lambda");
        let log = process.stdout.take().unwrap();
        let watch = Self { process, client: Client::new(port), ended: Arc::default() };
        watch.follow(log);
        watch.wait_until_it_answers();
        watch
    }

    /// Passes the log on to the test's own, and notes when it tells of the function's end.
    fn follow(&self, log: ChildStdout) {
        let ended = Arc::clone(&self.ended);
        thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                println!("{line}");
                if line.contains(FUNCTION_ENDED) {
                    ended.store(true, Ordering::SeqCst);
                }
            }
        });
    }

    fn wait_until_it_answers(&self) {
        let health = || self.client.try_send("GET", "/healthz", None, b"");
        while !health().is_ok_and(|reply| reply.status == 200) {
            assert!(!self.ended.load(Ordering::SeqCst), "the function ended; its log says why");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Asked to end, it takes the function with it; killed, it would leave it behind.
        process::signal(self.process.id(), "TERM");
        let _ = self.process.wait();
    }
}

/// One test, because one function is compiled and started.
#[test]
fn the_function_answers_as_the_server_does() {
    let watch = Watch::start();
    let client = &watch.client;

    let ready = client.get("/readyz");
    assert_eq!(ready.status, 200);
    assert_eq!(ready.json()["photos"], demo().people.len());

    for person in &demo().people[..3] {
        let photo = image::load_from_memory(&person.photo()).unwrap();
        let reply = client.post(LOOKALIKES, "image/jpeg", &photos::jpeg(&photo));
        assert_eq!(reply.people()[0], person.id);

        let (media, body) = form(&[("photo", Some(person.media()), &person.photo())]);
        let reply = client.post(&format!("{LOOKALIKES}?k=3&face=0"), &media, &body);
        assert_eq!(reply.people().len(), 3);
        assert_eq!(reply.people()[0], person.id);

        let path = reply.json()["lookalikes"][0]["portrait"].as_str().unwrap().to_owned();
        let portrait = client.get(&path);
        assert_eq!(portrait.header("content-type"), Some("image/jpeg"));
        assert_eq!(portrait.body, std::fs::read(demo().folder.join(&path[1..])).unwrap());
    }

    let post = ("POST", LOOKALIKES);
    let reply = client.post(LOOKALIKES, "image/jpeg", b"I am a photo, believe me.");
    client.check_problem(&reply, post, 400, "/problems/not-an-image");
    let reply = client.post(LOOKALIKES, "image/png", &demo().faceless);
    client.check_problem(&reply, post, 422, "/problems/no-face");
    let reply = client.post(LOOKALIKES, "image/jpeg", &vec![0; 12_000_000]);
    client.check_problem(&reply, post, 413, "/problems/too-large");
    let reply = client.get("/api/nothing");
    client.check_problem(&reply, ("GET", "/api/nothing"), 404, "/problems/not-found");
    let reply = client.get(LOOKALIKES);
    client.check_problem(&reply, ("GET", LOOKALIKES), 405, "/problems/method-not-allowed");
    assert_eq!(reply.header("allow"), Some("POST"));

    // Many requests in a row: a function that loses its connection to the emulator between two of
    // them leaves one unanswered.
    let person = &demo().people[0];
    let portraits: Vec<_> = std::fs::read_dir(demo().folder.join("portraits"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    for _ in 0..20 {
        let reply = client.post(LOOKALIKES, person.media(), &person.photo());
        assert_eq!(reply.people()[0], person.id);
        for portrait in &portraits {
            let name = portrait.file_name().unwrap().to_str().unwrap();
            let reply = client.get(&format!("/portraits/{name}"));
            assert_eq!(reply.status, 200, "{reply:?}");
            assert_eq!(reply.body, std::fs::read(portrait).unwrap());
        }
    }
}
