//! `embed import`

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use embed::Pipeline;
use embed::import::{self, ImportError, Report, Sources};

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
    /// CelebA, as published: `img_align_celeba` and `identity_CelebA.txt`.
    Celeba {
        /// Directory of the images.
        #[arg(long)]
        images: PathBuf,
        /// The list with a file and the number of a person in each line.
        #[arg(long)]
        identities: PathBuf,
        /// A list with the number of a person, a space and a name in each line.
        #[arg(long)]
        names: Option<PathBuf>,
        #[command(flatten)]
        into: Target,
    },
    /// Labeled Faces in the Wild, as published: Ada_Lovelace/Ada_Lovelace_0001.jpg.
    Lfw {
        /// The directory with a folder per person.
        root: PathBuf,
        #[command(flatten)]
        into: Target,
    },
    /// MS-Celeb-1M, as published: a TSV file with the photos in base64.
    Msceleb {
        /// The file; `-` is standard input.
        list: PathBuf,
        /// The list with a MID and a name in each line, as published.
        #[arg(long)]
        names: Option<PathBuf>,
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
    pub(crate) fn sources(&self) -> Result<Sources, ImportError> {
        match self {
            Self::Folder { root, .. } => import::folder(root),
            Self::Csv { list, images, .. } => import::csv(list, images),
            Self::Celeba { images, identities, names, .. } => {
                import::celeba(images, identities, names.as_deref())
            }
            Self::Lfw { root, .. } => import::lfw(root),
            Self::Msceleb { list, names, .. } => import::msceleb(list, names.as_deref()),
        }
    }

    fn store(&self) -> &Path {
        match self {
            Self::Folder { into, .. }
            | Self::Csv { into, .. }
            | Self::Celeba { into, .. }
            | Self::Lfw { into, .. }
            | Self::Msceleb { into, .. } => &into.store,
        }
    }

    pub(crate) fn run(&self, sources: Sources, pipeline: &Pipeline) -> Result<(), Failure> {
        let mut progress = Progress::new("photos");
        let report = import::import(pipeline, sources, self.store(), |so_far| {
            progress.show(so_far.done, so_far.share);
        })?;
        progress.finish();
        print(&report, self.store());
        Ok(())
    }
}

fn print(report: &Report, store: &Path) {
    for (reason, count) in &report.reasons {
        println!("skipped {count}: {reason}");
    }
    for duplicate in &report.duplicates {
        println!("same photo: {} and {}", duplicate.one.name, duplicate.other.name);
    }
    println!(
        "added {}, unchanged {}, skipped {} (listed in {}), duplicates {}",
        report.added,
        report.unchanged,
        report.skipped,
        store.join("skipped.csv").display(),
        report.duplicates.len()
    );
}
