//! A gallery out of a bucket: moto plays S3, and a proxy before it does what networks do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use common::gallery::demo;
use common::process::{Server, command, signal};
use tempfile::TempDir;

const LOOKALIKES: &str = "/api/lookalikes?k=3";

/// What is wrong with the network.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// Each answer with a segment breaks off after so many bytes.
    CutAfter(usize),
    /// No byte of a segment after so many comes, but the connection stays.
    StallAfter(usize),
    /// Every answer is that of S3 in another region.
    OtherRegion,
}

/// S3 on the loopback interface, with a gallery in it.
struct Bucket {
    moto: Child,
    port: u16,
    proxy: u16,
    fault: Arc<Mutex<Fault>>,
    /// Bytes that the proxy has passed on from S3.
    passed: Arc<AtomicU64>,
    /// Requests for segments.
    asked: Arc<AtomicUsize>,
    folder: TempDir,
}

impl Drop for Bucket {
    fn drop(&mut self) {
        let _ = self.moto.kill();
        let _ = self.moto.wait();
    }
}

impl Bucket {
    fn new(settings: &[(&str, &str)]) -> Self {
        let mut moto = Command::new(tool("moto_server"))
            .args(["-H", "127.0.0.1", "-p", "0"])
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let port = port_of(&mut moto);
        let (fault, passed, asked) =
            (Arc::new(Mutex::new(Fault::None)), Arc::default(), Arc::default());
        let proxy = proxy(port, Arc::clone(&fault), Arc::clone(&passed), Arc::clone(&asked));
        let folder = TempDir::new().unwrap();
        Self { moto, port, proxy, fault, passed, asked, folder }
    }

    /// With the bucket made and the demo gallery in it.
    fn with_gallery() -> Self {
        let bucket = Self::new(&[]);
        bucket.boto("s3.create_bucket(Bucket='faces')");
        bucket.publish(&demo().folder);
        bucket
    }

    fn publish(&self, gallery: &Path) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/publish");
        let mut publish = Command::new(tool("python"));
        publish.arg(script).arg(gallery).arg("s3://faces/a/gallery");
        assert!(self.environment(&mut publish, self.port).status().unwrap().success());
    }

    /// Does something to the bucket as its owner.
    fn boto(&self, what: &str) {
        let script = format!("import boto3; s3 = boto3.client('s3'); {what}");
        let mut python = Command::new(tool("python"));
        python.args(["-c", &script]);
        assert!(self.environment(&mut python, self.port).status().unwrap().success(), "{what}");
    }

    fn environment<'a>(&self, command: &'a mut Command, port: u16) -> &'a mut Command {
        command
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
            .env("AWS_REGION", "us-east-1")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "testing")
            .env("AWS_SECRET_ACCESS_KEY", "testing")
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// The service on the gallery in the bucket.
    fn command(&self) -> Command {
        let cache = self.cache();
        let settings: [(&str, &OsStr); 1] = [("CACHE_DIR", cache.as_os_str())];
        let mut command = command(Path::new("s3://faces/a/gallery"), &settings);
        self.environment(&mut command, self.proxy);
        command
    }

    fn start(&self) -> Server {
        Server::spawn(self.command())
    }

    /// What the service says that cannot start.
    fn refusal(&self, mut command: Command) -> String {
        let output = command.output().unwrap();
        assert!(!output.status.success(), "it started");
        String::from_utf8(output.stderr).unwrap()
    }

    fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    /// What is in the cache, but for locks.
    fn kept(&self) -> Vec<String> {
        let names = fs::read_dir(self.cache()).unwrap().map(|it| it.unwrap().file_name());
        let mut names: Vec<_> = names.map(|it| it.into_string().unwrap()).collect();
        names.retain(|name| !name.ends_with(".lock"));
        names.sort();
        names
    }
}

/// A program of `make tools`.
fn tool(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/python/bin").join(name);
    assert!(path.exists(), "{path:?} is missing; run `make tools`");
    path
}

/// The port that moto says it listens on; the rest of its log is thrown away.
fn port_of(moto: &mut Child) -> u16 {
    let mut log = BufReader::new(moto.stderr.take().unwrap());
    let mut line = String::new();
    let port = loop {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "moto_server ended");
        if let Some((_, port)) = line.split_once("Running on http://127.0.0.1:") {
            break port.trim().parse().unwrap();
        }
    };
    thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    port
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < Duration::from_secs(60), "it never happened: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Passes requests on to `to`, and answers back, with the fault of the moment.
fn proxy(
    to: u16,
    fault: Arc<Mutex<Fault>>,
    passed: Arc<AtomicU64>,
    asked: Arc<AtomicUsize>,
) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let (fault, passed, asked) =
                (Arc::clone(&fault), Arc::clone(&passed), Arc::clone(&asked));
            thread::spawn(move || pass_on(client, to, &fault, &passed, &asked));
        }
    });
    port
}

/// One request on one connection: `Connection: close` makes the next come on another.
fn pass_on(
    mut client: TcpStream,
    to: u16,
    fault: &Mutex<Fault>,
    passed: &AtomicU64,
    asked: &AtomicUsize,
) -> Option<()> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).ok()?;
        request.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    let segment = text.starts_with("GET") && text.lines().next()?.contains(".seg");
    asked.fetch_add(usize::from(segment), Ordering::SeqCst);
    let fault = *fault.lock().unwrap();
    if fault == Fault::OtherRegion {
        let body =
            "<Error><Code>PermanentRedirect</Code><Endpoint>faces.s3.eu-west-1</Endpoint></Error>";
        let head =
            "HTTP/1.1 301 Moved Permanently\r\nx-amz-bucket-region: eu-west-1\r\nConnection: close";
        write!(client, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).ok()?;
        return Some(());
    }
    let mut server = TcpStream::connect(("127.0.0.1", to)).ok()?;
    let request = text.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    server.write_all(request.as_bytes()).ok()?;
    let limit = match fault {
        Fault::CutAfter(bytes) | Fault::StallAfter(bytes) if segment => bytes,
        _ => usize::MAX,
    };
    let (mut sent, mut piece) = (0, [0; 4096]);
    loop {
        let read = server.read(&mut piece).ok()?;
        let rest = read.min(limit - sent);
        client.write_all(&piece[..rest]).ok()?;
        sent += rest;
        passed.fetch_add(rest as u64, Ordering::SeqCst);
        if read == 0 {
            return Some(());
        }
        if sent == limit {
            if matches!(fault, Fault::StallAfter(_)) {
                thread::sleep(Duration::from_secs(300));
            }
            return Some(());
        }
    }
}

/// Photos are answered, and with portraits.
fn check_answers(server: &Server) {
    let person = &demo().people[3];
    let reply = server.post(LOOKALIKES, person.media(), &person.photo());
    assert_eq!(reply.people()[0], person.id);
    let portrait = reply.json()["lookalikes"][0]["portrait"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        let reply = server.get(&portrait);
        assert_eq!(reply.status, 200);
        assert_eq!(reply.body, fs::read(demo().folder.join(&portrait[1..])).unwrap());
    }
    for missing in ["/portraits/0000.jpg", "/portraits/..%2fgallery.json", "/portraits/x/../y.jpg"]
    {
        assert_eq!(server.get(missing).status, 404, "{missing}");
    }
}

fn segment_size() -> u64 {
    let segments = demo().folder.join("vectors/segments");
    fs::read_dir(segments).unwrap().map(|it| it.unwrap().metadata().unwrap().len()).sum()
}

#[test]
fn a_gallery_in_a_bucket_is_downloaded_once() {
    let bucket = Bucket::with_gallery();
    let server = bucket.start();
    check_answers(&server);
    assert!(server.terminate().success());
    assert_eq!(bucket.asked.load(Ordering::SeqCst), 1);

    let server = bucket.start();
    check_answers(&server);
    assert_eq!(bucket.asked.load(Ordering::SeqCst), 1, "downloaded again");
    assert_eq!(bucket.kept().len(), 1);

    // Another version: the one that is in use stays until its process has ended.
    bucket.boto("s3.put_object(Bucket='faces', Key='a/gallery/gallery.json', Body=s3.get_object(Bucket='faces', Key='a/gallery/gallery.json')['Body'].read() + b' ')");
    let second = bucket.start();
    check_answers(&second);
    check_answers(&server);
    assert_eq!(bucket.kept().len(), 2);
    drop((server, second));
    let third = bucket.start();
    check_answers(&third);
    assert_eq!(bucket.kept().len(), 1, "{:?}", bucket.kept());
}

#[test]
fn a_download_that_breaks_off_goes_on() {
    let bucket = Bucket::with_gallery();
    bucket.set(Fault::CutAfter(20_000));
    let server = bucket.start();
    check_answers(&server);
    let (asked, size) = (bucket.asked.load(Ordering::SeqCst) as u64, segment_size());
    assert!(asked > size / 20_000, "{asked} requests for {size} bytes");
    assert!(bucket.passed.load(Ordering::SeqCst) < 2 * size, "what had come was sent again");
}

#[test]
fn a_killed_download_goes_on_in_the_next_process() {
    let bucket = Bucket::with_gallery();
    bucket.set(Fault::StallAfter(40_000));
    let mut process = bucket.command().stderr(Stdio::null()).spawn().unwrap();
    eventually("half of the segment came", || part_size(&bucket) > 30_000);
    signal(process.id(), "KILL");
    process.wait().unwrap();
    assert!(bucket.kept()[0].ends_with(".part"));

    bucket.set(Fault::None);
    let before = bucket.passed.load(Ordering::SeqCst);
    let server = bucket.start();
    let passed = bucket.passed.load(Ordering::SeqCst) - before;
    assert!(passed < segment_size(), "{passed} bytes: what had come was sent again");
    check_answers(&server);
    assert_eq!(bucket.kept().len(), 1);
    assert!(!bucket.kept()[0].ends_with(".part"));
}

fn part_size(bucket: &Bucket) -> u64 {
    let Ok(entries) = fs::read_dir(bucket.cache()) else { return 0 };
    let segments =
        entries.filter_map(|it| fs::read_dir(it.ok()?.path().join("vectors/segments")).ok());
    segments.flatten().map(|it| it.unwrap().metadata().unwrap().len()).sum()
}

#[test]
fn a_gallery_that_is_replaced_half_way_comes_whole() {
    let bucket = Bucket::with_gallery();
    // The first half of the segment comes, then nothing; meanwhile there is another segment.
    bucket.set(Fault::StallAfter(40_000));
    let mut process = bucket.command().spawn().unwrap();
    eventually("half of the segment came", || part_size(&bucket) > 30_000);
    let other = TempDir::new().unwrap();
    import_two(other.path());
    bucket.publish(other.path());
    bucket.set(Fault::None);
    // The stalled connection is given up after ten seconds; then the old version is not there any more.
    let port = common::process::listening_port(&mut process);
    let client = common::http::Client::new(port);
    let person = &demo().people[1];
    let people = client.post(LOOKALIKES, person.media(), &person.photo()).people();
    assert_eq!(people.len(), 2, "not the gallery of two: {people:?}");
    assert_eq!(bucket.kept().len(), 1, "{:?}", bucket.kept());
    process.kill().unwrap();
    process.wait().unwrap();
}

/// A gallery of two people.
fn import_two(folder: &Path) {
    let photos = embed::import::folder(&common::assets().join("gallery")).unwrap();
    let pipeline = embed::Pipeline::load(&embed::Assets::new(common::assets()), "default").unwrap();
    embed::import::import(&pipeline, Box::new(photos.take(2)), folder, |_| {}).unwrap();
}

#[test]
fn what_is_damaged_is_refused_and_not_kept() {
    let bucket = Bucket::with_gallery();
    let segment = "k = s3.list_objects_v2(Bucket='faces', Prefix='a/gallery/vectors/segments/')\
                   ['Contents'][0]['Key']; b = s3.get_object(Bucket='faces', Key=k)['Body'].read(); ";
    for damage in
        ["b[:len(b) // 2]", "b[:-1]", "b[:50000] + bytes([b[50000] ^ 1]) + b[50001:]", "b''"]
    {
        bucket.boto(&format!("{segment} s3.put_object(Bucket='faces', Key=k, Body={damage})"));
        let refusal = bucket.refusal(bucket.command());
        assert!(refusal.contains("s3://faces/a/gallery is damaged: "), "{damage}: {refusal}");
        assert!(refusal.contains("publish it again"), "{refusal}");
        assert_eq!(bucket.kept(), [] as [&str; 0]);
        bucket.publish(&demo().folder);
    }
    check_answers(&bucket.start());
}

#[test]
fn what_cannot_be_read_is_said_with_what_to_do() {
    let bucket = Bucket::with_gallery();
    let refused = |bucket: &Bucket, said: &[&str]| {
        let refusal = bucket.refusal(bucket.command());
        for words in said {
            assert!(refusal.contains(words), "{words:?} is not in: {refusal}");
        }
        assert_eq!(bucket.kept(), [] as [&str; 0]);
    };

    bucket.set(Fault::OtherRegion);
    refused(&bucket, &["cannot read s3://faces/a/gallery", "region", "AWS_REGION"]);
    bucket.set(Fault::None);
    bucket.boto("s3.delete_object(Bucket='faces', Key='a/gallery/vectors/MANIFEST')");
    refused(&bucket, &["vectors/MANIFEST is missing", "make publish"]);

    // From here on S3 asks for keys, and nobody has any.
    let strict = Bucket::new(&[("INITIAL_NO_AUTH_ACTION_COUNT", "0")]);
    refused(&strict, &["cannot read s3://faces/a/gallery", "403", "credentials"]);

    let mut wrong = bucket.command();
    wrong.env("STORE", "gs://faces/a");
    let refusal = bucket.refusal(wrong);
    assert!(refusal.contains("STORE=gs://faces/a is not an address"), "{refusal}");

    let mut nobody = bucket.command();
    nobody.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", free_port()));
    let refusal = bucket.refusal(nobody);
    assert!(refusal.contains("cannot read s3://faces/a/gallery"), "{refusal}");
    assert!(refusal.to_lowercase().contains("connect"), "{refusal}");
}
