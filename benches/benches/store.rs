//! How long a search, an insertion and an opening take.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;

use benches::{Vectors, clustered};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use vecstore::{Config, Metric, Query, Reader, Record, Store};

const DIMENSION: usize = 128;
const COUNT: usize = 20_000;

fn records(vectors: &Vectors) -> Vec<Record> {
    (0..).zip(vectors.iter()).map(|(id, vector)| Record::new(id, vector.to_vec())).collect()
}

fn store(criterion: &mut Criterion) {
    let mut base = clustered(COUNT + 1_000, DIMENSION, 50, 1);
    let queries = base.split_off(COUNT);
    let directory = tempfile::tempdir().unwrap();
    let store = Store::create(directory.path(), Config::new(DIMENSION, Metric::Cosine)).unwrap();
    store.insert_batch(&records(&base)).unwrap();
    store.checkpoint().unwrap();
    drop(store);
    let reader = Reader::open(directory.path()).unwrap();

    for ef in [16, 64, 256] {
        let mut queries = queries.iter().cycle();
        criterion.bench_function(&format!("search 20k x 128, k 10, ef {ef}"), |bencher| {
            bencher.iter(|| {
                let query = Query::new(queries.next().unwrap(), 10).ef(ef);
                black_box(reader.search(&query).unwrap())
            });
        });
    }

    criterion.bench_function("open a reader", |bencher| {
        bencher.iter(|| black_box(Reader::open(directory.path()).unwrap()));
    });

    let mut group = criterion.benchmark_group("insert");
    let batch = records(&queries);
    for size in [1, 100, 1_000] {
        group.throughput(Throughput::Elements(size as u64)).sample_size(10);
        group.bench_function(format!("a batch of {size}, durable"), |bencher| {
            bencher.iter_batched_ref(
                || {
                    let directory = tempfile::tempdir().unwrap();
                    let config = Config::new(DIMENSION, Metric::Cosine);
                    (Store::create(directory.path(), config).unwrap(), directory)
                },
                |(store, _)| store.insert_batch(&batch[..size]).unwrap(),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, store);
criterion_main!(benches);
