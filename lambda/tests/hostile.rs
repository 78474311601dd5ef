//! Hostile clients against the real services: whatever they send, the services stay up, their memory stays
//! bounded, and every answer is one that their description tells of.
//!
//! `LAMBDA_HOSTILE` says how many requests each service gets (250 if nothing is said), `LAMBDA_SEED` which.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::gallery::demo;
use common::http::{Client, LOOKALIKES, form};
use common::photos;
use common::process::{Server, start_index};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use serde_json::{Value, json};

/// How many attack at once.
const ATTACKERS: usize = 16;

/// No answer takes longer, and no connection that is not answered lasts longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Statuses that are told of for all routes, some of them without a body.
const ANYWHERE: [u16; 6] = [400, 404, 405, 414, 431, 503];

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// What an attacker sends, and how.
struct Attack {
    name: &'static str,
    method: &'static str,
    /// The path in the description.
    route: &'static str,
    bytes: Vec<u8>,
    manner: Manner,
}

#[derive(Clone, Copy, PartialEq)]
enum Manner {
    /// All at once, then waits for the answer.
    Whole,
    /// In pieces of a few bytes.
    Pieces,
    /// All at once, then ends its half of the connection.
    HalfClosed,
    /// Goes away without waiting for an answer.
    Vanishes,
    /// Sends all but the end, and waits.
    Stalls,
}

/// The head of a request; `lines` end with CRLF.
fn head(method: &str, path: &str, lines: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n")
}

fn with_body(method: &str, path: &str, media: &str, body: &[u8]) -> Vec<u8> {
    let lines = format!("Content-Type: {media}\r\nContent-Length: {}\r\n", body.len());
    [head(method, path, &lines).as_bytes(), body].concat()
}

/// Changes, removes, repeats or cuts off something.
fn mutate(rng: &mut StdRng, bytes: &mut Vec<u8>) {
    for _ in 0..rng.random_range(1..8) {
        if bytes.is_empty() {
            return;
        }
        let at = rng.random_range(0..bytes.len());
        let end = (at + rng.random_range(1..64)).min(bytes.len());
        match rng.random_range(0..5) {
            0 => bytes[at] ^= 1 << rng.random_range(0..8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            3 => bytes[at..end].fill(rng.random()),
            _ => bytes.truncate(at),
        }
    }
}

/// What can be done to any HTTP server, by a request that would be fine otherwise.
fn on_http(rng: &mut StdRng, method: &'static str, route: &'static str, fine: &[u8]) -> Attack {
    let attack = |name, bytes| Attack { name, method, route, bytes, manner: Manner::Whole };
    let end_of_head = fine.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let (start, body) = fine.split_at(end_of_head);
    let start = String::from_utf8(start.to_vec()).unwrap();
    let lengthless: String =
        start.split_inclusive("\r\n").filter(|line| !line.starts_with("Content-Length")).collect();
    let lengthless = lengthless.trim_end().to_owned();
    let framed = |lines: &str, body: &[u8]| {
        [format!("{lengthless}\r\n{lines}\r\n").as_bytes(), body].concat()
    };
    match rng.random_range(0..12) {
        0 => {
            let count = rng.random_range(50..5000);
            let flood: String = (0..count).map(|n| format!("X-{n}: {n}\r\n")).collect();
            attack("header flood", framed(&flood, b""))
        }
        1 => {
            let long = "a".repeat(rng.random_range(20_000..2_000_000));
            attack("long header", framed(&format!("X: {long}\r\n"), b""))
        }
        2 => {
            let long = "a".repeat(rng.random_range(10_000..200_000));
            attack("long path", head(method, &format!("/{long}"), "").into_bytes())
        }
        3 => {
            let length =
                *["-1", "x", "18446744073709551616", "1e3", "+5", "", "0x10"].choose(rng).unwrap();
            attack("no length", framed(&format!("Content-Length: {length}\r\n"), body))
        }
        4 => {
            let lines = "Content-Length: 5\r\nContent-Length: 7\r\n";
            attack("two lengths", framed(lines, body))
        }
        5 => {
            let lines = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n";
            attack("length and chunks", framed(lines, b"5\r\nhello\r\n0\r\n\r\n"))
        }
        6 => {
            let size =
                *["fffffffffffffffff", "-1", "g", "7fffffffffffffff", ""].choose(rng).unwrap();
            let chunk = format!("{size}\r\n{}", "x".repeat(1000));
            attack("broken chunks", framed("Transfer-Encoding: chunked\r\n", chunk.as_bytes()))
        }
        7 => {
            let less = format!("Content-Length: {}\r\n", body.len() + rng.random_range(1..100_000));
            Attack { manner: Manner::HalfClosed, ..attack("length too long", framed(&less, body)) }
        }
        8 => {
            let less = format!("Content-Length: {}\r\n", rng.random_range(0..body.len().max(1)));
            attack("length too short", framed(&less, body))
        }
        9 => {
            let mut bytes = vec![0; rng.random_range(1..4000)];
            rng.fill_bytes(&mut bytes);
            Attack { manner: Manner::HalfClosed, ..attack("noise", bytes) }
        }
        10 => {
            let other: &[u8] = if rng.random() {
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"
            } else {
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a hello of TLS"
            };
            Attack { manner: Manner::HalfClosed, ..attack("another protocol", other.to_vec()) }
        }
        _ => {
            let mut bytes = fine.to_vec();
            mutate(rng, &mut bytes);
            Attack { manner: Manner::HalfClosed, ..attack("mutated request", bytes) }
        }
    }
}

/// Any manner for attacks that leave it open.
fn in_some_manner(rng: &mut StdRng, attack: Attack) -> Attack {
    let manner = match (attack.manner, rng.random_range(0..20)) {
        (Manner::Whole, 0) if attack.bytes.len() < 20_000 => Manner::Pieces,
        (Manner::Whole, 1..4) => Manner::Vanishes,
        (Manner::Whole, 4) => Manner::Stalls,
        (manner, _) => manner,
    };
    Attack { manner, ..attack }
}

/// What the look-alike API is sent.
fn on_photos(rng: &mut StdRng, things: &[(&str, Vec<u8>)]) -> Attack {
    let post = |name, bytes| Attack {
        name,
        method: "POST",
        route: LOOKALIKES,
        bytes,
        manner: Manner::Whole,
    };
    let (media, photo) = things.choose(rng).unwrap();
    match rng.random_range(0..6) {
        0 => {
            let (media, mut body) = form(&[("comment", None, b"x"), ("photo", Some(media), photo)]);
            let end = body.len().min(400);
            let mut start: Vec<u8> = body.drain(..end).collect();
            mutate(rng, &mut start);
            start.extend(body);
            post("mutated form", with_body("POST", LOOKALIKES, &media, &start))
        }
        1 => {
            let line = "X: y\r\n".repeat(rng.random_range(1..50_000));
            let part = format!("--b\r\nContent-Disposition: form-data; name=\"photo\"\r\n{line}");
            let media = "multipart/form-data; boundary=b";
            post("form of headers", with_body("POST", LOOKALIKES, media, part.as_bytes()))
        }
        2 => {
            let boundary = "b".repeat(rng.random_range(0..5000));
            let media = format!("multipart/form-data; boundary={boundary}");
            let body = "--b\r\n\r\n".repeat(rng.random_range(0..10_000));
            post("odd boundary", with_body("POST", LOOKALIKES, &media, body.as_bytes()))
        }
        3 => post("bomb or photo", with_body("POST", LOOKALIKES, media, photo)),
        4 => {
            let mut photo = photo.clone();
            mutate(rng, &mut photo);
            post("mutated photo", with_body("POST", LOOKALIKES, media, &photo))
        }
        _ => {
            let fine = with_body("POST", LOOKALIKES, media, photo);
            on_http(rng, "POST", LOOKALIKES, &fine)
        }
    }
}

/// What the index is sent.
fn on_vectors(rng: &mut StdRng) -> Attack {
    const SEARCH: (&str, &str, &str) =
        ("POST", "/collections/c/search", "/collections/{name}/search");
    const UPSERT: (&str, &str, &str) =
        ("PUT", "/collections/c/vectors", "/collections/{name}/vectors");
    let (method, path, route) = if rng.random() { SEARCH } else { UPSERT };
    let json = |name, body: &[u8]| {
        let bytes = with_body(method, path, "application/json", body);
        Attack { name, method, route, bytes, manner: Manner::Whole }
    };
    let vector: Vec<f32> = (0..16).map(|_| rng.random()).collect();
    let fine = if method == "PUT" {
        let item = json!({ "id": rng.random_range(0..500), "vector": vector, "tags": ["a", "b"] });
        json!({ "vectors": [item] })
    } else {
        json!({ "vector": vector, "k": 10, "filter": { "any": ["a"], "none": ["c"] } })
    };
    let fine = fine.to_string();
    match rng.random_range(0..6) {
        0 => json("deep JSON", "[{\"a\":".repeat(rng.random_range(1..100_000)).as_bytes()),
        1 => {
            let number =
                *["1e999", "NaN", "-0", "1e-999", "99999999999999999999"].choose(rng).unwrap();
            let numbers = vec![number; rng.random_range(1..20_000)].join(",");
            json("odd numbers", format!("{{\"vector\":[{numbers}]}}").as_bytes())
        }
        2 => {
            let tags = vec!["\"tag\""; rng.random_range(1..100_000)].join(",");
            let body =
                format!("{{\"vector\":{vector:?},\"k\":10000,\"filter\":{{\"any\":[{tags}]}}}}");
            json("many tags", body.as_bytes())
        }
        3 => {
            let body = vec![b' '; rng.random_range(1..20_000_000)];
            json("large body", &body)
        }
        4 => {
            let mut body = fine.into_bytes();
            mutate(rng, &mut body);
            json("mutated JSON", &body)
        }
        _ => {
            let fine = with_body(method, path, "application/json", fine.as_bytes());
            on_http(rng, method, route, &fine)
        }
    }
}

/// Sends it; the status of the answer and its body, or nothing where the connection was closed without one.
fn carry_out(server: &Server, attack: &Attack) -> Option<(u16, String)> {
    let mut connection = server.connect();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    let end = match attack.manner {
        Manner::Stalls => attack.bytes.len() - 1,
        _ => attack.bytes.len(),
    };
    let sent = match attack.manner {
        Manner::Pieces => attack.bytes.chunks(997).try_for_each(|piece| {
            thread::sleep(Duration::from_millis(1));
            connection.write_all(piece)
        }),
        _ => connection.write_all(&attack.bytes[..end]),
    };
    // A service may close the connection before all is sent.
    let closed = |error: &std::io::Error| {
        [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset].contains(&error.kind())
    };
    assert!(sent.as_ref().map_or_else(closed, |()| true), "{}: {sent:?}", attack.name);
    match attack.manner {
        Manner::Vanishes => return None,
        Manner::HalfClosed => drop(connection.shutdown(Shutdown::Write)),
        _ => {}
    }
    let mut answer = Vec::new();
    if let Err(error) = connection.read_to_end(&mut answer) {
        assert!(closed(&error), "{}: no answer and no end: {error}", attack.name);
    }
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status =
        head.strip_prefix("HTTP/1.1 ").unwrap_or_else(|| panic!("{}: {head}", attack.name));
    Some((status[..3].parse().unwrap(), body.to_owned()))
}

/// Fails unless the description tells of the answer.
fn check(server: &Server, attack: &Attack, status: u16, body: &str) {
    let description = server.description();
    let operation = &description["paths"][attack.route][attack.method.to_lowercase()];
    let told = operation["responses"][status.to_string()].is_object() || ANYWHERE.contains(&status);
    assert!(told && status != 500, "{} is answered {status}: {body}", attack.name);
    // The first of several answers only: a request may have been smuggled in behind another.
    let documents = serde_json::Deserializer::from_str(body).into_iter::<Value>();
    let Some(Ok(problem)) = documents.into_iter().next() else {
        return;
    };
    if status >= 400 {
        let kinds = &description["components"]["schemas"]["ProblemType"]["enum"];
        assert!(kinds.as_array().unwrap().contains(&problem["type"]), "{}: {body}", attack.name);
    }
}

/// All attacks on one service; then it must answer as before, with no connection left open.
fn campaign(
    server: &Server,
    bound: u64,
    attack: impl Fn(&mut StdRng) -> Attack + Sync,
    honest: impl Fn() -> bool + Sync,
) {
    let (count, seed) = (number("LAMBDA_HOSTILE", 250) as usize, number("LAMBDA_SEED", 1));
    assert!(honest());
    server.description();
    let (files, begin) = (server.open_files(), Instant::now());
    let (next, slowest) = (AtomicUsize::new(0), Mutex::new(Duration::ZERO));
    let answers = Mutex::new(BTreeMap::<(&str, Option<u16>), usize>::new());
    let half = Mutex::new(0);
    thread::scope(|scope| {
        for _ in 0..ATTACKERS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= count {
                        return;
                    }
                    if number == count / 2 {
                        *half.lock().unwrap() = server.memory();
                    }
                    let mut rng = StdRng::seed_from_u64(seed ^ (number as u64) << 20);
                    let attack = attack(&mut rng);
                    let attack = in_some_manner(&mut rng, attack);
                    let start = Instant::now();
                    let answer = carry_out(server, &attack);
                    let mut slowest = slowest.lock().unwrap();
                    *slowest = (*slowest).max(start.elapsed());
                    drop(slowest);
                    let status = answer.as_ref().map(|(status, _)| *status);
                    *answers.lock().unwrap().entry((attack.name, status)).or_default() += 1;
                    if let Some((status, body)) = answer {
                        check(server, &attack, status, &body);
                    }
                }
            });
        }
    });
    for ((name, status), count) in &*answers.lock().unwrap() {
        let status = status.map_or("closed".to_owned(), |status| status.to_string());
        println!("{count:7} {name}: {status}");
    }
    let (half, peak) = (half.into_inner().unwrap(), server.peak_memory());
    let mib = |bytes: u64| bytes >> 20;
    println!(
        "{count} requests in {:.0?}, the slowest {:.1?}; memory: peak {} MiB, half way {}, now {}",
        begin.elapsed(),
        slowest.into_inner().unwrap(),
        mib(peak),
        mib(half),
        mib(server.memory())
    );
    assert!(peak < bound, "{} MiB", mib(peak));
    let patient = Instant::now();
    while !honest() || server.open_files() > files + 1 {
        assert!(patient.elapsed() < PATIENCE, "{} files, {files} before", server.open_files());
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn hostile_clients_of_the_look_alike_api() {
    let server = Server::start(&demo().folder, &[]);
    let person = &demo().people[0];
    let photo = image::load_from_memory(&person.photo()).unwrap();
    let things = [
        ("image/jpeg", photos::jpeg(&photo)),
        ("image/png", photos::png_bomb()),
        ("image/jpeg", photos::phone_sized(&photo)),
        ("image/webp", b"RIFF\xff\xff\xff\xffWEBPVP8X".to_vec()),
        ("image/gif", photos::GIF.to_vec()),
        (person.media(), person.photo()),
    ];
    campaign(
        &server,
        900 << 20,
        |rng| on_photos(rng, &things),
        || server.post(LOOKALIKES, person.media(), &person.photo()).status == 200,
    );
}

#[test]
fn hostile_clients_of_the_index() {
    let data = tempfile::tempdir().unwrap();
    let server = start_index(data.path(), &[]);
    let new = json!({ "dimension": 16, "metric": "cosine" }).to_string();
    let json = Some("application/json");
    assert_eq!(server.send("PUT", "/collections/c", json, new.as_bytes()).status, 201);
    let search = json!({ "vector": vec![1.0; 16] }).to_string();
    campaign(&server, 700 << 20, on_vectors, || {
        server.send("POST", "/collections/c/search", json, search.as_bytes()).status == 200
    });
}

/// Connections that send nothing, or a head that never ends, hold their places for a while only; those
/// beyond the bound are told so.
#[test]
fn connections_are_bounded_and_slow_heads_are_cut_off() {
    const CONNECTIONS: usize = 560;
    let data = tempfile::tempdir().unwrap();
    let server = start_index(data.path(), &[]);
    server.description();
    let begin = Instant::now();
    let mut idle: Vec<_> = (0..CONNECTIONS)
        .map(|number| {
            let mut connection = server.connect();
            if number % 2 == 0 {
                let _ = connection.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ");
            }
            connection
        })
        .collect();
    thread::sleep(Duration::from_millis(500));
    let refused = Client::new(server.port).get("/healthz");
    server.check_problem(&refused, ("GET", "/any"), 503, "/problems/too-busy");
    assert!(refused.header("retry-after").is_some());
    for connection in &mut idle {
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let _ = connection.read_to_end(&mut Vec::new());
    }
    let took = begin.elapsed();
    assert!(took < PATIENCE, "{took:?}");
    assert_eq!(server.get("/healthz").status, 200);
}
