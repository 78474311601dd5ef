//! The collections of the service: open stores, by their names.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use vecstore::{Config, Store};

use super::metadata::{self, Metadata};
use super::name::Name;
use crate::problem::{Kind, Problem};

/// A folder that is being deleted, or that was when the process ended, has this after its name.
const DELETED: &str = ".deleted";

/// Why the collections cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder of the collections.
    #[error("cannot use the folder DATA={}: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What is kept about a collection.
    #[error("cannot read {}: {source}; put back what was there, or remove it", path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// One of the collections.
    #[error("cannot open the collection {name}: {source}")]
    Collection {
        /// Its name.
        name: String,
        /// What is wrong with it.
        source: vecstore::Error,
    },
}

/// All collections, each a store in the folder of its name.
pub(super) struct Collections {
    folder: PathBuf,
    open: RwLock<BTreeMap<Name, Arc<Collection>>>,
    /// Held by whoever creates or deletes one.
    changing: Mutex<()>,
}

/// A collection.
pub(super) struct Collection {
    /// Nothing once it is deleted.
    store: RwLock<Option<Store>>,
    /// What its maker wanted to be kept about it.
    metadata: RwLock<Option<Metadata>>,
}

/// What [`Collections::create`] found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Created {
    Now,
    Before,
}

impl Collections {
    /// Opens all collections below a folder, which is made where there is none.
    pub(super) fn open(folder: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Folder { folder: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        let mut open = BTreeMap::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.ends_with(DELETED) {
                fs::remove_dir_all(&path).map_err(failed)?;
                continue;
            }
            let Some(name) = Name::parse(name).filter(|_| path.is_dir()) else { continue };
            match Store::open(&path) {
                Ok(store) => open.insert(name, Collection::new(store, metadata::read(&path)?)),
                // The process ended before the store was complete, so nobody was told that it is there.
                Err(vecstore::Error::NotAStore { .. }) => None,
                Err(source) => {
                    return Err(OpenError::Collection { name: name.to_string(), source });
                }
            };
        }
        Ok(Self { folder: folder.to_owned(), open: RwLock::new(open), changing: Mutex::new(()) })
    }

    /// The names of all, in order, and the collections.
    pub(super) fn all(&self) -> Vec<(Name, Arc<Collection>)> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.iter().map(|(name, collection)| (name.clone(), Arc::clone(collection))).collect()
    }

    /// The collection of a name.
    pub(super) fn get(&self, name: &str) -> Result<Arc<Collection>, Problem> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let found = Name::parse(name).and_then(|name| open.get(&name).cloned());
        found.ok_or_else(|| unknown(name))
    }

    /// Makes a collection, if there is none of this name and configuration yet.
    pub(super) fn create(&self, name: &Name, config: Config) -> Result<Created, Problem> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(collection) = self.get(name.as_str()) {
            return collection.with(name.as_str(), |store| {
                if *store.config() == config {
                    return Ok(Created::Before);
                }
                let there = store.config();
                let words = format!("The collection {name} is there with {there}, not {config}.");
                Err(Problem::new(Kind::CollectionExists, words))
            })?;
        }
        let store = Store::create(self.folder.join(name.as_str()), config).map_err(problem)?;
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        open.insert(name.clone(), Collection::new(store, None));
        Ok(Created::Now)
    }

    /// Keeps what is to be known about a collection; durable when it returns.
    pub(super) fn describe(
        &self,
        name: &Name,
        collection: &Collection,
        metadata: Metadata,
    ) -> Result<(), Problem> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.folder.join(name.as_str());
        // Beside a store that is there, and not deleted meanwhile.
        collection.with(name.as_str(), |_| metadata.write(&folder))??;
        *collection.metadata.write().unwrap_or_else(PoisonError::into_inner) = Some(metadata);
        Ok(())
    }

    /// Deletes a collection, when all requests that are using it have ended.
    pub(super) fn delete(&self, name: &str) -> Result<(), Problem> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let collection = self.get(name)?;
        let store = collection.store.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(store);
        let (path, deleted) =
            (self.folder.join(name), self.folder.join(format!("{name}{DELETED}")));
        // In one step, so that after a crash it is there as a whole or not at all.
        let removed = fs::rename(&path, &deleted).and_then(|()| fs::remove_dir_all(&deleted));
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        open.retain(|other, _| other.as_str() != name);
        removed.map_err(Problem::internal)
    }

    /// Brings what was written since the last checkpoint into the segments, so that the next start is
    /// fast. What fails stays in the logs, where it is as safe.
    pub(super) fn checkpoint(&self) {
        for (name, collection) in self.all() {
            let done = collection.with(name.as_str(), Store::checkpoint);
            if let Ok(Err(error)) = done {
                tracing::warn!(collection = %name, %error, "no checkpoint");
            }
        }
    }
}

impl Collection {
    fn new(store: Store, metadata: Option<Metadata>) -> Arc<Self> {
        Arc::new(Self { store: RwLock::new(Some(store)), metadata: RwLock::new(metadata) })
    }

    /// What its maker wanted to be kept about it.
    pub(super) fn metadata(&self) -> Option<Metadata> {
        self.metadata.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does something with the store, unless the collection was deleted meanwhile.
    pub(super) fn with<T>(&self, name: &str, work: impl FnOnce(&Store) -> T) -> Result<T, Problem> {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        store.as_ref().map(work).ok_or_else(|| unknown(name))
    }
}

fn unknown(name: &str) -> Problem {
    let words = format!("There is no collection {name:?}; make one with PUT /collections/NAME.");
    Problem::new(Kind::UnknownCollection, words)
}

/// What a store refuses, in the words of the store; what is our own fault goes to the log.
pub(super) fn problem(error: vecstore::Error) -> Problem {
    use vecstore::Error;
    let kind = match error {
        Error::WrongDimension { .. }
        | Error::NotFinite { .. }
        | Error::OutOfRange { .. }
        | Error::ZeroVector
        | Error::TooLarge { .. }
        | Error::TooManyTags { .. } => Kind::InvalidRecord,
        Error::InvalidConfig { .. } | Error::ZeroK => Kind::InvalidBody,
        other => return Problem::internal(other),
    };
    Problem::new(kind, format!("{error}."))
}
