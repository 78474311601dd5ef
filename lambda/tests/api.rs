//! The service through its real binary: real networks, real gallery, real connections.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use common::gallery::demo;
use common::http::{LOOKALIKES, Part, form};
use common::photos;
use common::process::Server;
use serde_json::json;

const POST: (&str, &str) = ("POST", LOOKALIKES);

/// The status of a problem, and its type.
type Refusal = (u16, &'static str);

fn start() -> Server {
    Server::start(&demo().folder, &[])
}

/// A server with one worker: one photo is worked on, four wait.
fn start_small() -> Server {
    Server::start(&demo().folder, &[("WORKERS", "1".as_ref())])
}

#[test]
fn a_person_of_the_gallery_is_found_first() {
    let server = start();
    for person in &demo().people {
        let reply = server.post(LOOKALIKES, person.media(), &person.photo());
        assert_eq!(reply.people().first(), Some(&person.id));
        assert!(reply.json()["lookalikes"][0]["score"].as_f64().unwrap() > 0.95, "{}", person.id);
    }
}

#[test]
fn the_answer_has_the_documented_shape() {
    let server = start();
    let person = &demo().people[0];
    let photo = image::load_from_memory(&person.photo()).unwrap();

    let reply = server.post(LOOKALIKES, "image/jpeg", &photos::jpeg(&photo));
    let people = reply.people();
    assert_eq!(people.len(), 5);
    assert_eq!(people.iter().collect::<BTreeSet<_>>().len(), 5, "people are distinct");

    let answer = reply.json();
    let members: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(members, ["face", "faces", "lookalikes"]);
    let face: Vec<f64> = serde_json::from_value(answer["faces"][0]["box"].clone()).unwrap();
    let [x, y, width, height] = face[..] else { panic!("{face:?}") };
    assert!(width > 10.0 && height > 10.0, "{face:?}");
    assert!(x + width / 2.0 < f64::from(photo.width()), "{face:?}");
    assert!(y + height / 2.0 < f64::from(photo.height()), "{face:?}");
    assert!((0.0..=1.0).contains(&answer["faces"][0]["score"].as_f64().unwrap()));

    let more = server.post(&format!("{LOOKALIKES}?k=7&face=0"), "image/jpeg", &person.photo());
    assert_eq!(more.people().len(), 7);
    let all = server.post(&format!("{LOOKALIKES}?k=100"), "image/jpeg", &person.photo());
    assert_eq!(all.people().len(), demo().people.len());
}

#[test]
fn the_largest_face_comes_first_and_another_can_be_chosen() {
    let server = start();
    let [small, large] = [&demo().people[0], &demo().people[1]];
    let photo = photos::side_by_side(&small.photo(), &large.photo());

    let first = server.post(LOOKALIKES, "image/jpeg", &photo);
    assert_eq!(first.people()[0], large.id);
    let faces = first.json()["faces"].as_array().unwrap().len();
    assert_eq!(faces, 2);
    let second = server.post(&format!("{LOOKALIKES}?face=1"), "image/jpeg", &photo);
    assert_eq!(second.people()[0], small.id);
    assert_eq!(second.json()["face"], 1);

    let path = format!("{LOOKALIKES}?face=2");
    let none = server.post(&path, "image/jpeg", &photo);
    server.check_problem(&none, ("POST", &path), 400, "/problems/invalid-parameter");
}

#[test]
fn a_form_is_as_good_as_an_image() {
    let server = start();
    let person = &demo().people[2];
    let photo = person.photo();
    let media = Some(person.media());
    let forms: [&[Part]; 3] = [
        &[("photo", media, &photo)],
        &[("photo", None, &photo)],
        &[("comment", Some("text/plain"), b"hello"), ("photo", media, &photo)],
    ];
    for parts in forms {
        let (media, body) = form(parts);
        assert_eq!(server.post(LOOKALIKES, &media, &body).people()[0], person.id);
    }
    let unnamed = server.send("POST", LOOKALIKES, None, &photo);
    assert_eq!(unnamed.people()[0], person.id, "without a Content-Type the bytes decide");
}

#[test]
fn bad_input_is_refused_as_documented_and_the_next_request_works() {
    let server = start();
    let person = &demo().people[0];
    let photo = person.photo();
    let jpeg = photos::jpeg(&image::load_from_memory(&photo).unwrap());
    let truncated = &jpeg[..jpeg.len() / 2];
    let large = [&jpeg[..], &vec![0; 12_000_000]].concat();
    let bomb = photos::png_bomb();
    let faceless = &demo().faceless;
    let (no_photo_type, no_photo) = form(&[("picture", Some("image/jpeg"), &jpeg)]);
    let (gif_type, gif) = form(&[("photo", Some("image/gif"), photos::GIF)]);
    let (empty_type, empty) = form(&[("photo", Some("image/jpeg"), b"")]);
    let (large_type, large_form) = form(&[("photo", Some("image/jpeg"), &large)]);
    let many_fields: Vec<Part> = vec![("field", None, b"x"); 100];
    let (many_type, many) = form(&many_fields);

    let not_an_image = (400, "/problems/not-an-image");
    let invalid_form = (400, "/problems/invalid-form");
    let unsupported = (415, "/problems/unsupported-media-type");
    let too_large = (413, "/problems/too-large");
    let bad: [(&str, &str, &[u8], Refusal); 17] = [
        ("nothing", "image/jpeg", b"", not_an_image),
        ("text as JPEG", "image/jpeg", b"I am a photo, believe me.", not_an_image),
        ("half a JPEG", "image/jpeg", truncated, not_an_image),
        ("a PNG bomb", "image/png", &bomb, too_large),
        ("a 12 MB file", "image/jpeg", &large, too_large),
        ("a GIF", "image/gif", photos::GIF, unsupported),
        ("a GIF as JPEG", "image/jpeg", photos::GIF, unsupported),
        ("text", "text/plain", b"hello", unsupported),
        ("no media type", "jpeg", &jpeg, unsupported),
        ("no face", "image/png", faceless, (422, "/problems/no-face")),
        ("a form without a boundary", "multipart/form-data", &no_photo, invalid_form),
        ("a form that breaks off", &no_photo_type, &no_photo[..no_photo.len() / 2], invalid_form),
        ("a form without a photo", &no_photo_type, &no_photo, invalid_form),
        ("a form of many fields", &many_type, &many, invalid_form),
        ("a form with a GIF", &gif_type, &gif, unsupported),
        ("a form with an empty photo", &empty_type, &empty, not_an_image),
        ("a 12 MB form", &large_type, &large_form, too_large),
    ];
    for (what, media, body, (status, kind)) in bad {
        let before = server.peak_memory();
        let reply = server.post(LOOKALIKES, media, body);
        println!("{what}: {}", String::from_utf8_lossy(&reply.body));
        server.check_problem(&reply, POST, status, kind);
        if status == 413 {
            let grown = server.peak_memory() - before;
            assert!(grown < 40_000_000, "{what} took {grown} bytes");
        }
        assert_eq!(server.post(LOOKALIKES, person.media(), &photo).people()[0], person.id);
    }
}

#[test]
fn bodies_that_no_client_library_sends_are_refused_too() {
    let server = start();
    let head = |lines: &str| {
        format!("POST {LOOKALIKES} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n{lines}\r\n")
    };

    let nothing = server.raw(head("").as_bytes());
    assert!(nothing.starts_with("HTTP/1.1 400 "), "{nothing}");
    assert!(nothing.contains("/problems/not-an-image"), "{nothing}");

    // Twelve megabytes whose length is not told in advance.
    let mut chunked = head("Transfer-Encoding: chunked\r\n").into_bytes();
    for _ in 0..12 {
        chunked.extend_from_slice(b"f4240\r\n");
        chunked.extend_from_slice(&[0; 0xf4240]);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let before = server.peak_memory();
    let streamed = server.raw(&chunked);
    assert!(streamed.starts_with("HTTP/1.1 413 "), "{streamed}");
    assert!(server.peak_memory() - before < 40_000_000);

    // A client that asks first is refused before it sends anything.
    let asked = server.raw(head("Content-Length: 12000000\r\nExpect: 100-continue\r\n").as_bytes());
    assert!(asked.starts_with("HTTP/1.1 413 "), "{asked}");

    let person = &demo().people[0];
    assert_eq!(server.post(LOOKALIKES, person.media(), &person.photo()).people()[0], person.id);
}

#[test]
fn parameters_out_of_range_are_refused() {
    let server = start();
    let photo = demo().people[0].photo();
    for query in
        ["k=0", "k=101", "k=-1", "k=five", "k=", "face=-1", "face=one", "k=1&k=2", "face=9"]
    {
        let path = format!("{LOOKALIKES}?{query}");
        let reply = server.post(&path, "image/jpeg", &photo);
        server.check_problem(&reply, ("POST", &path), 400, "/problems/invalid-parameter");
    }
}

#[test]
fn other_methods_and_paths_are_refused() {
    let server = start();
    for (method, path, allowed) in [
        ("GET", LOOKALIKES, "POST"),
        ("DELETE", LOOKALIKES, "POST"),
        ("PUT", "/healthz", "GET,HEAD"),
        ("POST", "/portraits/anyone.jpg", "GET,HEAD"),
    ] {
        let reply = server.send(method, path, None, b"");
        server.check_problem(&reply, (method, path), 405, "/problems/method-not-allowed");
        assert_eq!(reply.header("allow"), Some(allowed), "{method} {path}");
    }
    for path in
        ["/", "/api/", "/api/nothing", "/api/lookalikes/", "/portraits/", "/portraits/x.jpg"]
    {
        let reply = server.get(path);
        server.check_problem(&reply, ("GET", path), 404, "/problems/not-found");
    }
    let blend = server.post("/api/blend", "image/jpeg", b"");
    server.check_problem(&blend, ("POST", "/api/blend"), 404, "/problems/not-found");
}

#[test]
fn portraits_are_the_files_of_the_gallery() {
    let server = start();
    let photo = demo().people[0].photo();
    let answer = server.post(LOOKALIKES, "image/jpeg", &photo).json();
    for found in answer["lookalikes"].as_array().unwrap() {
        let path = found["portrait"].as_str().unwrap();
        let reply = server.get(path);
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), Some("image/jpeg"));
        assert_eq!(reply.header("cache-control"), Some("public, max-age=86400"));
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.body, std::fs::read(demo().folder.join(&path[1..])).unwrap());
    }
}

#[test]
fn no_path_leads_out_of_the_portraits_or_the_site() {
    let gallery = &demo().folder;
    assert!(gallery.join("gallery.json").is_file(), "there is something to steal");
    let site = gallery.join("portraits");
    let server = Server::start(gallery, &[("SITE_DIR", site.as_os_str())]);
    let first = server.raw(b"GET /portraits/ HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    assert!(first.starts_with("HTTP/1.1 404 "), "{first}");
    for path in [
        "/portraits/../gallery.json",
        "/portraits/..%2fgallery.json",
        "/portraits/..%2Fgallery.json",
        "/portraits/%2e%2e/gallery.json",
        "/portraits/%2e%2e%2fgallery.json",
        "/portraits/..%5cgallery.json",
        "/portraits/%2fetc%2fpasswd",
        "/portraits//etc/passwd",
        "/portraits/.",
        "/portraits/..",
        "/portraits/%00",
        "/portraits/%ff",
        "/../gallery.json",
        "/..%2fgallery.json",
        "/%2e%2e/gallery.json",
        "/%2e%2e%2fgallery.json",
        "/%00",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
        let answer = server.raw(request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
        assert!(answer.contains("/problems/not-found"), "{path}: {answer}");
    }
}

#[test]
fn the_site_is_served_beside_the_api() {
    let site = tempfile::tempdir().unwrap();
    std::fs::write(site.path().join("index.html"), "<!doctype html><title>Test</title>").unwrap();
    std::fs::write(site.path().join("page.js"), "export {};").unwrap();
    std::fs::write(site.path().join("page.css"), "body {}").unwrap();
    let server = Server::start(&demo().folder, &[("SITE_DIR", site.path().as_os_str())]);

    for (path, media) in [
        ("/", "text/html"),
        ("/index.html", "text/html"),
        ("/page.js", "text/javascript"),
        ("/page.css", "text/css"),
    ] {
        let reply = server.get(path);
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.header("content-type"), Some(media), "{path}");
        assert_eq!(reply.header("cache-control"), Some("no-cache"), "{path}");
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"), "{path}");
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.contains("script-src 'self'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }
    for (method, path, status, kind) in [
        ("GET", "/nothing.js", 404, "/problems/not-found"),
        ("GET", "/api/nothing", 404, "/problems/not-found"),
        ("POST", "/page.js", 405, "/problems/method-not-allowed"),
    ] {
        let reply = server.send(method, path, None, b"");
        server.check_problem(&reply, (method, path), status, kind);
    }
    assert_eq!(server.get("/healthz").json()["status"], "ok");
}

#[test]
fn the_description_names_every_route() {
    let server = start();
    let description = server.description();
    assert_eq!(description["openapi"], "3.1.0");
    let routes: Vec<(&str, &str)> = description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(|method| (method.as_str(), path.as_str()))
        })
        .collect();
    assert_eq!(
        routes,
        [
            ("post", LOOKALIKES),
            ("get", "/healthz"),
            ("get", "/openapi.json"),
            ("get", "/portraits/{file}"),
            ("get", "/readyz"),
        ]
    );
    let body = &description["paths"][LOOKALIKES]["post"]["requestBody"]["content"];
    let media: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(media, ["image/jpeg", "image/png", "image/webp", "multipart/form-data"]);
}

#[test]
fn it_says_that_it_is_up_and_how_many_photos_there_are() {
    let server = start();
    let reply = server.get("/healthz");
    assert_eq!((reply.status, reply.json()), (200, json!({ "status": "ok" })));
    let reply = server.get("/readyz");
    let ready = json!({ "status": "ready", "photos": demo().people.len() });
    assert_eq!((reply.status, reply.json()), (200, ready));
}

#[test]
fn a_photo_that_comes_while_the_service_opens_waits_for_it() {
    let server = Server::spawn(common::process::command(&demo().folder, &[]));
    let person = &demo().people[0];
    assert_eq!(server.post(LOOKALIKES, person.media(), &person.photo()).people()[0], person.id);
}

#[test]
fn two_at_once_get_each_their_own_answer() {
    let server = start();
    let barrier = Barrier::new(2);
    thread::scope(|scope| {
        for person in &demo().people[..2] {
            let (server, barrier) = (&server, &barrier);
            scope.spawn(move || {
                let photo = person.photo();
                barrier.wait();
                for _ in 0..5 {
                    let reply = server.post(LOOKALIKES, person.media(), &photo);
                    assert_eq!(reply.people()[0], person.id);
                }
            });
        }
    });
}

#[test]
fn overload_is_refused_at_once_and_passes() {
    const CLIENTS: usize = 24;
    let server = start_small();
    let person = &demo().people[0];
    let photo = photos::phone_sized(&image::load_from_memory(&person.photo()).unwrap());
    let barrier = Barrier::new(CLIENTS);
    let replies: Vec<_> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    server.post(LOOKALIKES, "image/jpeg", &photo)
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });

    let (answered, refused): (Vec<_>, Vec<_>) =
        replies.iter().partition(|reply| reply.status == 200);
    println!("{} answered, {} refused", answered.len(), refused.len());
    assert!(answered.len() >= 5, "one is worked on and four wait");
    assert!(!refused.is_empty(), "{CLIENTS} clients at once are too many for one worker");
    for reply in answered {
        assert_eq!(reply.people()[0], person.id);
    }
    for reply in refused {
        server.check_problem(reply, POST, 503, "/problems/too-busy");
        let seconds: u32 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!(seconds > 0);
    }
    assert_eq!(server.post(LOOKALIKES, "image/jpeg", &photo).people()[0], person.id);
}

#[test]
fn a_client_that_asks_too_often_is_told_when_to_come_back() {
    let limit = ("RATE_LIMIT", "3".as_ref());
    let proxied = ("CLIENT_ADDRESS_HEADER", "x-forwarded-for".as_ref());
    let server = Server::start(&demo().folder, &[limit, proxied]);
    let ask = |client: &str| {
        let lines = format!("X-Forwarded-For: 10.9.9.9, {client}\r\nContent-Length: 0\r\n");
        let head = format!("POST {LOOKALIKES} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n");
        server.raw(format!("{head}{lines}\r\n").as_bytes())
    };
    for _ in 0..3 {
        assert!(ask("192.0.2.1").contains("/problems/not-an-image"));
    }
    let refused = ask("192.0.2.1");
    assert!(refused.starts_with("HTTP/1.1 429 "), "{refused}");
    assert!(refused.contains("/problems/too-many-requests"), "{refused}");
    assert!(refused.contains("retry-after: "), "{refused}");
    assert!(ask("192.0.2.2").contains("/problems/not-an-image"), "others are not counted");

    // Without a proxy the connection's address counts; what a client writes does not.
    for _ in 0..3 {
        server.post(LOOKALIKES, "image/jpeg", b"");
    }
    let refused = server.post(LOOKALIKES, "image/jpeg", b"");
    server.check_problem(&refused, POST, 429, "/problems/too-many-requests");
    assert_eq!(server.get("/healthz").status, 200, "only photos are counted");
}

#[test]
fn pages_of_the_sites_that_may_call_are_let_in() {
    let origins = ("CORS_ORIGINS", "https://one.example,http://two.example:8080".as_ref());
    let server = Server::start(&demo().folder, &[origins]);
    let ask = |server: &Server, method: &str, origin: &str| {
        let lines = "Access-Control-Request-Method: POST\r\nConnection: close\r\n";
        let head = format!("{method} {LOOKALIKES} HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\n");
        server.raw(format!("{head}{lines}\r\n").as_bytes())
    };
    for origin in ["https://one.example", "http://two.example:8080"] {
        let allowed = format!("access-control-allow-origin: {origin}\r\n");
        let asked = ask(&server, "OPTIONS", origin);
        assert!(asked.starts_with("HTTP/1.1 200 ") && asked.contains(&allowed), "{asked}");
        assert!(ask(&server, "POST", origin).contains(&allowed));
    }
    for origin in ["https://three.example", "null", "https://one.example.evil.example"] {
        assert!(!ask(&server, "OPTIONS", origin).contains("access-control-allow-origin"));
    }
    let closed = start();
    let asked = ask(&closed, "OPTIONS", "https://one.example");
    assert!(asked.starts_with("HTTP/1.1 405 ") && !asked.contains("allow-origin"), "{asked}");

    for wrong in ["*", "one.example", "https://one.example/", "https://one.example/page"] {
        let settings = [("CORS_ORIGINS", wrong.as_ref())];
        let ended = common::process::command(&demo().folder, &settings).output().unwrap();
        assert_eq!(ended.status.code(), Some(2), "{wrong}: {ended:?}");
    }
}

#[test]
fn requests_are_numbered() {
    let server = start();
    let number = |reply: common::http::Reply| reply.header("x-request-id").unwrap().to_owned();
    let numbers = [number(server.get("/healthz")), number(server.get("/nowhere"))];
    assert!(numbers[0] != numbers[1] && numbers[0].len() == 32, "{numbers:?}");
}

#[test]
fn clients_that_disconnect_leave_nothing_behind() {
    let server = start_small();
    let person = &demo().people[0];
    let photo = person.photo();
    assert_eq!(server.post(LOOKALIKES, person.media(), &photo).people()[0], person.id);
    let before = server.open_files();

    let head = format!(
        "POST {LOOKALIKES} HTTP/1.1\r\nHost: here\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
        person.media(),
        photo.len()
    );
    // More than can be received, or wait for a worker, at once.
    for sent in [&photo[..photo.len() / 2], &photo[..]] {
        for _ in 0..50 {
            let mut connection = server.connect();
            connection.write_all(head.as_bytes()).unwrap();
            connection.write_all(sent).unwrap();
        }
    }

    eventually("the service works again", || {
        server.post(LOOKALIKES, person.media(), &photo).status == 200
    });
    eventually("the connections are closed", || server.open_files() <= before);
    // Every place is free again: as many as can run and wait are answered together.
    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| server.post(LOOKALIKES, person.media(), &photo).people());
        }
    });
}

/// Asks again and again, with an end only so that a failure does not hang.
fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    for _ in 0..600 {
        if happened() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("it never happened: {what}");
}

#[test]
fn a_service_that_cannot_start_says_why_and_what_to_do() {
    let gallery = &demo().folder;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let nowhere = Path::new("/nowhere/at/all");
    let cases: [(&str, &Path, (&str, &str), &str); 4] = [
        ("no gallery", nowhere, ("WORKERS", "1"), "embed import"),
        ("no networks", gallery, ("MODELS_DIR", "/nowhere"), "make assets"),
        ("no site", gallery, ("SITE_DIR", "/nowhere"), "SITE_DIR"),
        ("a taken port", gallery, ("PORT", &port), "PORT"),
    ];
    for (what, gallery, (name, value), advice) in cases {
        let ended = common::process::command(gallery, &[(name, value.as_ref())]).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        println!("{what}: {said}");
        assert_eq!(ended.status.code(), Some(1), "{what}: {said}");
        let last = said.lines().last().unwrap();
        assert!(last.starts_with("lambda: ") && last.contains(advice), "{what}: {said}");
    }
}

#[test]
fn a_service_that_is_told_to_end_ends_well() {
    let server = start();
    assert_eq!(server.get("/healthz").status, 200);
    assert!(server.terminate().success());
}
