//! Small valid segments, each with other sections in use.

use std::path::Path;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use vecstore::{Config, Metric, Reader, Record, RowFormat, Store};

/// What the records of a seed have, besides their vectors.
#[derive(Clone, Copy)]
struct Seed {
    metric: Metric,
    dimension: usize,
    rows: RowFormat,
    m: usize,
    records: u64,
    groups: bool,
    tags: bool,
    /// Whether records with some tag lie far from those with another.
    apart: bool,
    payloads: bool,
}

/// Nothing but vectors.
const PLAIN: Seed = Seed {
    metric: Metric::InnerProduct,
    dimension: 17,
    rows: RowFormat::F16,
    m: 2,
    records: 9,
    groups: false,
    tags: false,
    apart: false,
    payloads: false,
};

const SEEDS: [Seed; 8] = [
    // Everything at once.
    Seed {
        metric: Metric::Cosine,
        dimension: 3,
        rows: RowFormat::F32,
        m: 4,
        records: 40,
        groups: true,
        tags: true,
        apart: false,
        payloads: true,
    },
    PLAIN,
    // A single record.
    Seed {
        metric: Metric::SquaredEuclidean,
        dimension: 1,
        rows: RowFormat::F32,
        m: 2,
        records: 1,
        groups: false,
        tags: true,
        apart: false,
        payloads: true,
    },
    // More records than are compared one by one, so that the graph is walked, on several layers.
    Seed {
        metric: Metric::SquaredEuclidean,
        dimension: 1,
        rows: RowFormat::F32,
        m: 2,
        records: 2_100,
        groups: true,
        tags: true,
        apart: false,
        payloads: false,
    },
    // With codes, of the vectors and of their differences from the mean.
    Seed { metric: Metric::Cosine, dimension: 33, rows: RowFormat::F32, records: 2_100, ..PLAIN },
    Seed {
        metric: Metric::SquaredEuclidean,
        dimension: 32,
        rows: RowFormat::F16,
        records: 2_100,
        ..PLAIN
    },
    // With codes in a subspace.
    Seed { metric: Metric::Cosine, dimension: 66, rows: RowFormat::F16, records: 2_100, ..PLAIN },
    // With a tag that has a graph of its own.
    Seed {
        metric: Metric::SquaredEuclidean,
        dimension: 1,
        rows: RowFormat::F16,
        m: 2,
        records: 4_600,
        groups: false,
        tags: true,
        apart: true,
        payloads: false,
    },
];

/// The first seeds are small.
const SMALL: usize = 3;

impl Seed {
    fn record(self, id: u64) -> Record {
        let mut random = StdRng::seed_from_u64(id);
        let is_some = id.is_multiple_of(9);
        let apart = if self.apart && is_some { 10.0 } else { 0.0 };
        let mut component = || random.random_range(-1.0..1.0) + apart;
        let mut vector: Vec<f32> = (0..self.dimension).map(|_| component()).collect();
        // Longer ones than a line of codes lie in a subspace of half of their dimension.
        if self.dimension > 64 {
            vector.copy_within(..self.dimension / 2, self.dimension / 2);
        }
        let mut record = Record::new(id * 3, vector);
        if self.groups && !id.is_multiple_of(5) {
            record = record.with_group(format!("group {}", id % 7));
        }
        if self.tags {
            // Of all kinds that a bitmap of slots has: few, many, and runs.
            record = record.with_tags([if is_some { "some" } else { "most" }, "all"]);
        }
        if self.payloads && id.is_multiple_of(2) {
            record = record.with_payload(&format!("payload {id}")).unwrap();
        }
        record
    }

    /// Makes a store in a directory: a segment of all records, and a tail that replaces one of them
    /// and deletes another.
    fn make(self, directory: &Path) {
        let config = Config::new(self.dimension, self.metric).with_rows(self.rows).with_m(self.m);
        let store = Store::create(directory, config.with_ef_construction(20)).unwrap();
        let records: Vec<_> = (0..self.records).map(|id| self.record(id)).collect();
        store.insert_batch(&records).unwrap();
        store.checkpoint().unwrap();
        store.insert(&self.record(0)).unwrap();
        store.delete(3).unwrap();
    }
}

/// Makes the store of a seed in a directory.
pub(crate) fn make_store(number: usize, directory: &Path) {
    SEEDS[number].make(directory);
}

/// The segments of all seeds.
pub(crate) fn segments() -> Vec<Vec<u8>> {
    let segment = |seed: &Seed| {
        let directory = tempfile::tempdir().unwrap();
        seed.make(directory.path());
        let reader = Reader::open(directory.path()).unwrap();
        reader.snapshot().segment().unwrap().to_vec()
    };
    SEEDS.iter().map(segment).collect()
}

/// The number of a seed; seldom one of the large ones, which take the longest.
pub(crate) fn pick(random: &mut StdRng) -> usize {
    let seeds = if random.random_ratio(1, 8) { SMALL..SEEDS.len() } else { 0..SMALL };
    random.random_range(seeds)
}
