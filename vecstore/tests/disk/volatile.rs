//! A file system in memory that knows what of it is on the disk, and what only in its cache.
//!
//! It promises as little as POSIX does: a sync of a file makes its contents and size durable, but not
//! its name; a sync of a directory makes the names in it durable. Of all else a power loss leaves
//! what chance wants, in any order.

use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::ops::AddAssign;

use fuser::Errno;
use rand::RngExt;
use rand::rngs::StdRng;

/// What a disk writes as a whole; even that may be torn.
const SECTOR: usize = 512;

const ROOT: u64 = 1;

type Result<T> = std::result::Result<T, Errno>;
type Names = BTreeMap<OsString, u64>;

pub(crate) struct Volatile {
    nodes: BTreeMap<u64, Node>,
    next: u64,
}

pub(crate) enum Node {
    File(Cached<Vec<u8>, Edit>),
    Directory(Cached<Names, Naming>),
}

impl Node {
    pub(crate) fn file() -> Self {
        Self::File(Cached::default())
    }

    pub(crate) fn directory() -> Self {
        Self::Directory(Cached::default())
    }
}

/// Something as programs see it, as it is on the disk, and the changes that lie between.
pub(crate) struct Cached<T, C> {
    pub(crate) now: T,
    durable: T,
    pending: Vec<C>,
}

/// A change of a file.
pub(crate) enum Edit {
    Write { offset: usize, bytes: Vec<u8> },
    Resize(usize),
}

/// A change of a directory.
pub(crate) enum Naming {
    Add(OsString, u64),
    Remove(OsString),
    Rename(OsString, OsString, u64),
}

/// What a power loss took.
#[derive(Default)]
pub(crate) struct Losses {
    pub(crate) sectors: usize,
    pub(crate) torn: usize,
    pub(crate) sizes: usize,
    pub(crate) creations: usize,
    pub(crate) renames: usize,
    pub(crate) removals: usize,
}

impl AddAssign for Losses {
    fn add_assign(&mut self, more: Self) {
        self.sectors += more.sectors;
        self.torn += more.torn;
        self.sizes += more.sizes;
        self.creations += more.creations;
        self.renames += more.renames;
        self.removals += more.removals;
    }
}

impl Volatile {
    pub(crate) fn new() -> Self {
        Self { nodes: BTreeMap::from([(ROOT, Node::directory())]), next: ROOT + 1 }
    }

    pub(crate) fn node(&self, number: u64) -> Result<&Node> {
        self.nodes.get(&number).ok_or(Errno::ENOENT)
    }

    pub(crate) fn names(&self, directory: u64) -> Result<&Names> {
        match self.node(directory)? {
            Node::Directory(names) => Ok(&names.now),
            Node::File(_) => Err(Errno::ENOTDIR),
        }
    }

    pub(crate) fn contents(&self, file: u64) -> Result<&[u8]> {
        match self.node(file)? {
            Node::File(contents) => Ok(&contents.now),
            Node::Directory(_) => Err(Errno::EISDIR),
        }
    }

    pub(crate) fn find(&self, directory: u64, name: &OsStr) -> Result<u64> {
        self.names(directory)?.get(name).copied().ok_or(Errno::ENOENT)
    }

    pub(crate) fn edit(&mut self, file: u64, edit: Edit) -> Result<()> {
        match self.nodes.get_mut(&file) {
            Some(Node::File(contents)) => contents.change(edit),
            Some(Node::Directory(_)) => return Err(Errno::EISDIR),
            None => return Err(Errno::ENOENT),
        }
        Ok(())
    }

    /// Puts a new file or directory into a directory.
    pub(crate) fn add(&mut self, directory: u64, name: &OsStr, node: Node) -> Result<u64> {
        if self.names(directory)?.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        let number = self.next;
        self.next += 1;
        self.nodes.insert(number, node);
        self.rename_in(directory, Naming::Add(name.to_owned(), number))?;
        Ok(number)
    }

    /// The node itself stays, for whoever has it open; [`sweep`](Self::sweep) takes it.
    pub(crate) fn remove(&mut self, directory: u64, name: &OsStr) -> Result<()> {
        let number = self.find(directory, name)?;
        if self.names(number).is_ok_and(|names| !names.is_empty()) {
            return Err(Errno::ENOTEMPTY);
        }
        self.rename_in(directory, Naming::Remove(name.to_owned()))
    }

    pub(crate) fn rename(&mut self, directory: u64, from: &OsStr, to: &OsStr) -> Result<()> {
        let number = self.find(directory, from)?;
        self.rename_in(directory, Naming::Rename(from.to_owned(), to.to_owned(), number))
    }

    fn rename_in(&mut self, directory: u64, naming: Naming) -> Result<()> {
        match self.nodes.get_mut(&directory) {
            Some(Node::Directory(names)) => names.change(naming),
            _ => return Err(Errno::ENOTDIR),
        }
        Ok(())
    }

    pub(crate) fn sync(&mut self, number: u64) -> Result<()> {
        match self.nodes.get_mut(&number).ok_or(Errno::ENOENT)? {
            Node::File(contents) => contents.sync(),
            Node::Directory(names) => names.sync(),
        }
        Ok(())
    }

    /// Leaves what a power loss at this moment may leave.
    pub(crate) fn lose_power(&mut self, random: &mut StdRng) -> Losses {
        let mut losses = Losses::default();
        for node in self.nodes.values_mut() {
            match node {
                Node::File(contents) => contents.lose_power(random, &mut losses),
                Node::Directory(names) => names.lose_power(random, &mut losses),
            }
        }
        self.sweep();
        losses
    }

    /// Forgets all that has no name any more, on the disk or in the cache.
    fn sweep(&mut self) {
        let (mut reached, mut next) = (HashSet::new(), vec![ROOT]);
        while let Some(number) = next.pop() {
            if reached.insert(number)
                && let Some(Node::Directory(names)) = self.nodes.get(&number)
            {
                next.extend(names.now.values());
            }
        }
        self.nodes.retain(|number, _| reached.contains(number));
    }
}

impl<T: Default, C> Default for Cached<T, C> {
    fn default() -> Self {
        Self { now: T::default(), durable: T::default(), pending: Vec::new() }
    }
}

pub(crate) trait Change<T> {
    fn apply(&self, to: &mut T);
}

impl<T, C: Change<T>> Cached<T, C> {
    fn change(&mut self, change: C) {
        change.apply(&mut self.now);
        self.pending.push(change);
    }

    fn sync(&mut self) {
        for change in self.pending.drain(..) {
            change.apply(&mut self.durable);
        }
    }
}

impl Change<Vec<u8>> for Edit {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Resize(len) => to.resize(*len, 0),
            Self::Write { offset, bytes } => put(to, *offset, bytes),
        }
    }
}

/// Writes bytes, beyond the end too.
fn put(to: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if to.len() < end {
        to.resize(end, 0);
    }
    to[offset..end].copy_from_slice(bytes);
}

impl Change<Names> for Naming {
    fn apply(&self, to: &mut Names) {
        match self {
            Self::Add(name, number) => {
                to.insert(name.clone(), *number);
            }
            Self::Remove(name) => {
                to.remove(name);
            }
            // Where its creation was lost, the file is there under its new name alone.
            Self::Rename(from, new, number) => {
                if to.get(from) == Some(number) {
                    to.remove(from);
                }
                to.insert(new.clone(), *number);
            }
        }
    }
}

/// How likely a change that was not synced is to be on the disk: it differs from file to file.
fn chance(random: &mut StdRng) -> f64 {
    [0.0, 0.2, 0.5, 0.8, 1.0][random.random_range(0..5)]
}

impl Cached<Vec<u8>, Edit> {
    fn lose_power(&mut self, random: &mut StdRng, losses: &mut Losses) {
        let kept = chance(random);
        // The size is one that the file had since it was synced, whatever of the data is there.
        let (mut len, mut lens) = (self.durable.len(), vec![self.durable.len()]);
        for edit in self.pending.drain(..) {
            match edit {
                Edit::Resize(new) => {
                    len = new;
                    if random.random_bool(kept) {
                        self.durable.truncate(new);
                    }
                }
                Edit::Write { offset, bytes } => {
                    len = len.max(offset + bytes.len());
                    let whole = random.random_bool(0.5).then(|| random.random_bool(kept));
                    let mut at = 0;
                    while at < bytes.len() {
                        let end = (SECTOR - (offset + at) % SECTOR + at).min(bytes.len());
                        let sector = &bytes[at..end];
                        let torn = whole.is_none() && random.random_ratio(1, 16);
                        if torn {
                            let middle = random.random_range(0..sector.len());
                            let (first, last) = sector.split_at(middle);
                            losses.torn += 1;
                            if random.random() {
                                put(&mut self.durable, offset + at, first);
                            } else {
                                put(&mut self.durable, offset + at + middle, last);
                            }
                        } else if whole.unwrap_or_else(|| random.random_bool(kept)) {
                            put(&mut self.durable, offset + at, sector);
                        } else {
                            losses.sectors += 1;
                        }
                        at = end;
                    }
                }
            }
            lens.push(len);
        }
        let last = lens.len() - 1;
        let len = lens[if random.random_bool(kept) { last } else { random.random_range(0..=last) }];
        losses.sizes += usize::from(len != self.now.len());
        self.durable.resize(len, 0);
        self.now.clone_from(&self.durable);
    }
}

impl Cached<Names, Naming> {
    fn lose_power(&mut self, random: &mut StdRng, losses: &mut Losses) {
        let kept = chance(random);
        for naming in self.pending.drain(..) {
            if random.random_bool(kept) {
                naming.apply(&mut self.durable);
            } else {
                match naming {
                    Naming::Add(..) => losses.creations += 1,
                    Naming::Remove(..) => losses.removals += 1,
                    Naming::Rename(..) => losses.renames += 1,
                }
            }
        }
        self.now.clone_from(&self.durable);
    }
}
