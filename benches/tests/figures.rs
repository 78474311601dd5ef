//! The figures that do not depend on time, in small.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use benches::soak::World;
use benches::{churn, open, soak};

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_benches"))
}

#[test]
fn deleting_and_inserting_again_costs_neither_recall_nor_space() {
    let directory = std::env::temp_dir();
    let args = churn::Args { directory, count: 5_000, dimension: 64, rounds: 4 };
    let figures = churn::measure(&args).unwrap();
    for (ef, fresh, churned) in figures.recalls {
        println!("recall@10 at ef {ef}: {fresh:.4} fresh, {churned:.4} churned");
        assert!(fresh - churned <= 0.005, "ef {ef}: {fresh}, {churned}");
    }
    let (fresh, churned) = figures.disk;
    assert!(churned as f64 <= 1.1 * fresh as f64, "{churned} bytes, fresh {fresh}");
}

#[test]
fn a_reader_takes_little_memory() {
    let directory = tempfile::tempdir().unwrap();
    let sizes = vec![1_000, 20_000];
    let args = open::Args { directory: directory.path().into(), sizes, searches: 1_000 };
    for figures in open::measure(&args, program()).unwrap() {
        let open::Figures { size, opened, searched, .. } = figures;
        println!("{size} vectors: {opened} bytes when opened, {searched} after all searches");
        assert!(opened <= 2e6 && searched <= 10e6, "{figures:?}");
    }
}

#[test]
fn every_reader_sees_whole_generations() {
    let world = World { records: 2_000, dimension: 16, period: 10 };
    let args = soak::Args { directory: std::env::temp_dir(), seconds: 4, world };
    let figures = soak::measure(&args, program()).unwrap();
    let soak::Figures { generations, checkpoints, seen, .. } = &figures;
    println!("{generations} generations, {checkpoints} checkpoints, seen {seen:?}");
    assert!(*checkpoints > 0 && seen.iter().all(|&seen| seen > 1), "{figures:?}");
}
