//! `embed import`

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use embed::Pipeline;
use embed::import::{self, ImportError, Report, Source};

use crate::Failure;
use crate::progress::Progress;

#[derive(Subcommand)]
pub(crate) enum Import {
    /// A folder per person, or files named First_Last.jpg.
    Folder {
        /// The directory with the folders or files.
        root: PathBuf,
        #[command(flatten)]
        into: Target,
    },
    /// A list of people with the columns `file` and `name`; other columns are kept.
    Csv {
        /// The list.
        list: PathBuf,
        /// Directory that the column `file` starts from.
        #[arg(long)]
        images: PathBuf,
        #[command(flatten)]
        into: Target,
    },
}

#[derive(Args)]
pub(crate) struct Target {
    /// The gallery's directory; made if there is none.
    #[arg(long)]
    store: PathBuf,
}

impl Import {
    /// The photos to import. Does not need the networks, so a wrong path shows at once.
    pub(crate) fn sources(&self) -> Result<Vec<Source>, ImportError> {
        match self {
            Self::Folder { root, .. } => import::folder(root),
            Self::Csv { list, images, .. } => import::csv(list, images),
        }
    }

    fn store(&self) -> &Path {
        match self {
            Self::Folder { into, .. } | Self::Csv { into, .. } => &into.store,
        }
    }

    pub(crate) fn run(&self, sources: &[Source], pipeline: &Pipeline) -> Result<(), Failure> {
        let mut progress = Progress::new("photos");
        let report = import::import(pipeline, sources, self.store(), |done, all| {
            progress.show(done, all);
        })?;
        progress.finish();
        print(&report, self.store());
        Ok(())
    }
}

fn print(report: &Report, store: &Path) {
    for skipped in &report.skipped {
        println!("skipped {}: {}", skipped.file, skipped.reason);
    }
    for duplicate in &report.duplicates {
        println!("same photo: {} and {}", duplicate.one.name, duplicate.other.name);
    }
    println!(
        "added {}, unchanged {}, skipped {} (listed in {}), duplicates {}",
        report.added,
        report.unchanged,
        report.skipped.len(),
        store.join("skipped.csv").display(),
        report.duplicates.len()
    );
}
