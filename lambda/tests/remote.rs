//! The look-alike API with the faces in its own process and in the index service: one contract for both,
//! through the real binaries.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::gallery::demo;
use common::http::{Client, LOOKALIKES, Reply};
use common::process::{Server, command, index_command, start_index};
use serde_json::{Value, json};

const POST: (&str, &str) = ("POST", LOOKALIKES);

/// The address of a service, as a setting.
fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// The command that puts the demo gallery into an index service.
fn push_command(gallery: &Path, port: u16, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_push"));
    for name in ["INDEX_COLLECTION", "INDEX_KEY", "RUST_LOG"] {
        command.env_remove(name);
    }
    command.arg("--store").arg(gallery).args(["--index-url", &url(port)]);
    command.envs(settings.iter().copied()).stdin(Stdio::null());
    command
}

fn push(port: u16) -> Output {
    push_command(&demo().folder, port, &[]).output().unwrap()
}

/// A folder with the portraits of the demo gallery and nothing else of it.
fn portraits_only() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (demo().folder.join("portraits"), folder.path().join("portraits"));
    std::fs::create_dir(&to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
    folder
}

/// An index service with the demo gallery, and a look-alike API that searches there.
fn start_remote(data: &Path, portraits: &Path) -> (Server, Server) {
    let index = start_index(data, &[]);
    let pushed = push(index.port);
    let said = String::from_utf8_lossy(&pushed.stdout).into_owned();
    assert_eq!(said, format!("pushed {} photos\n", demo().people.len()), "{pushed:?}");
    let server = Server::start(portraits, &[("INDEX_URL", OsStr::new(&url(index.port)))]);
    (index, server)
}

fn first_photo(server: &Client) -> Reply {
    let person = &demo().people[0];
    server.post(LOOKALIKES, person.media(), &person.photo())
}

/// What every look-alike API does, wherever its faces are.
fn keeps_the_contract(server: &Client) {
    let ready = json!({ "status": "ready", "photos": demo().people.len() });
    assert_eq!(server.get("/readyz").json(), ready);
    for person in &demo().people {
        let reply = server.post(LOOKALIKES, person.media(), &person.photo());
        let people = reply.people();
        assert_eq!((people.first(), people.len()), (Some(&person.id), 5));
        let best = &reply.json()["lookalikes"][0];
        assert!(best["score"].as_f64().unwrap() > 0.95, "{best}");
        assert!(best["similarity"].as_f64().unwrap() > 0.9, "{best}");
        let portrait = server.get(best["portrait"].as_str().unwrap());
        assert_eq!((portrait.status, portrait.header("content-type")), (200, Some("image/jpeg")));
    }
    let person = &demo().people[0];
    let all = server.post(&format!("{LOOKALIKES}?k=100"), person.media(), &person.photo());
    let people: BTreeSet<_> = all.people().into_iter().collect();
    assert_eq!(people.len(), demo().people.len(), "each person once");
    let none = server.post(LOOKALIKES, "image/png", &demo().faceless);
    server.check_problem(&none, POST, 422, "/problems/no-face");
}

#[test]
fn in_process() {
    keeps_the_contract(&Server::start(&demo().folder, &[]));
}

#[test]
fn by_the_index_service() {
    let (data, portraits) = (tempfile::tempdir().unwrap(), portraits_only());
    let (index, server) = start_remote(data.path(), portraits.path());
    keeps_the_contract(&server);

    // Both say the same, but for the last digits of scores.
    let local = Server::start(&demo().folder, &[]);
    let rounded = |reply: Reply| {
        let mut answer = reply.json();
        for found in answer["lookalikes"].as_array_mut().unwrap() {
            for number in ["score", "similarity"] {
                found[number] = json!((found[number].as_f64().unwrap() * 1e4).round());
            }
        }
        answer
    };
    assert_eq!(rounded(first_photo(&server)), rounded(first_photo(&local)));

    // Pushed again, nothing is there twice.
    assert!(push(index.port).status.success());
    assert_eq!(server.get("/readyz").json()["photos"], demo().people.len());
}

#[test]
fn an_index_that_is_away_is_told_of_and_found_again() {
    let (data, portraits) = (tempfile::tempdir().unwrap(), portraits_only());
    let (index, server) = start_remote(data.path(), portraits.path());
    let port = index.port;
    first_photo(&server).people();
    index.kill();

    let begin = Instant::now();
    let away = first_photo(&server);
    server.check_problem(&away, POST, 503, "/problems/index-unavailable");
    assert!(away.header("retry-after").is_some());
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    let unready = server.get("/readyz");
    server.check_problem(&unready, ("GET", "/readyz"), 503, "/problems/index-unavailable");
    assert_eq!(server.get("/healthz").status, 200, "the process itself is well");

    let port = port.to_string();
    let index = Server::spawn(index_command(data.path(), &[("PORT", &port)]));
    index.until_ready();
    first_photo(&server).people();
}

#[test]
fn the_service_starts_before_the_index_and_before_the_push() {
    let (data, portraits) = (tempfile::tempdir().unwrap(), portraits_only());
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = url(port);
    let server = Server::spawn(command(portraits.path(), &[("INDEX_URL", OsStr::new(&address))]));
    let unavailable = |server: &Server| {
        server.check_problem(&first_photo(server), POST, 503, "/problems/index-unavailable");
    };
    unavailable(&server);
    let port = port.to_string();
    let index = Server::spawn(index_command(data.path(), &[("PORT", &port)]));
    index.until_ready();
    unavailable(&server);
    assert!(push(index.port).status.success());
    first_photo(&server).people();
}

/// Listens in front of a service and breaks off the first `broken` connections.
fn unreliable(port: u16, broken: usize) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            if count.fetch_add(1, Ordering::SeqCst) < broken {
                continue;
            }
            let service = TcpStream::connect(("127.0.0.1", port)).unwrap();
            for (mut from, mut to) in
                [(client.try_clone().unwrap(), service.try_clone().unwrap()), (service, client)]
            {
                thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Both);
                });
            }
        }
    });
    (own, seen)
}

#[test]
fn connections_that_break_off_are_tried_again() {
    let (data, portraits) = (tempfile::tempdir().unwrap(), portraits_only());
    let index = start_index(data.path(), &[]);
    let (port, seen) = unreliable(index.port, 2);
    assert!(push(port).status.success(), "the push tries again, too");
    assert!(seen.load(Ordering::SeqCst) > 2);

    let (port, seen) = unreliable(index.port, 2);
    let server = Server::start(portraits.path(), &[("INDEX_URL", OsStr::new(&url(port)))]);
    first_photo(&server).people();
    assert!(seen.load(Ordering::SeqCst) > 2);
}

#[test]
fn an_index_that_never_answers_is_given_up() {
    let portraits = portraits_only();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = url(silent.local_addr().unwrap().port());
    thread::spawn(move || {
        // Held open, and not answered.
        let mut held: Vec<_> = silent.incoming().map_while(Result::ok).collect();
        held.iter_mut().for_each(|client| drop(client.read(&mut [0])));
    });
    let server = Server::spawn(command(portraits.path(), &[("INDEX_URL", OsStr::new(&address))]));
    let reply = first_photo(&server);
    let kind = reply.json()["type"].as_str().unwrap().to_owned();
    assert_eq!(reply.status, 503, "{kind}");
    assert!(
        ["/problems/index-unavailable", "/problems/not-ready"].contains(&kind.as_str()),
        "{kind}"
    );
    assert!(reply.header("retry-after").is_some());
}

#[test]
fn keys_are_shown_and_other_galleries_are_refused() {
    let (data, portraits) = (tempfile::tempdir().unwrap(), portraits_only());
    let index = start_index(data.path(), &[("READ_KEY", "reader"), ("WRITE_KEY", "writer")]);
    let said = |output: Output| {
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for (key, status) in [("reader", "403"), ("wrong", "401")] {
        let refused = push_command(&demo().folder, index.port, &[("INDEX_KEY", key)]).output();
        assert!(said(refused.unwrap()).contains(status));
    }
    let pushed = push_command(&demo().folder, index.port, &[("INDEX_KEY", "writer")]).output();
    assert!(pushed.unwrap().status.success());

    let address = url(index.port);
    let with_key = |key: &str| {
        let settings = [("INDEX_URL", OsStr::new(&address)), ("INDEX_KEY", OsStr::new(key))];
        command(portraits.path(), &settings)
    };
    assert!(said(with_key("wrong").output().unwrap()).contains("401 Unauthorized"));
    let server = Server::spawn(with_key("reader"));
    server.until_ready();
    first_photo(&server).people();

    // Somebody fills the collection with a gallery of another network: the service does not start, the
    // push does not mix them.
    let mut client = Client::new(index.port);
    client.key = Some("writer");
    let about = client.get("/collections/faces").json();
    let mut metadata: Value = about["metadata"].clone();
    metadata["embedding_sha256"] = json!("0".repeat(64));
    let other = json!({ "dimension": 512, "metric": "cosine", "metadata": metadata });
    let body = serde_json::to_vec(&other).unwrap();
    assert_eq!(
        client.send("PUT", "/collections/faces", Some("application/json"), &body).status,
        200
    );
    assert!(said(with_key("reader").output().unwrap()).contains("was made with the model"));
    let mixed = push_command(&demo().folder, index.port, &[("INDEX_KEY", "writer")]).output();
    assert!(said(mixed.unwrap()).contains("was made with the model"));
    // It is not found out by the running one at once, but at the next look.
    server.check_problem(
        &server.get("/readyz"),
        ("GET", "/readyz"),
        503,
        "/problems/index-unavailable",
    );
}

#[test]
fn addresses_that_cannot_be_called_are_refused() {
    for (address, advice) in
        [("ftp://127.0.0.1/", "http://"), ("index:8081", "http://"), ("", "--index-url")]
    {
        let ended =
            command(&demo().folder, &[("INDEX_URL", OsStr::new(address))]).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!ended.status.success() && said.contains(advice), "{address:?}: {said}");
    }
}
