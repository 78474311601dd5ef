//! How long it takes to compare a query with vectors: by codes, with each kernel that this processor
//! runs, and in full.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;

use benches::clustered;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use simsimd::SpatialSimilarity;

use crate::kernel::{BATCH, Kernel};

// The kernels are no part of what vecstore offers, so they come by their file.
#[allow(dead_code, unused_imports)]
#[path = "../../vecstore/src/codes/kernel.rs"]
mod kernel;

/// So few that all lie in the first cache.
const COUNT: usize = 32;

fn kernels(criterion: &mut Criterion) {
    for dimension in [128, 512] {
        let vectors = clustered(COUNT + 1, dimension, 4, 1);
        let rows: Vec<&[f32]> = vectors.iter().collect();
        let (query, rows) = rows.split_last().unwrap();
        let level = |&component: &f32| (component.clamp(-1.0, 1.0) * 127.0) as i8;
        let lanes: Vec<i8> = query.iter().map(level).collect();
        let zero = 128 * lanes.iter().map(|&lane| i32::from(lane)).sum::<i32>();
        let code = |row: &&[f32]| row.iter().map(|it| (level(it) as u8) ^ 128).collect();
        let codes: Vec<Vec<u8>> = rows.iter().map(code).collect();
        let codes: Vec<&[u8]> = codes.iter().map(Vec::as_slice).collect();

        let mut group = criterion.benchmark_group(format!("{COUNT} x {dimension}"));
        group.throughput(Throughput::Elements(COUNT as u64));
        for kernel in Kernel::all() {
            group.bench_function(format!("codes, {kernel:?}"), |bencher| {
                bencher.iter(|| {
                    for batch in codes.as_chunks::<BATCH>().0 {
                        black_box(kernel.dots(&lanes, zero, batch));
                    }
                });
            });
        }
        group.bench_function("rows of f32, simsimd", |bencher| {
            bencher.iter(|| {
                for row in rows {
                    black_box(f32::dot(query, row));
                }
            });
        });
        group.finish();
    }
}

criterion_group!(benches, kernels);
criterion_main!(benches);
