//! `export`.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use vecstore::Snapshot;

use crate::failure::Failure;
use crate::files::{Format, write_ids};
use crate::sight::Sight;

/// Write all vectors of a store into a file, in ascending order of their ids.
///
/// A store with the cosine metric holds unit vectors, so these are what comes out. Files get their
/// name, and replace what had it, once they are complete.
#[derive(Args)]
pub(crate) struct Export {
    /// A store's directory, or a single segment file.
    path: PathBuf,
    /// The .fvecs (TEXMEX) or .npy (f4) file to write.
    file: PathBuf,
    /// Write the ids of the rows, too: an .npy file of u8, numpy's unsigned integers of 64 bits.
    #[arg(long, value_name = "FILE")]
    ids: Option<PathBuf>,
}

impl Export {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let format = Format::of(&self.file)?;
        if let Some(path) = &self.ids
            && !matches!(Format::of(path), Ok(Format::Npy))
        {
            return Err(Failure::IdsFormat { path: path.clone() });
        }
        let sight = Sight::open(&self.path)?;
        let snapshot = sight.most();
        let ids = ids_in_order(snapshot)?;
        if let Some(path) = &self.ids {
            replace(path, |output| write_ids(output, &ids).map_err(Failure::io("write", path)))?;
        }
        replace(&self.file, |output| {
            let failed = || Failure::io("write", &self.file);
            let dimension = snapshot.config().dimension();
            format.begin(output, ids.len(), dimension).map_err(failed())?;
            for &id in &ids {
                // In a snapshot each of its ids stays.
                if let Some(record) = snapshot.get(id)? {
                    format.write_row(output, record.vector()).map_err(failed())?;
                }
            }
            Ok(())
        })?;
        print!("{} vectors were written", ids.len());
        match sight.whole {
            Ok(_) => println!(),
            Err(why) => println!("; tail: {why}"),
        }
        Ok(())
    }
}

fn ids_in_order(snapshot: &Snapshot) -> Result<Vec<u64>, Failure> {
    let ids = snapshot.iter().map(|record| Ok(record?.id()));
    let mut ids = ids.collect::<Result<Vec<_>, Failure>>()?;
    ids.sort_unstable();
    Ok(ids)
}

/// Writes a file under a temporary name beside its place, and moves it there when it is complete.
fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    let file = File::create(&temporary).map_err(Failure::io("create", &temporary))?;
    let mut output = BufWriter::new(file);
    let written = write(&mut output).and_then(|()| {
        let synced = output.flush().and_then(|()| output.get_ref().sync_all());
        synced.and_then(|()| fs::rename(&temporary, path)).map_err(Failure::io("write", path))
    });
    if written.is_err() {
        // The failure that is reported is the one that matters.
        let _ = fs::remove_file(&temporary);
    }
    written
}
