//! `info`, `verify` and `checkpoint`.

use std::path::Path;

use vecstore::Store;

use crate::failure::Failure;
use crate::sight::Sight;

/// Prints what a store is and how large.
pub(crate) fn info(path: &Path) -> Result<(), Failure> {
    let sight = Sight::open(path)?;
    let (most, checkpoint) = (sight.most(), &sight.checkpoint);
    let config = most.config();
    println!("path              {}", path.display());
    println!("dimension         {}", config.dimension());
    println!("metric            {}", config.metric());
    println!("rows              {}", config.rows());
    println!("M                 {}", config.m());
    println!("efConstruction    {}", config.ef_construction());
    println!("vectors           {}", most.len());
    println!("last change       {}", most.last_change());
    match checkpoint.segment() {
        None => println!("segment           none before the first checkpoint"),
        Some(segment) => {
            let (bytes, vectors) = (segment.len(), checkpoint.len());
            println!("segment           {bytes} bytes, {vectors} vectors");
            if vectors > 0 {
                println!("bytes per vector  {:.1}", bytes as f64 / vectors as f64);
            }
        }
    }
    match sight.whole {
        Ok(_) => {
            println!("tail              {} changes", most.last_change() - checkpoint.last_change())
        }
        Err(why) => println!("tail              {why}"),
    }
    Ok(())
}

/// Checks a store or a segment, and prints what was checked.
pub(crate) fn verify(path: &Path) -> Result<(), Failure> {
    let sight = Sight::open(path)?;
    let most = sight.most();
    let found = most.verify()?;
    let tail = match &sight.whole {
        // Opening the store has read all of its tail, and compared the checksum of each change.
        Ok(_) => {
            let changes = most.last_change() - sight.checkpoint.last_change();
            format!("{changes} changes; {} vectors in all", most.len())
        }
        Err(why) => (*why).to_owned(),
    };
    println!(
        "a segment of {} vectors, {} links, {} unreachable, {} tags with a graph; tail: {tail}",
        found.vectors, found.links, found.unreachable, found.tag_graphs
    );
    Ok(())
}

/// Merges the tail of a store into its segment.
pub(crate) fn checkpoint(path: &Path) -> Result<(), Failure> {
    let store = Store::open(path)?;
    store.checkpoint()?;
    println!("{} vectors, up to change {}", store.len(), store.snapshot().last_change());
    Ok(())
}
