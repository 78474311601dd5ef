//! What is written, and what must be there after any number of writes.

use std::collections::BTreeMap;
use std::ops::Range;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use vecstore::{Config, Metric, Record, Result, Store};

/// Threads that write, each its own records.
pub(crate) const LANES: usize = 2;

pub(crate) fn config() -> Config {
    Config::new(8, Metric::SquaredEuclidean)
}

/// The records of a lane. Every write of records includes the first one, whose payload says which
/// write was the last.
const RECORDS: u64 = 300;

/// One write of a lane. Which one it is depends on the lane and the number of the write alone.
enum Write {
    Put(Vec<u64>),
    Delete(u64),
    BulkLoad(Vec<u64>),
}

fn write(lane: usize, number: u64) -> Write {
    let mut random = StdRng::seed_from_u64((lane as u64) << 32 | number);
    let first = lane as u64 * RECORDS;
    let id = |random: &mut StdRng| random.random_range(first + 1..first + RECORDS);
    let ids = |random: &mut StdRng, count: Range<usize>| {
        let others = (0..random.random_range(count)).map(|_| id(random));
        let mut ids: Vec<u64> = others.chain([first]).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    match random.random_range(0..40) {
        0..12 => Write::Delete(id(&mut random)),
        12..24 => Write::Put(vec![first]),
        24..38 => Write::Put(ids(&mut random, 1..20)),
        38 => Write::Put(ids(&mut random, 100..1000)),
        _ => Write::BulkLoad(ids(&mut random, 1..200)),
    }
}

/// What a write puts under an id.
fn record(id: u64, number: u64) -> Record {
    let mut random = StdRng::seed_from_u64(id << 40 | number);
    let vector = (0..8).map(|_| random.random_range(-1.0..1.0)).collect();
    // Every fourth is larger than a part of a change in the log.
    let length = if random.random_ratio(1, 4) { 10_000 } else { 1000 };
    let text = "x".repeat(random.random_range(0..length));
    let record = Record::new(id, vector).with_payload(&(number, text)).unwrap();
    if id.is_multiple_of(3) {
        record.with_group((number % 5).to_string()).with_tags(["three"])
    } else {
        record
    }
}

/// Brings a write into the table of which write the record under each id is from.
fn apply(sources: &mut BTreeMap<u64, u64>, lane: usize, number: u64) {
    match write(lane, number) {
        Write::Put(ids) | Write::BulkLoad(ids) => {
            sources.extend(ids.iter().map(|&id| (id, number)));
        }
        Write::Delete(id) => drop(sources.remove(&id)),
    }
}

/// After how many writes of a lane a store is as it is. Panics if it is as after none, or as after
/// fewer than were acknowledged.
fn reached(found: &BTreeMap<u64, Record>, lane: usize, acknowledged: u64) -> u64 {
    let ids = lane as u64 * RECORDS..(lane as u64 + 1) * RECORDS;
    let source_of = |record: &Record| record.payload::<(u64, String)>().unwrap().unwrap().0;
    let sources = found.range(ids.clone()).map(|(&id, record)| (id, source_of(record)));
    let sources: BTreeMap<u64, u64> = sources.collect();
    for (&id, &number) in &sources {
        assert!(found[&id] == record(id, number), "record {id} is not as write {number} left it");
    }

    let last_put = sources.get(&ids.start).copied().unwrap_or(0);
    let mut expected = BTreeMap::new();
    (1..=last_put).for_each(|number| apply(&mut expected, lane, number));
    let differing: Vec<_> = ids.filter(|id| expected.get(id) != sources.get(id)).collect();
    // Deletes after it leave no trace of their number.
    let (mut number, mut reached) = (last_put, None);
    loop {
        if expected == sources {
            reached = Some(number);
        }
        number += 1;
        if !matches!(write(lane, number), Write::Delete(_)) {
            break;
        }
        apply(&mut expected, lane, number);
    }
    let reached = reached.unwrap_or_else(|| {
        panic!("lane {lane} is not as after {last_put} writes: records {differing:?} are not")
    });
    assert!(reached >= acknowledged, "lane {lane}: {acknowledged} acknowledged, {reached} there");
    reached
}

pub(crate) fn is_bulk_load(lane: usize, number: u64) -> bool {
    matches!(write(lane, number), Write::BulkLoad(_))
}

/// Carries out a write of a lane.
pub(crate) fn perform(store: &Store, lane: usize, number: u64) -> Result<()> {
    let records = |ids: Vec<u64>| ids.into_iter().map(move |id| record(id, number));
    match write(lane, number) {
        Write::Put(ids) if ids.len() == 1 => store.insert(&record(ids[0], number)),
        Write::Put(ids) => store.insert_batch(&records(ids).collect::<Vec<_>>()),
        Write::Delete(id) => store.delete(id).map(|_| ()),
        Write::BulkLoad(ids) => {
            let mut load = store.bulk_load();
            records(ids).try_for_each(|record| load.add(&record))?;
            load.commit()
        }
    }
}

/// All records of a store.
pub(crate) fn everything(store: &Store) -> BTreeMap<u64, Record> {
    let snapshot = store.snapshot();
    let records = snapshot.iter().map(|record| record.map(|record| (record.id(), record)));
    records.collect::<Result<_>>().unwrap()
}

/// Looks at all that a store holds. Returns after how many writes of each lane it is so; panics if it
/// is as after none, or fewer than were acknowledged.
pub(crate) fn check(store: &Store, acknowledged: [u64; LANES]) -> [u64; LANES] {
    store.snapshot().verify().unwrap();
    let found = everything(store);
    assert_eq!(found.len(), store.len());
    std::array::from_fn(|lane| reached(&found, lane, acknowledged[lane]))
}
