//! Portraits, several of each person: the nearest people, those with certain tags, those that a
//! function accepts, and all that are near enough.
//!
//! `cargo run -p vecstore --example filters_and_groups`

use std::error::Error;

use vecstore::{Config, Filter, Metric, Query, Record, RecordRef, Store};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let store = Store::create(directory.path(), Config::new(2, Metric::SquaredEuclidean))?;

    // The group says who it is, the tags what they do, the payload when it was taken.
    let mut portraits = Vec::new();
    for (id, x, who, tags, year) in [
        (1, 1.0, "Ada", ["singer", "living"], 1969u16),
        (2, 2.0, "Ada", ["singer", "living"], 2004),
        (3, 3.0, "Ada", ["singer", "living"], 2011),
        (4, 4.0, "Bob", ["actor", "living"], 1999),
        (5, 5.0, "Bob", ["actor", "living"], 2021),
        (6, 6.0, "Eve", ["actor", "dead"], 1950),
        (7, 7.0, "Sam", ["writer", "living"], 2015),
    ] {
        let record = Record::new(id, vec![x, 0.0]).with_group(who).with_tags(tags);
        portraits.push(record.with_payload(&year)?);
    }
    store.insert_batch(&portraits)?; // all or none

    let show = |what: &str, query: &Query<'_>| -> vecstore::Result<Vec<u64>> {
        let ids: Vec<u64> = store.search(query)?.iter().map(|hit| hit.id).collect();
        println!("{what}: {ids:?}");
        Ok(ids)
    };
    let nearest = Query::new(&[0.0, 0.0], 3);
    assert_eq!(show("the three nearest portraits", &nearest)?, [1, 2, 3]);

    // Ada takes one place, by her nearest portrait.
    let people = nearest.distinct_groups();
    assert_eq!(show("the three nearest people", &people)?, [1, 4, 6]);

    let living = Filter::any(["actor", "writer"]).and(Filter::tag("dead").not());
    assert_eq!(show("actors and writers, not dead", &people.filter(&living))?, [4, 7]);

    // A function sees the record where it lies, without its vector.
    let recent =
        |record: &RecordRef<'_>| matches!(record.payload::<u16>(), Ok(Some(year)) if year > 2000);
    let recent = Filter::by(&recent);
    assert_eq!(show("people, portraits after 2000", &people.filter(&recent))?, [2, 5, 7]);

    // All within a squared distance, however many there are.
    let near = Query::within(&[0.0, 0.0], 16.0);
    assert_eq!(show("all portraits within a distance of 4", &near)?, [1, 2, 3, 4]);
    Ok(())
}
