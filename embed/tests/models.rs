//! Networks described by one's own `models.json`: each kind of input against values computed
//! elsewhere, and what does not fit its description.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::os::unix::fs::symlink;

use embed::{Assets, DecodeLimits, Face, Gallery, Photo, Pipeline, PipelineError, Rect};
use image::{Rgb, RgbImage};
use serde_json::{Value, json};

use common::{assets, pipeline};

/// A network that gives its input back, flattened, as an ONNX file.
///
/// `ModelProto`, `GraphProto`, `NodeProto` and `ValueInfoProto` of `onnx.proto`, by hand.
fn echo(shape: [u64; 4]) -> Vec<u8> {
    let floats = |name: &str, lengths: &[u64]| {
        let lengths: Vec<u8> =
            lengths.iter().flat_map(|&length| message(1, &number(1, length))).collect();
        let tensor = [number(1, 1), message(2, &lengths)].concat();
        [message(1, name.as_bytes()), message(2, &message(1, &tensor))].concat()
    };
    let node = [message(1, b"image"), message(2, b"values"), message(4, b"Flatten")].concat();
    let all = shape.iter().product();
    let graph = [
        message(1, &node),
        message(2, b"echo"),
        message(11, &floats("image", &shape)),
        message(12, &floats("values", &[1, all])),
    ];
    [number(1, 8), message(8, &number(2, 13)), message(7, &graph.concat())].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn message(field: u64, content: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

/// The real assets, and an embedding network called `echo` with an entry of one's own.
struct Own {
    root: tempfile::TempDir,
}

impl Own {
    fn new(network: &[u8], embedding: &Value) -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("models")).unwrap();
        for file in fs::read_dir(assets().join("models")).unwrap() {
            let file = file.unwrap();
            symlink(file.path(), root.path().join("models").join(file.file_name())).unwrap();
        }
        symlink(assets().join("onnxruntime"), root.path().join("onnxruntime")).unwrap();
        fs::write(root.path().join("models/echo.onnx"), network).unwrap();
        let entry = json!({
            "embeddings": { "echo": embedding },
            "pipelines": { "echo": {
                "detector": "fr_detect", "landmarks": "fr_landmark", "embedding": "echo"
            } }
        });
        fs::write(root.path().join("models.json"), entry.to_string()).unwrap();
        Self { root }
    }

    fn load(&self) -> Result<Pipeline, PipelineError> {
        Pipeline::load(&Assets::new(self.root.path()), "echo")
    }

    fn error(&self) -> String {
        self.load().err().expect("this must not load").to_string()
    }
}

fn entry(input: &Value, dimension: u64) -> Value {
    json!({
        "network": {
            "file": "models/echo.onnx", "licence": "none", "source": "this test",
            "obtain": "write it", "input": input
        },
        "dimension": dimension,
        "crop": { "box": { "margin": 0.0 } }
    })
}

/// The face that fills this box.
fn face_in(pipeline: &Pipeline, photo: &Photo, bounds: [f32; 4]) -> Face {
    let [x, y, width, height] = bounds;
    pipeline.face_in(photo, Rect { x, y, width, height }).unwrap()
}

/// The numbers are numpy's, of `x` scaled to length one, where `x` is the photo
/// `y, x, c = numpy.mgrid[0:2, 0:3, 0:3]; photo = 40.0 * x + 90 * y + 7 * c + 5` as the case
/// says: `bgr` is `photo[:, :, ::-1]`, `grey` is `photo @ [.299, .587, .114]`, `nchw` is
/// `.transpose(2, 0, 1)`, values are `(photo - mean) * scale` or `(photo - photo.mean()) /
/// photo.std()`. Given are the first three and the last two.
#[test]
fn every_kind_of_input_is_what_numpy_computes() {
    let fixed = |mean: f64, scale: f64| json!({ "fixed": { "mean": mean, "scale": scale } });
    let per_image = json!("per_image");
    let photo =
        RgbImage::from_fn(3, 2, |x, y| Rgb([0, 7, 14].map(|c| (40 * x + 90 * y + c + 5) as u8)));
    let photo = Photo::from_pixels(photo);
    for (layout, colour, values, expected) in [
        (
            "nchw",
            "rgb",
            fixed(127.5, 1.0 / 127.5),
            [-0.453_447, -0.305_383, -0.157_318, 0.079_585, 0.227_649],
        ),
        (
            "nchw",
            "bgr",
            fixed(127.0, 1.0 / 128.0),
            [-0.401_274, -0.252_654, -0.104_034, 0.029_724, 0.178_344],
        ),
        (
            "nhwc",
            "rgb",
            fixed(127.5, 1.0 / 128.0),
            [-0.453_447, -0.427_536, -0.401_625, 0.201_738, 0.227_649],
        ),
        ("nhwc", "bgr", fixed(0.0, 1.0), [0.040_002, 0.025_265, 0.010_527, 0.383_179, 0.368_441]),
        (
            "nchw",
            "grey",
            fixed(0.0, 1.0 / 256.0),
            [0.039_484, 0.187_020, 0.334_555, 0.518_975, 0.666_510],
        ),
        (
            "nhwc",
            "rgb",
            per_image.clone(),
            [-0.387_947, -0.358_430, -0.328_912, 0.358_430, 0.387_947],
        ),
        ("nchw", "bgr", per_image, [-0.328_912, -0.160_239, 0.008_434, 0.160_239, 0.328_912]),
    ] {
        let channels = if colour == "grey" { 1 } else { 3 };
        let shape = if layout == "nchw" { [1, channels, 2, 3] } else { [1, 2, 3, channels] };
        let input = json!({
            "width": 3, "height": 2, "layout": layout, "colour": colour, "values": values
        });
        let own = Own::new(&echo(shape), &entry(&input, 6 * channels));
        let pipeline = own.load().unwrap();
        let face = face_in(&pipeline, &photo, [0.0, 0.0, 3.0, 2.0]);
        let given = pipeline.embed(&photo, &face).unwrap().into_vec();
        let end = given.len() - 1;
        let found = [given[0], given[1], given[2], given[end - 1], given[end]];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 2e-6, "{layout} {colour}: {found} {expected}");
        }
    }
}

/// `v = photo + photo[:, ::-1]; v.ravel() / norm(v)` of the photo above.
#[test]
fn a_mirrored_embedding_is_the_mean_of_both_images() {
    let input = json!({
        "width": 3, "height": 2, "layout": "nhwc", "colour": "rgb",
        "values": { "fixed": { "mean": 0.0, "scale": 1.0 } }
    });
    let mut mirrored = entry(&input, 18);
    mirrored["mirrored"] = json!(true);
    let own = Own::new(&echo([1, 2, 3, 3]), &mirrored);
    let pipeline = own.load().unwrap();
    let photo =
        RgbImage::from_fn(3, 2, |x, y| Rgb([0, 7, 14].map(|c| (40 * x + 90 * y + c + 5) as u8)));
    let photo = Photo::from_pixels(photo);
    let face = face_in(&pipeline, &photo, [0.0, 0.0, 3.0, 2.0]);
    let given = pipeline.embed(&photo, &face).unwrap().into_vec();
    for (at, expected) in
        [(0, 0.099_050_7), (1, 0.114_458_6), (8, 0.129_866_5), (9, 0.297_152_2), (17, 0.327_968)]
    {
        assert!((given[at] - expected).abs() < 2e-6, "{at}: {} {expected}", given[at]);
    }
}

/// As FaceNet's authors prepare a face: the box with a margin, 160x160 pixels of it,
/// standardised for themselves. The numbers are numpy's: `y, x, c = mgrid[0:200, 0:200, 0:3];
/// cut = ((x + 2 * y + 30 * c) % 256)[36:196, 36:196]; v = (cut - cut.mean()) / cut.std();
/// v.ravel() / norm(v)`.
#[test]
fn facenets_crop_is_what_numpy_computes() {
    let input = json!({
        "width": 160, "height": 160, "layout": "nhwc", "colour": "rgb", "values": "per_image"
    });
    let mut facenet = entry(&input, 3 * 160 * 160);
    facenet["crop"] = json!({ "box": { "margin": 0.25 } });
    let own = Own::new(&echo([1, 160, 160, 3]), &facenet);
    let pipeline = own.load().unwrap();
    let photo =
        RgbImage::from_fn(200, 200, |x, y| Rgb([0, 30, 60].map(|c| ((x + 2 * y + c) % 256) as u8)));
    let photo = Photo::from_pixels(photo);
    let face = face_in(&pipeline, &photo, [52.0, 52.0, 128.0, 128.0]);
    let given = pipeline.embed(&photo, &face).unwrap().into_vec();
    for (at, expected) in [
        (0, -0.000_955_13),
        (1, 0.000_453_616),
        (2, 0.001_862_36),
        (3, -0.000_908_172),
        (479, -0.002_692_58),
        (480, -0.000_861_213),
        (38_400, -0.005_463_12),
        (76_799, 0.000_218_825),
    ] {
        assert!((given[at] - expected).abs() < 1e-7, "{at}: {} {expected}", given[at]);
    }
    let outside = face_in(&pipeline, &photo, [900.0, 900.0, 50.0, 50.0]);
    assert!(matches!(pipeline.embed(&photo, &outside), Err(PipelineError::NoSuchFace)));
}

#[test]
fn what_does_not_fit_its_entry_is_refused_and_named() {
    let input = |width: u32, layout: &str| {
        json!({
            "width": width, "height": 2, "layout": layout, "colour": "rgb", "values": "per_image"
        })
    };
    let network = echo([1, 3, 2, 3]);
    let error = Own::new(&network, &entry(&input(4, "nchw"), 18)).error();
    assert!(error.contains("the input of ") && error.contains("echo.onnx"), "{error}");
    assert!(error.contains("[1, 3, 2, 3], not [1, 3, 2, 4]"), "{error}");
    let error = Own::new(&network, &entry(&input(3, "nhwc"), 18)).error();
    assert!(error.contains("[1, 3, 2, 3], not [1, 2, 3, 3]"), "{error}");
    let error = Own::new(&network, &entry(&input(3, "nchw"), 512)).error();
    assert!(error.contains("output `values`"), "{error}");
    assert!(error.contains("[1, 18], not [1, .., 512]"), "{error}");

    let mut named = entry(&input(3, "nchw"), 18);
    named["output"] = json!("fc1");
    let error = Own::new(&network, &named).error();
    assert!(error.contains("no output `fc1`; it has: values"), "{error}");

    let mut pinned = entry(&input(3, "nchw"), 18);
    pinned["network"]["sha256"] = json!("00");
    let error = Own::new(&network, &pinned).error();
    assert!(error.contains("is not the expected file (sha256 expected 00, found "), "{error}");
    assert!(error.ends_with("; write it"), "{error}");

    let fits = entry(&input(3, "nchw"), 18);
    let error = Own::new(&network[..network.len() / 2], &fits).error();
    assert!(error.contains("the network ") && error.contains("echo.onnx failed: "), "{error}");
    let error = Own::new(b"<html>not found</html>", &fits).error();
    assert!(error.contains("echo.onnx failed: "), "{error}");
    let own = Own::new(&network, &fits);
    fs::remove_file(own.root.path().join("models/echo.onnx")).unwrap();
    assert!(own.error().ends_with("echo.onnx is missing; write it"));
}

/// SFace, a network of others, with other inputs and another dimension.
#[test]
fn sface_tells_people_apart() {
    let sface = Pipeline::load(&Assets::new(assets()), "sface").unwrap();
    let embedding = |file: &str, shrink: u32| {
        let path = assets().join("gallery").join(file);
        let photo = Photo::open(&path, &DecodeLimits::default()).unwrap();
        let (width, height) = (photo.width() / shrink, photo.height() / shrink);
        let photo = Photo::from_pixels(image::imageops::thumbnail(photo.pixels(), width, height));
        sface.embed(&photo, &sface.detect(&photo).unwrap()[0]).unwrap()
    };
    let one = embedding("Bronny_James.png", 1);
    assert_eq!(one.as_slice().len(), 128);
    assert!(one.cosine(&embedding("Bronny_James.png", 2)) > 0.8);
    assert!(one.cosine(&embedding("AJ_Johnson.png", 1)) < 0.4);
}

#[test]
fn a_gallery_is_of_one_network_and_of_what_that_was_shown() {
    let photos = tempfile::tempdir().unwrap();
    let file = "Bronny_James.png";
    fs::copy(assets().join("gallery").join(file), photos.path().join(file)).unwrap();
    let sources = || embed::import::folder(photos.path()).unwrap();
    let store = tempfile::tempdir().unwrap();
    let input = |mean: f64| {
        json!({
            "width": 3, "height": 2, "layout": "nchw", "colour": "rgb",
            "values": { "fixed": { "mean": mean, "scale": 1.0 } }
        })
    };
    let own = Own::new(&echo([1, 3, 2, 3]), &entry(&input(127.5), 18));
    let made_with = own.load().unwrap();
    let report = embed::import::import(&made_with, sources(), store.path(), |_| ()).unwrap();
    assert_eq!(report.added, 1, "{report:?}");

    let error = Gallery::open(store.path(), &made_with).unwrap_err().to_string();
    assert!(error.contains("`echo` has no `similarity`"), "{error}");
    let curve = embed::SimilarityCurve { midpoint: 0.3, slope: 8.0 };
    assert!(made_with.store_similarity(curve).unwrap().ends_with("models/echo.similarity.json"));
    assert_eq!(Gallery::open(store.path(), &own.load().unwrap()).unwrap().len(), 1);

    let error = Gallery::open(store.path(), &pipeline()).unwrap_err().to_string();
    assert!(error.contains("was made with the model `echo, sha256 "), "{error}");
    let error = embed::import::import(&pipeline(), sources(), store.path(), |_| ()).unwrap_err();
    assert!(error.to_string().contains("not with `default, sha256 "), "{error}");

    let other = Own::new(&echo([1, 3, 2, 3]), &entry(&input(0.0), 18));
    let error = Gallery::open(store.path(), &other.load().unwrap()).unwrap_err().to_string();
    assert!(
        error.contains("the same network and another `input`, `crop` or `mirrored`"),
        "{error}"
    );
}
