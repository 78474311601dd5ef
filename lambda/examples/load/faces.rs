//! What is searched, and the requests for it as they go over the wire.

use std::path::Path;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use vecstore::{Config, Metric, Record, Store};

use super::Failure;

const DIMENSION: usize = 512;

/// Hits of each search.
pub(super) const K: usize = 10;

/// How many vectors are searched for in turn.
pub(super) const QUERIES: usize = 1000;

/// Faces of people, two of each, around a few hundred kinds.
pub(super) fn fill(folder: &Path, vectors: u64) -> Result<(), Failure> {
    let store = Store::create(folder, Config::new(DIMENSION, Metric::Cosine))?;
    let begin = Instant::now();
    let mut load = store.bulk_load();
    for id in 0..vectors {
        let payload = json!({
            "person": { "id": format!("person-{}", id / 2), "name": format!("Person {}", id / 2) },
            "portrait": format!("{id:016x}.jpg"),
        });
        let record = Record::new(id, vector(id)).with_group(format!("person-{}", id / 2));
        load.add(&record.with_payload(&payload)?)?;
    }
    load.commit()?;
    println!("{vectors} vectors of {DIMENSION} components in {:.1?}", begin.elapsed());
    Ok(())
}

fn vector(seed: u64) -> Vec<f32> {
    let mut kind = StdRng::seed_from_u64(seed % 499);
    let mut own = StdRng::seed_from_u64(seed + 1_000_000);
    let mut number = || kind.random_range(-1.0..1.0) + own.random_range(-1.0..1.0f32);
    (0..DIMENSION).map(|_| number()).collect()
}

pub(super) fn query(number: usize) -> Vec<f32> {
    vector(1_000_000_000 + number as u64)
}

/// The requests as they go over the wire, each for so many vectors.
/// `write` says how a vector is written.
pub(super) fn requests(ef: usize, vectors: usize, write: fn(&[f32]) -> Value) -> Vec<Vec<u8>> {
    let request = |number: usize| {
        let queries: Vec<_> =
            (0..vectors).map(|place| write(&query((number + 7 * place) % QUERIES))).collect();
        let asked = match &queries[..] {
            [one] => format!("\"vector\":{one}"),
            several => format!("\"vectors\":{}", json!(several)),
        };
        let body = format!("{{{asked},\"k\":{K},\"ef\":{ef}}}");
        let head = "POST /collections/faces/search HTTP/1.1\r\nHost: x\r\n\
                    Content-Type: application/json\r\n";
        format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    };
    (0..QUERIES).map(request).collect()
}

pub(super) fn numbers(vector: &[f32]) -> Value {
    // Each in as few digits as say it.
    let digits = vector.iter().map(f32::to_string);
    digits.map(|digits| serde_json::from_str::<Value>(&digits).unwrap_or_default()).collect()
}

pub(super) fn base64(vector: &[f32]) -> Value {
    let bytes: Vec<_> = vector.iter().flat_map(|component| component.to_le_bytes()).collect();
    STANDARD.encode(bytes).into()
}
