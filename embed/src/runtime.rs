//! ONNX Runtime, loaded from an explicit path, and networks that many threads run at once.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use image::{Rgb, RgbImage};
use ort::environment::Environment;
use ort::session::Session;
use ort::value::{Outlet, TensorRef};

use crate::assets::Assets;
use crate::digest::sha256_hex;
use crate::model::{InputFormat, NetworkModel};
use crate::pipeline::PipelineError;
use crate::tensor::Tensor;
use crate::weights;

/// The process's one ONNX Runtime.
///
/// This is global because `ort` allows one environment in the life of a process:
/// the first library that loads serves every later pipeline.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

fn environment(assets: &Assets) -> Result<Environment, PipelineError> {
    let mut shared = lock(&ENVIRONMENT);
    if let Some(environment) = shared.as_ref() {
        return Ok(environment.clone());
    }
    let path = existing(assets.runtime_library(), "run `make assets`")?;
    let failed = |error: &dyn Display| PipelineError::Runtime {
        path: path.clone(),
        detail: error.to_string(),
    };
    // A relative path would be looked for beside the executable.
    let absolute = std::path::absolute(&path).map_err(|error| failed(&error))?;
    let builder = ort::init_from(absolute).map_err(|error| failed(&error))?;
    let environment = builder.with_telemetry(false).build().map_err(|error| failed(&error))?;
    Ok(shared.insert(environment).clone())
}

/// A network, and as many sessions of it as threads have needed at once.
///
/// A session runs one input at a time, on its caller's thread. Sessions are made
/// when needed, up to one per processor; callers beyond that wait.
pub(crate) struct Network {
    file: PathBuf,
    sha256: String,
    bytes: Vec<u8>,
    environment: Environment,
    pool: Mutex<Pool>,
    returned: Condvar,
}

struct Pool {
    idle: Vec<Session>,
    may_still_open: usize,
}

impl Network {
    /// Reads the file, holds it against its hash and opens the first session.
    pub(crate) fn load(assets: &Assets, model: &NetworkModel) -> Result<Self, PipelineError> {
        let file = existing(assets.file(&model.file), &model.obtain)?;
        let mut bytes = std::fs::read(&file)
            .map_err(|source| PipelineError::Read { path: file.clone(), source })?;
        let sha256 = sha256_hex(&bytes);
        if let Some(expected) = model.sha256.clone().filter(|expected| *expected != sha256) {
            let obtain = model.obtain.clone();
            return Err(PipelineError::WrongFile { path: file, expected, found: sha256, obtain });
        }
        weights::zero_negligible(&mut bytes);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let network = Self {
            file,
            sha256,
            bytes,
            environment: environment(assets)?,
            pool: Mutex::new(Pool { idle: Vec::new(), may_still_open: processors }),
            returned: Condvar::new(),
        };
        network.expect_input(&model.input)?;
        Ok(network)
    }

    /// The file that it was read from.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// SHA-256 of the file, in lowercase hex.
    pub(crate) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Refuses a network whose first input is not an image of this format.
    fn expect_input(&self, format: &InputFormat) -> Result<(), PipelineError> {
        let expected = Tensor::shape_of(format).map(|length| length as i64);
        let session = self.take()?;
        let found = session.inputs().first().map(shape).unwrap_or_default();
        self.give_back(session);
        let fits = found.len() == expected.len()
            && found.iter().zip(expected).all(|(&found, expected)| may_be(found, expected));
        if fits {
            return Ok(());
        }
        let expected = format!("{expected:?}");
        Err(self.wrong_shape("input".to_owned(), expected, format!("{found:?}")))
    }

    /// The name of the output whose last axis has this length: the one called `name`, or
    /// else the only one.
    pub(crate) fn output(
        &self,
        name: Option<&str>,
        length: usize,
    ) -> Result<String, PipelineError> {
        let session = self.take()?;
        let outputs: Vec<(String, Vec<i64>)> =
            session.outputs().iter().map(|one| (one.name().to_owned(), shape(one))).collect();
        self.give_back(session);
        let chosen = match name {
            Some(name) => outputs.iter().find(|(found, _)| found == name),
            None => outputs.first().filter(|_| outputs.len() == 1),
        };
        let Some((name, found)) = chosen else {
            let names: Vec<&str> = outputs.iter().map(|(name, _)| name.as_str()).collect();
            let names = names.join(", ");
            let detail = match name {
                Some(name) => format!("it has no output `{name}`; it has: {names}"),
                None => format!("models.json must say which `output` to take of: {names}"),
            };
            return Err(self.failed(&detail));
        };
        if found.last().is_some_and(|&last| may_be(last, length as i64)) {
            return Ok(name.clone());
        }
        let expected = format!("[1, .., {length}]");
        Err(self.wrong_shape(format!("output `{name}`"), expected, format!("{found:?}")))
    }

    fn wrong_shape(&self, what: String, expected: String, found: String) -> PipelineError {
        PipelineError::WrongShape { path: self.file.clone(), what, expected, found }
    }

    /// Runs the network; gives the named outputs, flattened in row-major order.
    pub(crate) fn run<const N: usize>(
        &self,
        input: &Tensor,
        outputs: [&str; N],
    ) -> Result<[Vec<f32>; N], PipelineError> {
        let mut session = self.take()?;
        let result = self.run_session(&mut session, input, outputs);
        self.give_back(session);
        result
    }

    /// Runs the network some times on noise, over which it takes as long as over a photo (a
    /// plain image would be faster); how long that took.
    pub(crate) fn run_on_noise(
        &self,
        format: &InputFormat,
        times: usize,
    ) -> Result<Duration, PipelineError> {
        let noise = RgbImage::from_fn(format.width, format.height, |x, y| {
            let mixed = (x + y * format.width).wrapping_mul(0x9E37_79B9).to_be_bytes();
            Rgb([mixed[0], mixed[1], mixed[2]])
        });
        let input = Tensor::from_image(&noise, format);
        let start = Instant::now();
        for _ in 0..times {
            let [] = self.run(&input, [])?;
        }
        Ok(start.elapsed())
    }

    /// An error of this network.
    pub(crate) fn failed(&self, detail: &dyn Display) -> PipelineError {
        PipelineError::Network { path: self.file.clone(), detail: detail.to_string() }
    }

    fn run_session<const N: usize>(
        &self,
        session: &mut Session,
        input: &Tensor,
        outputs: [&str; N],
    ) -> Result<[Vec<f32>; N], PipelineError> {
        let input = TensorRef::from_array_view((input.shape, input.values.as_slice()))
            .map_err(|error| self.failed(&error))?;
        let found = session.run(ort::inputs![input]).map_err(|error| self.failed(&error))?;
        let mut values = [const { Vec::new() }; N];
        for (values, name) in values.iter_mut().zip(outputs) {
            let tensor = found
                .get(name)
                .ok_or_else(|| self.failed(&format!("it has no output `{name}`")))?;
            let (_, data) =
                tensor.try_extract_tensor::<f32>().map_err(|error| self.failed(&error))?;
            values.extend_from_slice(data);
        }
        Ok(values)
    }

    /// An idle session, or a new one, or the next that is given back.
    fn take(&self) -> Result<Session, PipelineError> {
        let mut pool = lock(&self.pool);
        loop {
            if let Some(session) = pool.idle.pop() {
                return Ok(session);
            }
            if pool.may_still_open > 0 {
                break;
            }
            pool = self.returned.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
        pool.may_still_open -= 1;
        drop(pool);
        self.open().inspect_err(|_| {
            lock(&self.pool).may_still_open += 1;
            self.returned.notify_one();
        })
    }

    fn give_back(&self, session: Session) {
        lock(&self.pool).idle.push(session);
        self.returned.notify_one();
    }

    fn open(&self) -> Result<Session, PipelineError> {
        let builder = Session::builder(&self.environment).map_err(|error| self.failed(&error))?;
        builder
            .with_intra_threads(1)
            .map_err(|error| self.failed(&error))?
            .commit_from_memory(&self.bytes)
            .map_err(|error| self.failed(&error))
    }
}

/// The lengths of a tensor's axes, -1 where any length will do; of what is no tensor, none.
fn shape(outlet: &Outlet) -> Vec<i64> {
    outlet.dtype().tensor_shape().map(|shape| shape.to_vec()).unwrap_or_default()
}

/// Whether an axis that is declared with this length can have that one.
fn may_be(declared: i64, length: i64) -> bool {
    declared < 0 || declared == length
}

/// The path, or what to do about a file that is not there.
fn existing(path: PathBuf, obtain: &str) -> Result<PathBuf, PipelineError> {
    if path.is_file() {
        return Ok(path);
    }
    Err(PipelineError::MissingFile { path, obtain: obtain.to_owned() })
}

/// What the lock guards is whole between any two statements, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
