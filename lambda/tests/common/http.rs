//! A client that checks every refusal against the service's own description.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use ureq::http::{HeaderMap, Request};

pub(crate) const LOOKALIKES: &str = "/api/lookalikes";

/// An answer of the service.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The ids of the people found, after a check that this is an answer as documented.
    pub(crate) fn people(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, 200, "{text}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        let answer = self.json();
        let faces = answer["faces"].as_array().unwrap();
        assert!((answer["face"].as_u64().unwrap() as usize) < faces.len(), "{text}");
        let found = answer["lookalikes"].as_array().unwrap();
        let scores: Vec<f64> = found.iter().map(|one| one["score"].as_f64().unwrap()).collect();
        assert!(scores.is_sorted_by(|a, b| a >= b), "not best first: {text}");
        for one in found {
            let similarity = one["similarity"].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&similarity), "{text}");
            assert!(one["portrait"].as_str().unwrap().starts_with("/portraits/"), "{text}");
            assert!(!one["person"]["name"].as_str().unwrap().is_empty(), "{text}");
        }
        found.iter().map(|one| one["person"]["id"].as_str().unwrap().to_owned()).collect()
    }
}

/// A client of one running service.
pub(crate) struct Client {
    pub(crate) port: u16,
    /// What is shown as `Authorization: Bearer`.
    pub(crate) key: Option<&'static str>,
    agent: ureq::Agent,
    description: OnceLock<Value>,
}

impl Client {
    pub(crate) fn new(port: u16) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)));
        Self { port, key: None, agent: config.build().into(), description: OnceLock::new() }
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, None, &[])
    }

    pub(crate) fn post(&self, path: &str, media: &str, body: &[u8]) -> Reply {
        self.send("POST", path, Some(media), body)
    }

    pub(crate) fn send(&self, method: &str, path: &str, media: Option<&str>, body: &[u8]) -> Reply {
        self.try_send(method, path, media, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        media: Option<&str>,
        body: &[u8],
    ) -> Result<Reply, ureq::Error> {
        let uri = format!("http://127.0.0.1:{}{path}", self.port);
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(media) = media {
            request = request.header("content-type", media);
        }
        if let Some(key) = self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let response = if method == "GET" || method == "HEAD" {
            self.agent.run(request.body(())?)?
        } else {
            self.agent.run(request.body(body)?)?
        };
        let (head, mut body) = response.into_parts();
        Ok(Reply { status: head.status.as_u16(), headers: head.headers, body: body.read_to_vec()? })
    }

    /// Sends raw bytes, which no client library has tidied, and returns all that comes back.
    pub(crate) fn raw(&self, request: &[u8]) -> String {
        let mut connection = self.connect();
        connection.write_all(request).unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).unwrap()
    }

    /// The service's description of itself.
    pub(crate) fn description(&self) -> &Value {
        self.description.get_or_init(|| self.get("/openapi.json").json())
    }

    /// Checks that `reply` is the problem `kind`, in words for a person, and that the
    /// description tells of it: at `method` and `path` where it knows them, else in general.
    pub(crate) fn check_problem(
        &self,
        reply: &Reply,
        route: (&str, &str),
        status: u16,
        kind: &str,
    ) {
        let (method, path) = route;
        let text = String::from_utf8_lossy(&reply.body);
        assert_eq!(reply.status, status, "{method} {path}: {text}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{text}");
        let problem = reply.json();
        assert_eq!(problem["type"], kind, "{text}");
        assert_eq!(problem["status"], status, "{text}");
        assert!(!problem["title"].as_str().unwrap().is_empty(), "{text}");
        assert!(problem["detail"].as_str().unwrap().ends_with('.'), "not a sentence: {text}");

        let described = &self.description()["components"]["schemas"]["ProblemType"]["enum"];
        assert!(described.as_array().unwrap().contains(&kind.into()), "{kind} not in {described}");
        let path = path.split('?').next().unwrap();
        let operation = &self.description()["paths"][path][method.to_lowercase()];
        if operation.is_object() {
            let response = &operation["responses"][status.to_string()];
            let description = response["description"].as_str().unwrap_or_default();
            assert!(description.contains(kind), "{method} {path} does not tell of {kind}");
            assert!(response["content"]["application/problem+json"].is_object(), "{response}");
        }
    }
}

/// A part of a multipart form: field, media type if any, content.
pub(crate) type Part<'a> = (&'a str, Option<&'a str>, &'a [u8]);

/// A multipart form as browsers send it: its media type and body.
pub(crate) fn form(parts: &[Part]) -> (String, Vec<u8>) {
    const BOUNDARY: &str = "----look-alike-test-boundary";
    let mut body = Vec::new();
    for (field, media, content) in parts {
        let media = media.map(|media| format!("Content-Type: {media}\r\n")).unwrap_or_default();
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; \
             filename=\"photo\"\r\n{media}\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={BOUNDARY}"), body)
}
