//! Segments made to mislead, as in `tests/hostile`, found by what they make the reader do.
//!
//! An input is a segment file whose checksums are made right before it is opened. It grows out of
//! the seeds of the tests by their changes and by libFuzzer's own.
#![no_main]

#[path = "../../tests/hostile/ask.rs"]
mod ask;
#[path = "../../tests/hostile/layout.rs"]
mod layout;
#[path = "../../tests/hostile/mutate.rs"]
mod mutate;
#[path = "../../tests/hostile/seeds.rs"]
mod seeds;

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(seeds::segments);

/// A file in memory, without a name, so that nothing is left behind; and the path that opens it.
static FILE: LazyLock<(File, PathBuf)> = LazyLock::new(|| {
    let file = tempfile::tempfile_in("/dev/shm").unwrap();
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    (file, path.into())
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut random = StdRng::seed_from_u64(seed.into());
    let mut file = if layout::has_header(&data[..size]) {
        data[..size].to_vec()
    } else {
        SEEDS[seeds::pick(&mut random)].clone()
    };
    if file.len() <= max_size && random.random_ratio(2, 3) {
        mutate::mutate(&mut file, &mut random);
    }
    let size = file.len().min(max_size);
    data[..size].copy_from_slice(&file[..size]);
    if random.random_ratio(1, 3) { fuzzer_mutate(data, size, max_size) } else { size }
});

fuzz_target!(|data: &[u8]| {
    let mut file = data.to_vec();
    layout::seal(&mut file);
    let (_, path) = &*FILE;
    fs::write(path, file).unwrap();
    ask::ask_file(path);
});
