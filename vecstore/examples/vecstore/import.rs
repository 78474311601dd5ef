//! `import`.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};
use vecstore::{Config, Error, Metric, Record, RowFormat, Store};

use crate::failure::Failure;
use crate::files::{Format, Rows};

/// Put the rows of a file into a store, which is created where there is none.
///
/// The file is .fvecs (TEXMEX) or .npy (format versions 1.0 and 2.0; a table of little-endian f4, or
/// of f8, which are rounded to f4). Row i, counted from 0, gets the id FIRST_ID + i and replaces what
/// the store has under it, so an import that ended early can be run again.
#[derive(Args)]
pub(crate) struct Import {
    /// The .fvecs or .npy file.
    file: PathBuf,
    /// The store's directory.
    store: PathBuf,
    /// How vectors are compared: of a new store, cosine if nothing is said; that of one which exists
    /// must be the same.
    #[arg(long)]
    metric: Option<MetricName>,
    /// How components are kept, likewise; f32 if nothing is said.
    #[arg(long)]
    rows: Option<RowsName>,
    /// The id of the first row.
    #[arg(long, default_value_t = 0)]
    first_id: u64,
    /// So many MiB of vectors are kept in memory; a larger file is written in several steps, each of
    /// which writes the whole store anew.
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    memory: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum MetricName {
    Cosine,
    InnerProduct,
    SquaredEuclidean,
}

impl From<MetricName> for Metric {
    fn from(name: MetricName) -> Self {
        match name {
            MetricName::Cosine => Self::Cosine,
            MetricName::InnerProduct => Self::InnerProduct,
            MetricName::SquaredEuclidean => Self::SquaredEuclidean,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum RowsName {
    F32,
    F16,
}

impl From<RowsName> for RowFormat {
    fn from(name: RowsName) -> Self {
        match name {
            RowsName::F32 => Self::F32,
            RowsName::F16 => Self::F16,
        }
    }
}

impl Import {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let format = Format::of(&self.file)?;
        let file = File::open(&self.file).map_err(Failure::io("open", &self.file))?;
        let rows = format.read(BufReader::new(file)).map_err(Failure::file(&self.file))?;
        let store = self.open_store(rows.dimension)?;
        let (begin, mut written) = (Instant::now(), 0);
        let result = self.load(rows, &store, &mut written);
        let written = match written {
            0 => "nothing was written".to_owned(),
            rows => format!(
                "{rows} rows were written, ids {} to {}",
                self.first_id,
                self.first_id + (rows - 1)
            ),
        };
        result
            .map_err(|cause| Failure::Import { cause: cause.into(), written: written.clone() })?;
        let (held, seconds) = (store.len(), begin.elapsed().as_secs_f64());
        println!("{written}, in {seconds:.1} s; the store holds {held} vectors");
        Ok(())
    }

    fn open_store(&self, dimension: usize) -> Result<Store, Failure> {
        let path = || self.store.clone();
        let metric = self.metric.map(Metric::from);
        let format = self.rows.map(RowFormat::from);
        let store = match Store::open(&self.store) {
            Err(Error::NotAStore { .. }) => {
                let config = Config::new(dimension, metric.unwrap_or(Metric::Cosine));
                Store::create(&self.store, config.with_rows(format.unwrap_or_default()))?
            }
            store => store?,
        };
        let config = *store.config();
        let expected = config.dimension();
        if dimension != expected {
            let file = self.file.clone();
            return Err(Failure::OtherDimension { file, got: dimension, store: path(), expected });
        }
        let metric = metric.unwrap_or(config.metric());
        let format = format.unwrap_or(config.rows());
        if (metric, format) != (config.metric(), config.rows()) {
            let said = |metric, rows| format!("the metric {metric} and rows of {rows}");
            let (expected, got) = (said(config.metric(), config.rows()), said(metric, format));
            return Err(Failure::OtherConfig { store: path(), expected, got });
        }
        Ok(store)
    }

    /// Loads all rows, and counts in `written` those that are in the store.
    fn load(&self, rows: Rows, store: &Store, written: &mut u64) -> Result<(), Failure> {
        let in_memory = ((self.memory << 20) / (4 * rows.dimension as u64)).max(1);
        let (mut load, mut waiting) = (store.bulk_load(), 0);
        for row in rows.rows {
            let vector = row.map_err(Failure::file(&self.file))?;
            let row = *written + waiting;
            let refused = |source| Failure::Row { path: self.file.clone(), row, source };
            let id = self.first_id.checked_add(row).ok_or(Failure::NoMoreIds { row })?;
            load.add(&Record::new(id, vector)).map_err(refused)?;
            waiting += 1;
            if waiting == in_memory {
                std::mem::replace(&mut load, store.bulk_load()).commit()?;
                *written += std::mem::take(&mut waiting);
            }
        }
        load.commit()?;
        *written += waiting;
        Ok(())
    }
}
