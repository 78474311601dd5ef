//! A store is written at home; its segment file alone is shipped and searched where nothing can be
//! written: in the package of an AWS Lambda function, or in a layer of a container image.
//!
//! `cargo run -p vecstore --example lambda_snapshot`

use std::error::Error;
use std::fs;
use std::time::Instant;

use vecstore::{Config, Metric, Query, Reader, Record, Store};

fn main() -> Result<(), Box<dyn Error>> {
    let (home, away) = (tempfile::tempdir()?, tempfile::tempdir()?);

    // At home. A bulk load writes the segment directly.
    let store = Store::create(home.path(), Config::new(2, Metric::Cosine))?;
    let mut load = store.bulk_load();
    for degrees in 0..360u32 {
        let (sin, cos) = f64::from(degrees).to_radians().sin_cos();
        let record = Record::new(degrees.into(), vec![cos as f32, sin as f32]);
        load.add(&record.with_payload(&format!("{degrees} degrees"))?)?;
    }
    load.commit()?;
    let file = away.path().join("circle.seg");
    fs::write(&file, store.snapshot().segment().ok_or("there was no checkpoint")?)?;
    drop(store);
    home.close()?; // nothing of the store is left

    // Away. The file is mapped, read-only; what a search does not touch is never read.
    let mut permissions = fs::metadata(&file)?.permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&file, permissions)?;
    let begin = Instant::now();
    let reader = Reader::open_segment(&file)?;
    println!("{} vectors opened in {:?}", reader.len(), begin.elapsed());

    let hit = &reader.search(&Query::new(&[0.0, 5.0], 1))?[0];
    let payload: Option<String> = hit.payload()?;
    println!("straight up is {}", payload.as_deref().unwrap_or("nothing"));
    assert_eq!((hit.id, payload.as_deref()), (90, Some("90 degrees")));
    // Once after a download, if the way is not trusted; it reads the whole file.
    assert_eq!(reader.snapshot().verify()?.vectors, 360);
    Ok(())
}
