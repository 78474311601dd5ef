//! The index through its real binary: real stores, real connections, real kills.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use common::http::{Client, Reply};
use common::process::{Server, index_command, signal, start_index};
use serde_json::{Value, json};
use vecstore::{Config, Metric, Query, Reader, Record, Store};

const JSON: Option<&str> = Some("application/json");
const COLLECTION: &str = "/collections/{name}";
const VECTORS: &str = "/collections/{name}/vectors";
const VECTOR: &str = "/collections/{name}/vectors/{id}";
const SEARCH: &str = "/collections/{name}/search";

/// Starts the service and waits until its collections are open.
fn start(data: &Path) -> Server {
    start_index(data, &[])
}

fn send(client: &Client, method: &str, path: &str, body: &Value) -> Reply {
    client.send(method, path, JSON, &serde_json::to_vec(body).unwrap())
}

/// A server with a collection `c` of two components, compared by squared Euclidean distance.
fn start_with_collection(data: &Path) -> Server {
    let server = start(data);
    let plane = json!({ "dimension": 2, "metric": "squared_euclidean" });
    assert_eq!(send(&server, "PUT", "/collections/c", &plane).status, 201);
    server
}

fn put(client: &Client, vectors: &Value) {
    let reply = send(client, "PUT", "/collections/c/vectors", &json!({ "vectors": vectors }));
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    assert_eq!(reply.status, 200, "{text}");
    assert_eq!(reply.json()["upserted"], vectors.as_array().unwrap().len());
}

/// The ids that a search finds.
fn found(client: &Client, search: &Value) -> Vec<u64> {
    let reply = send(client, "POST", "/collections/c/search", search);
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    let hits = reply.json()["hits"].as_array().unwrap().clone();
    hits.iter().map(|hit| hit["id"].as_u64().unwrap()).collect()
}

#[test]
fn the_life_of_a_collection() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path());
    assert_eq!(server.get("/collections").json(), json!({ "collections": [] }));

    let sphere = json!({ "dimension": 2, "metric": "cosine" });
    let about = json!({ "name": "c", "dimension": 2, "metric": "cosine", "vectors": 0 });
    for status in [201, 200] {
        let reply = send(&server, "PUT", "/collections/c", &sphere);
        assert_eq!((reply.status, reply.json()), (status, about.clone()));
    }
    // What is kept about it comes back, is replaced by other such, and stays where nothing is said.
    for metadata in [json!({ "made": ["by", null] }), json!({})] {
        let described = json!({ "dimension": 2, "metric": "cosine", "metadata": metadata });
        assert_eq!(send(&server, "PUT", "/collections/c", &described).status, 200);
        assert_eq!(send(&server, "PUT", "/collections/c", &sphere).status, 200);
        assert_eq!(server.get("/collections/c").json()["metadata"], metadata);
    }
    let other = json!({ "dimension": 3, "metric": "cosine" });
    let reply = send(&server, "PUT", "/collections/c", &other);
    server.check_problem(&reply, ("PUT", COLLECTION), 409, "/problems/collection-exists");
    let empty = server.post("/collections/c/snapshot", "application/json", b"");
    let route = ("POST", "/collections/{name}/snapshot");
    server.check_problem(&empty, route, 409, "/problems/empty-collection");

    put(
        &server,
        &json!([
            { "id": 1, "vector": [1, 0], "tags": ["a"], "group": "g", "payload": { "n": [1, null] } },
            { "id": u64::MAX, "vector": [0.9, 0.1], "tags": ["a", "b"], "group": "g" },
            // [0, 2]
            { "id": 3, "vector": "AAAAAAAAAEA=" },
        ]),
    );
    assert_eq!(server.get("/collections").json()["collections"][0]["vectors"], 3);
    assert_eq!(server.get("/collections/c").json()["vectors"], 3);
    let read = server.get("/collections/c/vectors/3").json();
    assert_eq!(read, json!({ "id": 3, "vector": [0.0, 1.0] }));
    let first = json!({ "id": 1, "score": 1.0, "group": "g", "payload": { "n": [1, null] } });
    let search = json!({ "vector": [5, 0], "k": 1, "ef": 64 });
    let reply = send(&server, "POST", "/collections/c/search", &search);
    assert_eq!(reply.json(), json!({ "hits": [first] }));
    // The last is [5, 0].
    let several = json!({ "vectors": [[5, 0], [0, 1], "AACgQAAAAAA="], "k": 1 });
    let hits = |first: &Value| json!({ "hits": [first] });
    let second = json!({ "id": 3, "score": 1.0 });
    let reply = send(&server, "POST", "/collections/c/search", &several);
    let three = [hits(&first), hits(&second), hits(&first)];
    assert_eq!(reply.json(), json!({ "results": three }));

    let with = |rest: Value| {
        let mut search = json!({ "vector": [1, 0], "k": 5 });
        search.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        found(&server, &search)
    };
    assert_eq!(with(json!({})), [1, u64::MAX, 3]);
    assert_eq!(with(json!({ "group_by": true })), [1, 3]);
    assert_eq!(with(json!({ "filter": { "any": ["a", "b"] } })), [1, u64::MAX]);
    assert_eq!(with(json!({ "filter": { "all": ["a", "b"] } })), [u64::MAX]);
    assert_eq!(with(json!({ "filter": { "none": ["b"] } })), [1, 3]);
    assert_eq!(with(json!({ "filter": { "any": ["a"], "none": ["b"] } })), [1]);
    assert_eq!(with(json!({ "filter": {} })), [1, u64::MAX, 3]);

    assert_eq!(server.send("DELETE", "/collections/c/vectors/1", None, b"").status, 204);
    let gone = server.send("DELETE", "/collections/c/vectors/1", None, b"");
    server.check_problem(&gone, ("DELETE", VECTOR), 404, "/problems/unknown-vector");
    let gone = server.get("/collections/c/vectors/1");
    server.check_problem(&gone, ("GET", VECTOR), 404, "/problems/unknown-vector");
    assert_eq!(with(json!({})), [u64::MAX, 3]);

    assert_eq!(server.send("DELETE", "/collections/c", None, b"").status, 204);
    let gone = server.send("DELETE", "/collections/c", None, b"");
    server.check_problem(&gone, ("DELETE", COLLECTION), 404, "/problems/unknown-collection");
    // Another one of the same name has nothing of the first.
    assert_eq!(send(&server, "PUT", "/collections/c", &other).status, 201);
    assert_eq!(server.get("/collections/c").json()["vectors"], 0);
    assert!(server.terminate().success());
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 1);
}

#[test]
fn what_is_refused_and_how() {
    let data = tempfile::tempdir().unwrap();
    let server = start_with_collection(data.path());
    let create =
        |name: &str, body: &Value| send(&server, "PUT", &format!("/collections/{name}"), body);
    let plane = json!({ "dimension": 2, "metric": "cosine" });
    for name in ["C", "..%2Fc", ".c", "a%00b", &"x".repeat(65)] {
        let route = ("PUT", COLLECTION);
        server.check_problem(&create(name, &plane), route, 400, "/problems/invalid-parameter");
    }
    for body in [
        json!({ "dimension": 0, "metric": "cosine" }),
        json!({ "dimension": 65_537, "metric": "cosine" }),
        json!({ "dimension": -1, "metric": "cosine" }),
        json!({ "dimension": 2, "metric": "l2" }),
        json!({ "dimension": 2 }),
        json!({ "dimension": 2, "metric": "cosine", "m": 16 }),
        json!({ "dimension": 2, "metric": "cosine", "metadata": [] }),
        json!({ "dimension": 2, "metric": "cosine", "metadata": { "a": "b".repeat(64 << 10) } }),
        json!([]),
    ] {
        let route = ("PUT", COLLECTION);
        server.check_problem(&create("d", &body), route, 400, "/problems/invalid-body");
    }

    let body = |status, kind, body: &Value| {
        let reply = send(&server, "PUT", "/collections/c/vectors", &json!({ "vectors": body }));
        server.check_problem(&reply, ("PUT", VECTORS), status, kind);
    };
    body(400, "/problems/invalid-record", &json!([{ "id": 1, "vector": [1] }]));
    body(400, "/problems/invalid-record", &json!([{ "id": 1, "vector": [1, 1e39] }]));
    let many: Vec<_> = (0..65).map(|tag| tag.to_string()).collect();
    body(400, "/problems/invalid-record", &json!([{ "id": 1, "vector": [1, 2], "tags": many }]));
    body(400, "/problems/invalid-body", &json!([{ "id": -1, "vector": [1, 2] }]));
    body(400, "/problems/invalid-body", &json!([{ "id": 1, "vector": ["1", 2] }]));
    body(400, "/problems/invalid-body", &json!([{ "id": 1 }]));
    // One that is not taken keeps out the others.
    body(
        400,
        "/problems/invalid-record",
        &json!([{ "id": 1, "vector": [1, 2] }, { "id": 2, "vector": [] }]),
    );
    assert_eq!(server.get("/collections/c").json()["vectors"], 0);

    let search = |kind, body: &Value| {
        let reply = send(&server, "POST", "/collections/c/search", body);
        server.check_problem(&reply, ("POST", SEARCH), 400, kind);
    };
    search("/problems/invalid-record", &json!({ "vector": [1, 2, 3] }));
    // A NaN and 0; a float and a half; no base64.
    search("/problems/invalid-record", &json!({ "vector": "AADAfwAAAAA=" }));
    search("/problems/invalid-body", &json!({ "vector": "AAAAAAAA" }));
    search("/problems/invalid-body", &json!({ "vector": "not base64" }));
    for (k, ef) in [(0, 1), (10_001, 1), (1, 0), (1, 10_001)] {
        search("/problems/invalid-body", &json!({ "vector": [1, 2], "k": k, "ef": ef }));
    }
    search("/problems/invalid-body", &json!({ "vector": [1, 2], "filter": { "some": [] } }));
    search("/problems/invalid-record", &json!({ "vectors": [[1, 2], [1, 2, 3]] }));
    search("/problems/invalid-body", &json!({}));
    search("/problems/invalid-body", &json!({ "vector": [1, 2], "vectors": [[1, 2]] }));
    for (vectors, k, ef) in [(0, 1, 1), (101, 1, 1), (100, 101, 1), (100, 1, 101)] {
        let vectors = vec![[1, 2]; vectors];
        search("/problems/invalid-body", &json!({ "vectors": vectors, "k": k, "ef": ef }));
    }
    let filter = json!({ "any": vec!["a"; 50], "none": vec!["b"; 51] });
    let vectors = vec![[1, 2]; 100];
    search("/problems/invalid-body", &json!({ "vectors": vectors, "filter": filter }));
    let most =
        json!({ "vectors": vectors, "k": 100, "ef": 100, "filter": { "any": vec!["a"; 100] } });
    let reply = send(&server, "POST", "/collections/c/search", &most);
    assert_eq!(reply.json()["results"].as_array().map(Vec::len), Some(100));

    let put = |media: Option<&str>, body: &[u8]| {
        server.send("PUT", "/collections/c/vectors", media, body)
    };
    let route = ("PUT", VECTORS);
    let not_json = put(Some("text/plain"), b"{}");
    server.check_problem(&not_json, route, 415, "/problems/unsupported-media-type");
    server.check_problem(&put(JSON, b"{\"vectors\":[{"), route, 400, "/problems/invalid-body");
    server.check_problem(&put(JSON, b"\xff"), route, 400, "/problems/invalid-body");
    server.check_problem(&put(JSON, b""), route, 400, "/problems/invalid-body");
    let deep = "[".repeat(100_000);
    server.check_problem(&put(JSON, deep.as_bytes()), route, 400, "/problems/invalid-body");
    let large = vec![b' '; (16 << 20) + 1];
    server.check_problem(&put(JSON, &large), route, 413, "/problems/too-large");

    for (id, kind) in
        [("x", "invalid-parameter"), ("-1", "invalid-parameter"), ("1", "unknown-vector")]
    {
        let reply = server.get(&format!("/collections/c/vectors/{id}"));
        let status = if kind == "unknown-vector" { 404 } else { 400 };
        server.check_problem(&reply, ("GET", VECTOR), status, &format!("/problems/{kind}"));
    }
    let reply = server.get("/collections/nowhere");
    server.check_problem(&reply, ("GET", COLLECTION), 404, "/problems/unknown-collection");
    server.check_problem(&server.get("/nowhere"), ("GET", "/nowhere"), 404, "/problems/not-found");
    let reply = server.post("/collections", "application/json", b"{}");
    server.check_problem(&reply, ("POST", "/collections"), 405, "/problems/method-not-allowed");
}

#[test]
fn keys_open_what_they_are_for() {
    let data = tempfile::tempdir().unwrap();
    let keys = [("READ_KEY", "reader"), ("WRITE_KEY", "writer")];
    let server = start_index(data.path(), &keys);
    let plane = json!({ "dimension": 2, "metric": "cosine" });
    let mut client = Client::new(server.port);
    for (key, status, kind) in [
        (None, 401, "/problems/unauthorized"),
        (Some("wrong"), 401, "/problems/unauthorized"),
        (Some("reader"), 403, "/problems/forbidden"),
    ] {
        client.key = key;
        let reply = send(&client, "PUT", "/collections/c", &plane);
        server.check_problem(&reply, ("PUT", COLLECTION), status, kind);
        assert_eq!(reply.header("www-authenticate"), (status == 401).then_some("Bearer"));
    }
    client.key = Some("writer");
    assert_eq!(send(&client, "PUT", "/collections/c", &plane).status, 201);
    assert_eq!(client.get("/collections/c").status, 200);
    client.key = Some("reader");
    assert_eq!(client.get("/collections/c").status, 200);
    client.key = None;
    let route = ("GET", COLLECTION);
    server.check_problem(&client.get("/collections/c"), route, 401, "/problems/unauthorized");
    server.check_problem(
        &client.get("/metrics"),
        ("GET", "/metrics"),
        401,
        "/problems/unauthorized",
    );
    for open in ["/healthz", "/readyz", "/openapi.json", "/docs/"] {
        assert_eq!(client.get(open).status, 200, "{open}");
    }
}

#[test]
fn answers_are_those_of_the_store() {
    let data = tempfile::tempdir().unwrap();
    let server = start_with_collection(data.path());
    let elsewhere = tempfile::tempdir().unwrap();
    let store = Store::create(elsewhere.path(), Config::new(2, Metric::SquaredEuclidean)).unwrap();
    let coordinate = |number: u64| (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f32 / 1e6;
    let vector = |id: u64| vec![coordinate(2 * id), coordinate(2 * id + 1)];
    let records: Vec<_> = (0..500).map(|id| Record::new(id, vector(id))).collect();
    store.insert_batch(&records).unwrap();
    let items: Vec<_> = (0..500).map(|id| json!({ "id": id, "vector": vector(id) })).collect();
    put(&server, &items.into());

    // The segment that is sent is opened where it was written to, while the service goes on.
    let sent = server.post("/collections/c/snapshot", "application/json", b"");
    assert_eq!((sent.status, sent.header("etag")), (200, Some("\"500\"")));
    assert_eq!(sent.header("content-length"), Some(sent.body.len().to_string().as_str()));
    let file = elsewhere.path().join("sent.seg");
    std::fs::write(&file, &sent.body).unwrap();
    let reader = Reader::open_segment(&file).unwrap();
    reader.snapshot().verify().unwrap();

    for id in 1_000..1_030 {
        let query = vector(id);
        let hits = store.search(&Query::new(&query, 7)).unwrap();
        let ids: Vec<_> = hits.iter().map(|hit| hit.id).collect();
        assert_eq!(found(&server, &json!({ "vector": query, "k": 7 })), ids);
        let read = reader.search(&Query::new(&query, 7)).unwrap();
        assert_eq!(read.iter().map(|hit| hit.id).collect::<Vec<_>>(), ids);
    }
}

#[test]
fn a_kill_loses_no_acknowledged_write() {
    let data = tempfile::tempdir().unwrap();
    drop(start_with_collection(data.path()));
    let mut acknowledged = 0;
    for round in 1..=5u64 {
        let server = start(data.path());
        assert_eq!(server.get("/collections/c").json()["vectors"], acknowledged);
        let (process, client) = (server.id(), Client::new(server.port));
        let killer = thread::spawn(move || {
            thread::sleep(Duration::from_millis(60 * round));
            signal(process, "KILL");
        });
        let last = loop {
            let vectors =
                json!({ "vectors": [{ "id": acknowledged, "vector": [acknowledged, 1] }] });
            let body = serde_json::to_vec(&vectors).unwrap();
            match client.try_send("PUT", "/collections/c/vectors", JSON, &body) {
                Ok(reply) if reply.status == 200 => acknowledged += 1,
                other => break other,
            }
        };
        assert!(last.is_err(), "{last:?}");
        killer.join().unwrap();
        drop(server);
        // The write that was cut off may have become durable, or not.
        let server = start(data.path());
        let held = server.get("/collections/c").json()["vectors"].as_u64().unwrap();
        assert!(held == acknowledged || held == acknowledged + 1, "{held}, not {acknowledged}");
        acknowledged = held;
        server.kill();
    }
    assert!(acknowledged > 5, "{acknowledged}");
}

#[test]
fn a_restart_under_load_loses_no_write_and_cuts_no_answer() {
    let data = tempfile::tempdir().unwrap();
    let server = start_with_collection(data.path());
    let stopping = AtomicBool::new(false);
    let port = server.port;
    let acknowledged: u64 = thread::scope(|scope| {
        let writers: Vec<_> = (0..4u64)
            .map(|writer| {
                let stopping = &stopping;
                scope.spawn(move || {
                    let client = Client::new(port);
                    for number in 0.. {
                        let id = number * 4 + writer;
                        let body = json!({ "vectors": [{ "id": id, "vector": [id, 0] }] });
                        let body = serde_json::to_vec(&body).unwrap();
                        match client.try_send("PUT", "/collections/c/vectors", JSON, &body) {
                            Ok(reply) => assert_eq!(reply.status, 200),
                            // A request that came too late is refused as a whole.
                            Err(error) => {
                                assert!(stopping.load(Ordering::SeqCst), "{error}");
                                return number;
                            }
                        }
                    }
                    unreachable!("the service is told to stop")
                })
            })
            .collect();
        thread::sleep(Duration::from_millis(300));
        stopping.store(true, Ordering::SeqCst);
        assert!(server.terminate().success());
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    assert!(acknowledged > 10, "{acknowledged}");
    let server = start(data.path());
    let held = server.get("/collections/c").json()["vectors"].as_u64().unwrap();
    // A write whose connection was closed before its answer may be there.
    assert!((acknowledged..=acknowledged + 4).contains(&held), "{held}, not {acknowledged}");
}

#[test]
fn requests_are_numbered_and_counted() {
    let data = tempfile::tempdir().unwrap();
    let server = start_with_collection(data.path());
    put(&server, &json!([{ "id": 1, "vector": [1, 2] }]));
    let numbers: Vec<_> =
        (0..2).map(|_| server.get("/healthz").header("x-request-id").unwrap().to_owned()).collect();
    assert!(numbers[0] != numbers[1] && numbers[0].len() == 32, "{numbers:?}");
    let given = |id: &str| {
        let head = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: {id}\r\n");
        server.raw(format!("{head}Connection: close\r\n\r\n").as_bytes())
    };
    assert!(given("from-a-client.1").contains("x-request-id: from-a-client.1\r\n"));
    let reply = given("a \"b\"");
    let (_, id) = reply.split_once("x-request-id: ").unwrap();
    let id = id.lines().next().unwrap();
    assert!(id.len() == 32 && id.bytes().all(|it| it.is_ascii_hexdigit()), "{id}");
    let text = String::from_utf8(server.get("/metrics").body).unwrap();
    let answered = "index_requests_total{method=\"PUT\",route=\"/collections/{name}/vectors\",status=\"200\"} 1";
    assert!(text.contains(answered) && text.ends_with("# EOF\n"), "{text}");
    assert!(text.contains("index_vectors{collection=\"c\"} 1"), "{text}");
}

#[test]
fn a_damaged_collection_is_named_and_nothing_is_lost() {
    let data = tempfile::tempdir().unwrap();
    let server = start_with_collection(data.path());
    put(&server, &json!([{ "id": 1, "vector": [1, 2] }]));
    assert!(server.terminate().success());
    let manifest = data.path().join("c/MANIFEST");
    let whole = std::fs::read(&manifest).unwrap();
    std::fs::write(&manifest, &whole[..whole.len() - 2]).unwrap();
    let ended = index_command(data.path(), &[]).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!ended.status.success() && said.contains("cannot open the collection c"), "{said}");
    std::fs::write(&manifest, &whole).unwrap();

    let metadata = data.path().join("c/metadata.json");
    std::fs::write(&metadata, "{").unwrap();
    let ended = index_command(data.path(), &[]).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!ended.status.success() && said.contains("metadata.json"), "{said}");
    std::fs::write(&metadata, r#"{"kept":1}"#).unwrap();

    // What was being deleted or made when the process ended is not there; other files stay.
    std::fs::create_dir(data.path().join("d.deleted")).unwrap();
    std::fs::create_dir(data.path().join("half")).unwrap();
    std::fs::write(data.path().join("notes.txt"), "mine").unwrap();
    let server = start(data.path());
    let all = server.get("/collections").json();
    assert_eq!(all["collections"].as_array().unwrap().len(), 1, "{all}");
    assert_eq!(all["collections"][0]["vectors"], 1);
    assert_eq!(all["collections"][0]["metadata"], json!({ "kept": 1 }));
    assert!(!data.path().join("d.deleted").exists() && data.path().join("notes.txt").exists());

    let second = index_command(data.path(), &[]).output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && said.contains("open for writing elsewhere"), "{said}");
}
