//! The `vecstore` command: what goes in comes out again, and what it refuses.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use vecstore::{Config, Metric, Query, Reader, Record, Store};

const DIMENSION: usize = 5;

/// A folder, and the command run in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Runs `vecstore` with these words, which must succeed; returns what it prints.
    fn vecstore(&self, words: &str) -> String {
        let output = self.run(words);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && error.is_empty(), "vecstore {words}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs `vecstore` with these words, which must fail with 1; returns its complaint.
    fn refused(&self, words: &str) -> String {
        let output = self.run(words);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "vecstore {words}: {error}");
        assert!(error.starts_with("vecstore: ") && error.lines().count() == 1, "{error}");
        error
    }

    fn run(&self, words: &str) -> Output {
        let words = words.split(' ');
        common::example("vecstore").args(words).current_dir(self.0.path()).output().unwrap()
    }
}

fn vectors(count: usize) -> Vec<Vec<f32>> {
    let mut random = StdRng::seed_from_u64(count as u64);
    let mut vector = || (0..DIMENSION).map(|_| random.random_range(-1.0..1.0)).collect();
    (0..count).map(|_| vector()).collect()
}

fn fvecs(vectors: &[Vec<f32>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for vector in vectors {
        bytes.extend((vector.len() as i32).to_le_bytes());
        bytes.extend(vector.iter().flat_map(|value| value.to_le_bytes()));
    }
    bytes
}

/// A file of version 1.0 with these words in its header.
fn npy(numbers: &str, fortran_order: &str, shape: &str, body: &[u8]) -> Vec<u8> {
    let header =
        format!("{{'descr': {numbers}, 'fortran_order': {fortran_order}, 'shape': {shape}, }}");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(body);
    bytes
}

fn body(vectors: &[Vec<f32>]) -> Vec<u8> {
    vectors.iter().flatten().flat_map(|value| value.to_le_bytes()).collect()
}

/// The figure after a word in what `info` prints.
fn figure<'a>(info: &'a str, word: &str) -> &'a str {
    let line = info.lines().find_map(|line| line.strip_prefix(word));
    line.unwrap_or("missing").trim()
}

#[test]
fn what_goes_in_comes_out_again() {
    let folder = Folder::new();
    let vectors = vectors(3_000);
    let fvecs = fvecs(&vectors);
    folder.write("in.fvecs", &fvecs);
    let said = folder.vecstore("import in.fvecs first --metric squared-euclidean");
    assert!(said.starts_with("3000 rows were written, ids 0 to 2999, "), "{said}");
    let said = folder.vecstore("export first out.npy --ids ids.npy");
    assert_eq!(said, "3000 vectors were written\n");
    folder.vecstore("import out.npy second --metric squared-euclidean --first-id 7");
    folder.vecstore("export second out.fvecs");
    assert!(folder.read("out.fvecs") == fvecs, "the same bytes after two stores");
    folder.vecstore("import out.fvecs third --metric squared-euclidean");
    folder.vecstore("export third again.npy");
    assert!(folder.read("again.npy") == folder.read("out.npy"));

    let npy = folder.read("out.npy");
    let (header, rows) = npy.split_at(npy.len() - 4 * DIMENSION * vectors.len());
    assert_eq!(header.len() % 64, 0);
    assert!(rows == body(&vectors));
    let ids = folder.read("ids.npy");
    assert!(ids.ends_with(&2_999u64.to_le_bytes()) && ids.len() == 128 + 8 * 3_000);
    let store = Store::open(folder.path("second")).unwrap();
    assert_eq!(store.get(7 + 123).unwrap().unwrap().vector(), vectors[123]);
    assert_eq!(store.search(&Query::new(&vectors[123], 1)).unwrap()[0].id, 7 + 123);
}

#[test]
fn numpy_agrees() {
    let python = || Command::new("python3");
    if !python().args(["-c", "import numpy"]).output().is_ok_and(|out| out.status.success()) {
        // Straight to the terminal: what a passing test prints in other ways is not shown.
        let _ = writeln!(std::io::stderr(), "SKIPPED, not passed: python3 has no numpy");
        return;
    }
    let folder = Folder::new();
    folder.write("in.fvecs", &fvecs(&vectors(100)));
    folder.vecstore("import in.fvecs store --metric inner-product --first-id 40");
    folder.vecstore("export store rows.npy --ids ids.npy");
    let script = "\
import numpy
fvecs = numpy.fromfile('in.fvecs', '<i4').reshape(100, 6)
assert (fvecs[:, 0] == 5).all()
rows, ids = numpy.load('rows.npy'), numpy.load('ids.npy')
assert rows.dtype == numpy.float32 and (rows == fvecs[:, 1:].view('<f4')).all()
assert ids.dtype == numpy.uint64 and (ids == numpy.arange(40, 140)).all()
numpy.save('f8.npy', rows.astype('<f8'))
with open('version2.npy', 'wb') as file:
    numpy.lib.format.write_array(file, rows, version=(2, 0))
numpy.save('fortran.npy', numpy.asfortranarray(rows))
numpy.save('big.npy', rows.astype('>f4'))
numpy.save('structured.npy', numpy.array([(1, 2.0)], [('a', 'i4'), ('b', 'f4')]))
numpy.save('flat.npy', rows[0])
";
    let output = python().args(["-c", script]).current_dir(folder.0.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for name in ["f8", "version2"] {
        folder.vecstore(&format!("import {name}.npy {name} --metric inner-product"));
        folder.vecstore(&format!("export {name} {name}.fvecs"));
        assert!(folder.read(&format!("{name}.fvecs")) == folder.read("in.fvecs"), "{name}");
    }
    for (name, complaint) in [
        ("fortran", "it is in Fortran order"),
        ("big", "its numbers are '>f4';"),
        ("structured", "its numbers are [('a', '<i4'), ('b', '<f4')];"),
        ("flat", "its shape is (5);"),
    ] {
        let error = folder.refused(&format!("import {name}.npy never"));
        assert!(error.contains(&format!("{name}.npy: {complaint}")), "{error}");
    }
}

#[test]
fn a_cosine_store_gives_unit_vectors() {
    let folder = Folder::new();
    folder.write("in.fvecs", &fvecs(&[vec![3.0, 4.0], vec![0.0, 0.5]]));
    folder.vecstore("import in.fvecs store");
    assert_eq!(figure(&folder.vecstore("info store"), "metric"), "cosine");
    folder.vecstore("export store out.fvecs");
    assert!(folder.read("out.fvecs") == fvecs(&[vec![0.6, 0.8], vec![0.0, 1.0]]));
}

#[test]
fn an_import_in_steps_replaces_and_adds() {
    let folder = Folder::new();
    // 17 MiB of vectors, 7 MiB at a time.
    let row = |id: usize| (0..65_536).map(|at| ((at * 31 + id) % 97) as f32).collect();
    let rows: Vec<Vec<f32>> = (0..68).map(row).collect();
    folder.write("in.fvecs", &fvecs(&rows));
    folder.vecstore("import in.fvecs store --metric squared-euclidean --memory 7");
    let info = folder.vecstore("info store");
    assert_eq!((figure(&info, "vectors"), figure(&info, "last change")), ("68", "3"));
    folder.vecstore("export store out.fvecs");
    assert!(folder.read("out.fvecs") == folder.read("in.fvecs"));

    // The second step meets a row that does not fit: what the first one wrote is said, and stays.
    let mut broken = rows.clone();
    (broken[0][0], broken[40][3]) = (-1.0, f32::NAN);
    folder.write("broken.fvecs", &fvecs(&broken));
    let error = folder.refused("import broken.fvecs store --memory 7 --first-id 100");
    let expected = "broken.fvecs, row 40: component 3 of the vector is NaN; all must be finite; \
                    28 rows were written, ids 100 to 127\n";
    assert!(error.ends_with(expected), "{error}");
    let store = Reader::open(folder.path("store")).unwrap();
    assert_eq!((store.len(), store.get(100).unwrap().unwrap().vector()[0]), (68 + 28, -1.0));
}

#[test]
fn info_verify_and_checkpoint() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = Store::create(&path, Config::new(2, Metric::Cosine).with_m(8)).unwrap();
    let record = |id: u64| Record::new(id, vec![id as f32, 1.0]);
    store.insert_batch(&(0..30).map(record).collect::<Vec<_>>()).unwrap();

    // While this process writes, the last checkpoint is seen: first an empty one.
    let info = folder.vecstore("info store");
    assert_eq!(figure(&info, "segment"), "none before the first checkpoint");
    store.checkpoint().unwrap();
    store.delete(3).unwrap();
    let info = folder.vecstore("info store");
    assert_eq!(figure(&info, "vectors"), "30");
    assert_eq!(figure(&info, "tail"), "not looked at, another process writes to the store");
    let said = folder.vecstore("verify store");
    assert!(said.starts_with("a segment of 30 vectors, "), "{said}");
    assert!(said.ends_with("; tail: not looked at, another process writes to the store\n"));
    assert!(folder.refused("checkpoint store").contains("is open for writing elsewhere"));

    // Afterwards the tail is seen, too.
    drop(store);
    let info = folder.vecstore("info store");
    let segment = segment_of(&path);
    let bytes = fs::metadata(&segment).unwrap().len();
    for (word, expected) in [
        ("path", "store"),
        ("dimension", "2"),
        ("metric", "cosine"),
        ("M", "8"),
        ("efConstruction", "200"),
        ("vectors", "29"),
        ("last change", "31"),
        ("segment", &format!("{bytes} bytes, 30 vectors")),
        ("bytes per vector", &format!("{:.1}", bytes as f64 / 30.0)),
        ("tail", "1 changes"),
    ] {
        assert_eq!(figure(&info, word), expected);
    }
    let said = folder.vecstore("verify store");
    assert!(said.ends_with("; tail: 1 changes; 29 vectors in all\n"), "{said}");
    assert_eq!(folder.vecstore("checkpoint store"), "29 vectors, up to change 31\n");
    assert_eq!(Reader::open(&path).unwrap().len(), 29);

    // A segment alone.
    fs::copy(segment_of(&path), folder.path("alone.seg")).unwrap();
    let info = folder.vecstore("info alone.seg");
    assert_eq!(figure(&info, "tail"), "none, this is a segment alone");
    assert_eq!(figure(&info, "vectors"), "29");
    folder.vecstore("export alone.seg alone.npy");
    assert!(folder.vecstore("verify alone.seg").starts_with("a segment of 29 vectors, "));

    // Damage to the segment, and to the tail.
    let mut bytes = folder.read("alone.seg");
    bytes[4_100] ^= 1;
    folder.write("alone.seg", &bytes);
    let error = folder.refused("verify alone.seg");
    assert!(error.contains("alone.seg is damaged: page 1 (at byte 4096) has the wrong checksum"));
    let error = folder.refused("export alone.seg damaged.npy");
    assert!(error.contains("is damaged") && !folder.path("damaged.npy").exists());
    fs::remove_dir_all(path.join("tail")).unwrap();
    fs::create_dir(path.join("tail")).unwrap();
    let error = folder.refused("verify store");
    assert!(error.contains("the MANIFEST names it, but it is missing"), "{error}");
}

fn segment_of(store: &Path) -> PathBuf {
    fs::read_dir(store.join("segments")).unwrap().next().unwrap().unwrap().path()
}

#[test]
fn an_export_leaves_no_half_file() {
    let folder = Folder::new();
    folder.write("in.fvecs", &fvecs(&vectors(10)));
    folder.vecstore("import in.fvecs store");
    folder.write("out.npy", b"from before");
    fs::create_dir(folder.path("out.fvecs")).unwrap();
    assert!(folder.refused("export store out.fvecs").contains("cannot write out.fvecs: "));
    assert!(folder.refused("export store missing/out.npy").contains("missing/out.npy.tmp: "));
    assert!(folder.refused("export store out.txt").contains("ends with .fvecs or .npy"));
    assert!(folder.refused("export store out.npy --ids ids.fvecs").contains("written as .npy"));
    assert_eq!(folder.read("out.npy"), b"from before");
    folder.vecstore("export store out.npy");
    assert!(folder.read("out.npy").starts_with(b"\x93NUMPY"));
    let names = fs::read_dir(folder.0.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["in.fvecs", "out.fvecs", "out.npy", "store"]);
}

#[test]
fn files_that_are_refused() {
    let folder = Folder::new();
    let good = vectors(10);
    let whole = fvecs(&good);
    let numbers = body(&good);
    let mut unequal = whole.clone();
    unequal.splice(24 * 3.., fvecs(&[vec![1.0; 4]]));
    let mut nan = good.clone();
    nan[7][2] = f32::INFINITY;
    let mut long_header = b"\x93NUMPY\x02\x00".to_vec();
    long_header.extend(u32::MAX.to_le_bytes());
    let version_3 =
        [b"\x93NUMPY\x03\x00", &npy("'<f4'", "False", "(10, 5)", &numbers)[8..]].concat();
    let short_header = b"\x93NUMPY\x01\x00\x50\x00{'descr': '<f4', ".to_vec();
    let rows = "rows have";
    let files: [(&str, Vec<u8>, &str); 26] = [
        ("empty.fvecs", vec![], "it is empty"),
        ("two.fvecs", vec![5, 0], "cut off: row 0 has 2 of its 4 bytes"),
        ("cut.fvecs", whole[..24 * 4 + 10].into(), "cut off: row 4 has 10 of its 24 bytes"),
        ("cut2.fvecs", whole[..24 * 4 + 2].into(), "cut off: row 4 has 2 of its 24 bytes"),
        ("zero.fvecs", vec![0; 40], &format!("{rows} 0 components")),
        ("minus.fvecs", vec![255; 40], &format!("{rows} -1 components")),
        (
            "huge.fvecs",
            [&[0, 0, 0, 0x80], &whole[4..]].concat(),
            &format!("{rows} -2147483648 components"),
        ),
        (
            "large.fvecs",
            [&[1, 0, 1, 0], &whole[4..]].concat(),
            &format!("{rows} 65537 components; 1 to 65536 are"),
        ),
        ("unequal.fvecs", unequal, "row 3 says that it has 4 components, the first row has 5"),
        ("nan.fvecs", fvecs(&nan), "row 7: component 2 of the vector is inf"),
        (
            "npy.fvecs",
            npy("'<f4'", "False", "(10, 5)", &numbers),
            "components; 1 to 65536 are possible",
        ),
        ("empty.npy", vec![], "does not begin like a file of numpy"),
        ("fvecs.npy", whole.clone(), "does not begin like a file of numpy"),
        ("version3.npy", version_3, "version 3.0 of numpy's format; 1.0 and 2.0"),
        ("header.npy", long_header, "header is said to be 4294967295 bytes long; at most 65536"),
        ("short.npy", short_header, "cut off: 17 of the 80 bytes of its header"),
        (
            "words.npy",
            npy("'<f4'", "Maybe", "(10, 5)", &numbers),
            "header cannot be understood: \"{'descr'",
        ),
        ("big.npy", npy("'>f4'", "False", "(10, 5)", &numbers), "its numbers are '>f4'"),
        ("half.npy", npy("'<f2'", "False", "(10, 5)", &numbers), "its numbers are '<f2'"),
        ("fortran.npy", npy("'<f4'", "True", "(10, 5)", &numbers), "Fortran order"),
        ("flat.npy", npy("'<f4'", "False", "(50,)", &numbers), "its shape is (50); it must be"),
        ("cube.npy", npy("'<f4'", "False", "(2, 5, 5)", &numbers), "its shape is (2, 5, 5)"),
        (
            "wide.npy",
            npy("'<f4'", "False", "(10, 9223372036854775808)", &numbers),
            "have 9223372036854775808 components; 1 to",
        ),
        (
            "many.npy",
            npy("'<f4'", "False", "(18446744073709551615, 5)", &numbers),
            "cut off: row 10 has 0 of its 20 bytes",
        ),
        (
            "cut.npy",
            npy("'<f8'", "False", "(10, 5)", &numbers),
            "cut off: row 5 has 0 of its 40 bytes",
        ),
        ("more.npy", npy("'<f4'", "False", "(9, 5)", &numbers), "goes on after the 9 rows"),
    ];
    for (name, bytes, complaint) in files {
        folder.write(name, &bytes);
        let error = folder.refused(&format!("import {name} store"));
        assert!(error.contains(complaint) && error.contains(name), "{name}: {error}");
        // None of them has put anything into the store, if they came as far as to create it.
        assert!(!error.contains("rows were written"), "{error}");
        if folder.path("store").exists() {
            assert!(error.ends_with("; nothing was written\n"), "{error}");
            assert!(Reader::open(folder.path("store")).unwrap().is_empty());
            fs::remove_dir_all(folder.path("store")).unwrap();
        }
    }
    assert!(folder.refused("import missing.npy store").contains("cannot open missing.npy: "));
    assert!(folder.refused("import in.bin store").contains("ends with .fvecs or .npy"));

    folder.write("in.fvecs", &whole);
    folder.vecstore("import in.fvecs store");
    let error = folder.refused("import in.fvecs store --metric inner-product");
    let cosine = "store has the metric cosine and rows of f32, not the metric";
    assert!(error.contains(&format!("{cosine} inner product and rows of f32")), "{error}");
    let error = folder.refused("import in.fvecs store --rows f16");
    assert!(error.contains(&format!("{cosine} cosine and rows of f16")), "{error}");
    folder.write("other.fvecs", &fvecs(&[vec![1.0; 6]]));
    let error = folder.refused("import other.fvecs store");
    assert!(
        error.contains("other.fvecs has vectors of 6 components, the store store of 5"),
        "{error}"
    );
    let error = folder.refused("import in.fvecs store --first-id 18446744073709551611");
    assert!(error.contains("row 5 gets no id"), "{error}");
    assert!(folder.refused("import in.fvecs in.fvecs").contains("in.fvecs"));
    assert_eq!(Reader::open(folder.path("store")).unwrap().len(), 10);
}
