//! Data sets as files, and what `ann` makes of them.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Writes a small data set with `benches data`, beside an unfinished one of a run that was stopped.
fn data_set(directory: &Path) {
    let part = directory.with_extension("part");
    fs::create_dir_all(&part).unwrap();
    fs::write(part.join("base.fvecs"), "cut").unwrap();
    let data = ["data", "clustered", directory.to_str().unwrap(), "--count=2000", "--dimension=16"];
    let output = benches(&[&data[..], &["--clusters=20", "--queries=50", "-k20"]].concat());
    assert!(output.status.success(), "{output:?}");
}

fn benches(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_benches")).args(args).output().unwrap()
}

fn ann(directory: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ann"));
    for (option, file) in
        [("--base", "base.fvecs"), ("--query", "query.fvecs"), ("--truth", "truth.ivecs")]
    {
        command.arg(option).arg(directory.join(file));
    }
    command.args(["--metric", "cosine", "--ef", "10,100,200"]).args(args).output().unwrap()
}

/// The names before `=`, and the rows of the table, its head among them.
fn printed(output: &Output) -> (Vec<&str>, Vec<Vec<&str>>) {
    assert!(output.status.success(), "{output:?}");
    let lines = || std::str::from_utf8(&output.stdout).unwrap().lines();
    let names = lines().filter_map(|line| line.split_once('=')).map(|(name, value)| {
        assert!(value.parse::<f64>().unwrap() > 0.0, "{name}={value}");
        name
    });
    let rows = lines().filter(|line| !line.contains('=')).map(|line| line.split(',').collect());
    (names.collect(), rows.collect())
}

#[test]
fn ann_prints_what_others_read() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path().join("data");
    data_set(&directory);
    let store = temporary.path().join("store");

    let output = ann(&directory, &["--store", store.to_str().unwrap()]);
    let (names, rows) = printed(&output);
    let reader = ["bytes_per_vector", "open_ms", "first_query_ms", "reader_anon_mb"];
    assert_eq!(names, [&["build_cpu_s"], &reader[..]].concat());
    assert_eq!(rows[0], ["ef", "recall", "qps_per_cpu_s", "qps_wall"]);
    let efs: Vec<_> = rows[1..].iter().map(|row| row[0]).collect();
    let recalls: Vec<f64> = rows[1..].iter().map(|row| row[1].parse().unwrap()).collect();
    assert_eq!(efs, ["10", "100", "200"]);
    assert!(recalls.is_sorted() && recalls[2] >= 0.99, "{recalls:?}");

    // The store that is there is searched, and not built again.
    let output = ann(&directory, &["--store", store.to_str().unwrap(), "--until", "0"]);
    let (names, rows) = printed(&output);
    assert_eq!((names, rows.len()), (reader.to_vec(), 2));
}

#[test]
fn truth_can_be_written_for_any_files() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path().join("data");
    data_set(&directory);
    let [base, query, truth, again] = ["base.fvecs", "query.fvecs", "truth.ivecs", "again.ivecs"]
        .map(|name| directory.join(name));
    let [base, query, again] = [&base, &query, &again].map(|path| path.to_str().unwrap());
    assert!(benches(&["data", "truth", base, query, again, "-k20"]).status.success());
    assert_eq!(fs::read(again).unwrap(), fs::read(truth).unwrap());

    // The vectors of a file are split into base and queries, each into one of them.
    let split = temporary.path().join("split");
    let args = ["data", "split", base, split.to_str().unwrap(), "--queries=500", "--count=1000"];
    assert!(benches(&args).status.success());
    let rows = |path: &Path| {
        fs::read(path).unwrap().chunks(4 + 4 * 16).map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    let all = rows(base.as_ref());
    let parts = [rows(&split.join("base.fvecs")), rows(&split.join("query.fvecs"))];
    assert_eq!(parts.each_ref().map(Vec::len), [1000, 500]);
    let mut parts = parts.concat();
    assert!(parts.iter().all(|row| all.contains(row)));
    parts.sort();
    parts.dedup();
    assert_eq!(parts.len(), 1500);
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path().join("data");
    data_set(&directory);
    type Change = fn(&mut Vec<u8>);
    let cases: [(&str, Change, &str); 9] = [
        ("base.fvecs", |bytes| bytes.truncate(1000), "base.fvecs was cut off within row 14"),
        ("base.fvecs", |bytes| bytes.truncate(954), "base.fvecs was cut off within row 14"),
        ("base.fvecs", Vec::clear, "base.fvecs is empty"),
        ("base.fvecs", |bytes| bytes[68] = 9, "row 1 says that it has 9 numbers, row 0 has 16"),
        ("base.fvecs", |bytes| bytes[3] = 0x80, "row 0 says that it has -2147483632 numbers"),
        ("query.fvecs", |bytes| *bytes = vec![1, 0, 0, 0, 0, 0, 0, 0], "query.fvecs has 1 comp"),
        ("truth.ivecs", |bytes| bytes.truncate(84), "truth.ivecs has 1 rows, "),
        ("truth.ivecs", |bytes| bytes[6] = 1, "row 0 names vector "),
        ("truth.ivecs", |bytes| bytes[7] = 0x80, "row 0 names vector -"),
    ];
    for (name, change, message) in cases {
        let path = directory.join(name);
        let whole = fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        change(&mut bytes);
        fs::write(&path, bytes).unwrap();
        let output = ann(&directory, &[]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains(message) && output.status.code() == Some(1), "{error}");
        fs::write(&path, whole).unwrap();
    }
    let error = ann(&directory, &["-k", "21"]).stderr;
    let error = String::from_utf8_lossy(&error);
    assert!(error.contains("row 0 names 20 vectors, 21 are asked for"), "{error}");
}
