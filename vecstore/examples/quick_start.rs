//! Write records, search, and open the store again, as the next start of a program does.
//!
//! `cargo run -p vecstore --example quick_start`

use std::error::Error;

use serde::{Deserialize, Serialize};
use vecstore::{Config, Metric, Query, Record, Store};

#[derive(Serialize, Deserialize)]
struct Song {
    title: String,
    year: u16,
}

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("songs.vecstore");

    let store = Store::create(&path, Config::new(3, Metric::Cosine))?;
    // Vectors come from a model of yours, for texts, images or sounds.
    for (id, title, year, vector) in [
        (1, "Waterloo", 1974, [0.9, 0.1, 0.0]),
        (2, "Fernando", 1976, [0.7, 0.6, 0.1]),
        (3, "Autobahn", 1974, [0.0, 0.2, 0.9]),
    ] {
        let song = Song { title: title.into(), year };
        // When this returns, the record survives a power loss.
        store.insert(&Record::new(id, vector.to_vec()).with_payload(&song)?)?;
    }

    let query = Query::new(&[1.0, 0.2, 0.0], 2);
    let hits = store.search(&query)?;
    for hit in &hits {
        let song: Song = hit.payload()?.ok_or("every song has a payload")?;
        println!("{} ({}): cosine {:.3}", song.title, song.year, hit.score);
    }
    assert_eq!(hits[0].id, 1);

    // The same id once more replaces the record; a deleted one is never found again.
    store.insert(&Record::new(2, vec![0.0, 1.0, 0.0]))?;
    store.delete(1)?;
    drop(store);

    let store = Store::open(&path)?;
    let ids: Vec<u64> = store.search(&query)?.iter().map(|hit| hit.id).collect();
    println!("opened again: {} records, nearest first: {ids:?}", store.len());
    assert_eq!(ids, [2, 3]);
    Ok(())
}
