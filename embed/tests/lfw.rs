//! Accuracy on a tenth of Labeled Faces in the Wild, through the command.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use common::{assets, shared_data};

/// Pairs of each kind in each of the ten folds; the full list has 300.
const PAIRS: usize = 30;

#[test]
fn a_tenth_of_lfw_is_told_apart() {
    let Some(lfw) = shared_data("lfw") else {
        return;
    };
    let sample = tempfile::tempdir().unwrap();
    let list = fs::read_to_string(lfw.join("pairs.txt")).unwrap();
    let listed: Vec<&str> = list.lines().skip(1).collect();
    let mut pairs = format!("10\t{PAIRS}\n");
    // Every tenth line: each fold lists 300 pairs of one person, then 300 of two.
    for line in listed.iter().step_by(10) {
        writeln!(pairs, "{line}").unwrap();
    }
    fs::write(sample.path().join("pairs.txt"), pairs).unwrap();
    for entry in fs::read_dir(&lfw).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            symlink(entry.path(), sample.path().join(entry.file_name())).unwrap();
        }
    }
    let output = Command::new(env!("CARGO_BIN_EXE_embed"))
        .args(["eval", "lfw"])
        .arg(sample.path())
        .arg("--assets")
        .arg(assets())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let line = printed.lines().last().unwrap();
    eprintln!("{line}");
    let figure = |name: &str| -> f64 {
        let start = line.find(name).unwrap() + name.len();
        line[start..].split(' ').next().unwrap().parse().unwrap()
    };
    assert!(line.starts_with("lfw accuracy="), "{line}");
    assert!(figure("accuracy=") >= 0.985, "{line}");
    assert!(figure("tar@far=0.001:") >= 0.96, "{line}");
    assert!(figure("images=") > 1000.0, "{line}");
    assert!(figure("no_face=") <= 5.0, "{line}");
}
