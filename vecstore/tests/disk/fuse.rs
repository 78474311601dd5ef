//! A [`Volatile`] file system as the kernel sees it, with power losses and I/O errors on demand.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BackgroundSession, BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags,
    Generation, INodeNo, LockOwner, MountOption, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate,
    ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite, Request, TimeOrNow,
    WriteFlags,
};
use rand::rngs::StdRng;
use tempfile::TempDir;

use crate::mount;
use crate::volatile::{Edit, Losses, Node, Volatile};

/// All changes come through the kernel, so what it remembers stays true.
const FOREVER: Duration = Duration::from_secs(1 << 30);

/// A kind of change, which includes making some durable.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Change {
    Edit,
    SyncFile,
    SyncDirectory,
}

/// What happens in the place of a change.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    /// The process that writes is killed, by the hook.
    Kill,
    /// The disk is not there any more.
    PowerLoss,
    /// So many changes fail, one after the other.
    Errors(u64),
}

/// A disk of our own, mounted while this value lives.
pub(crate) struct Disk {
    shared: Arc<Mutex<Shared>>,
    session: Option<BackgroundSession>,
    mountpoint: TempDir,
}

struct Shared {
    files: Volatile,
    plan: Option<Plan>,
    /// How many more changes fail.
    failing: u64,
    powerless: bool,
}

/// A fault to come.
pub(crate) struct Plan {
    /// How many changes go well before.
    pub(crate) after: u64,
    /// The fault waits for a change of this kind.
    pub(crate) at: Option<Change>,
    pub(crate) fault: Fault,
    /// Called in that moment.
    pub(crate) hook: Box<dyn FnOnce() + Send>,
}

impl Disk {
    /// An empty disk.
    pub(crate) fn new() -> io::Result<Self> {
        let shared = Shared { files: Volatile::new(), plan: None, failing: 0, powerless: false };
        let mut disk = Self {
            shared: Arc::new(Mutex::new(shared)),
            session: None,
            mountpoint: mount::point(),
        };
        disk.mount()?;
        Ok(disk)
    }

    pub(crate) fn path(&self) -> &Path {
        self.mountpoint.path()
    }

    pub(crate) fn plan(&self, plan: Plan) {
        lock(&self.shared).plan = Some(plan);
    }

    /// Forgets the fault that was planned; true if it happened.
    pub(crate) fn struck(&self) -> bool {
        lock(&self.shared).plan.take().is_none()
    }

    /// Loses what a power loss takes, and starts again with an empty cache. No file may be open.
    pub(crate) fn restart(&mut self, random: &mut StdRng) -> Losses {
        // A process that is being started may hold copies of open files for a moment yet.
        mount::unmount(self.path());
        match self.session.take().unwrap().join() {
            // That is how the thread that serves the kernel may learn of it.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            ended => ended.unwrap(),
        }
        let losses = {
            let mut shared = lock(&self.shared);
            shared.powerless = false;
            shared.files.lose_power(random)
        };
        self.mount().unwrap();
        losses
    }

    fn mount(&mut self) -> io::Result<()> {
        let mut config = fuser::Config::default();
        config.mount_options = vec![MountOption::FSName(mount::source())];
        let disk = Mounted(self.shared.clone());
        self.session = Some(fuser::spawn_mount(disk, self.mountpoint.path(), &config)?);
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        mount::unmount(self.path());
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap()
}

struct Mounted(Arc<Mutex<Shared>>);

impl Mounted {
    fn read(&self) -> Result<MutexGuard<'_, Shared>, Errno> {
        let shared = lock(&self.0);
        if shared.powerless { Err(Errno::EIO) } else { Ok(shared) }
    }

    fn change(&self, change: Change) -> Result<MutexGuard<'_, Shared>, Errno> {
        let mut shared = self.read()?;
        if shared.failing > 0 {
            shared.failing -= 1;
            return Err(Errno::EIO);
        }
        let due = |plan: &mut Plan| plan.after == 0 && plan.at.is_none_or(|at| at == change);
        if let Some(Plan { fault, hook, .. }) = shared.plan.take_if(due) {
            hook();
            match fault {
                Fault::Kill => {}
                Fault::PowerLoss => shared.powerless = true,
                Fault::Errors(count) => shared.failing = count - 1,
            }
            return Err(Errno::EIO);
        }
        if let Some(plan) = &mut shared.plan {
            plan.after = plan.after.saturating_sub(1);
        }
        Ok(shared)
    }
}

impl Shared {
    fn attributes(&self, number: u64) -> Result<FileAttr, Errno> {
        let (kind, perm, size) = match self.files.node(number)? {
            Node::File(contents) => (FileType::RegularFile, 0o644, contents.now.len() as u64),
            Node::Directory(_) => (FileType::Directory, 0o755, 0),
        };
        Ok(FileAttr {
            ino: INodeNo(number),
            size,
            blocks: size.div_ceil(512),
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind,
            perm,
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        })
    }
}

fn answer(reply: ReplyEmpty, result: Result<(), Errno>) {
    match result {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

fn answer_entry(reply: ReplyEntry, result: Result<FileAttr, Errno>) {
    match result {
        Ok(attributes) => reply.entry(&FOREVER, &attributes, Generation(0)),
        Err(error) => reply.error(error),
    }
}

fn answer_attributes(reply: ReplyAttr, result: Result<FileAttr, Errno>) {
    match result {
        Ok(attributes) => reply.attr(&FOREVER, &attributes),
        Err(error) => reply.error(error),
    }
}

impl Filesystem for Mounted {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        answer_entry(
            reply,
            self.read().and_then(|shared| shared.attributes(shared.files.find(parent.0, name)?)),
        );
    }

    fn getattr(&self, _: &Request, number: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        answer_attributes(reply, self.read().and_then(|shared| shared.attributes(number.0)));
    }

    fn setattr(
        &self,
        _: &Request,
        number: INodeNo,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let resize =
            |size| self.change(Change::Edit)?.files.edit(number.0, Edit::Resize(size as usize));
        let resized = size.map_or(Ok(()), resize);
        answer_attributes(reply, resized.and_then(|()| self.read()?.attributes(number.0)));
    }

    fn mkdir(&self, _: &Request, parent: INodeNo, name: &OsStr, _: u32, _: u32, reply: ReplyEntry) {
        answer_entry(
            reply,
            self.change(Change::Edit).and_then(|mut shared| {
                let number = shared.files.add(parent.0, name, Node::directory())?;
                shared.attributes(number)
            }),
        );
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        _: u32,
        _: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        let created = self.change(Change::Edit).and_then(|mut shared| {
            let number = shared.files.add(parent.0, name, Node::file())?;
            shared.attributes(number)
        });
        match created {
            Ok(attributes) => reply.created(
                &FOREVER,
                &attributes,
                Generation(0),
                FileHandle(0),
                FopenFlags::empty(),
            ),
            Err(error) => reply.error(error),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer(
            reply,
            self.change(Change::Edit).and_then(|mut shared| shared.files.remove(parent.0, name)),
        );
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer(
            reply,
            self.change(Change::Edit).and_then(|mut shared| shared.files.remove(parent.0, name)),
        );
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        _: RenameFlags,
        reply: ReplyEmpty,
    ) {
        if parent != new_parent {
            return reply.error(Errno::EXDEV); // the store does not need it
        }
        answer(
            reply,
            self.change(Change::Edit)
                .and_then(|mut shared| shared.files.rename(parent.0, name, new_name)),
        );
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.read() {
            Ok(_) => reply.opened(FileHandle(0), FopenFlags::empty()),
            Err(error) => reply.error(error),
        }
    }

    fn read(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let shared = self.read();
        match shared.as_ref().map_err(|&error| error).and_then(|s| s.files.contents(number.0)) {
            Ok(contents) => {
                let start = contents.len().min(offset as usize);
                let end = contents.len().min(start + size as usize);
                reply.data(&contents[start..end]);
            }
            Err(error) => reply.error(error),
        }
    }

    fn write(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let edit = Edit::Write { offset: offset as usize, bytes: data.to_vec() };
        match self.change(Change::Edit).and_then(|mut shared| shared.files.edit(number.0, edit)) {
            Ok(()) => reply.written(data.len() as u32),
            Err(error) => reply.error(error),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok(); // a file is closed, which promises nothing
    }

    fn fsync(&self, _: &Request, number: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let shared = self.change(Change::SyncFile);
        answer(reply, shared.and_then(|mut shared| shared.files.sync(number.0)));
    }

    fn fsyncdir(&self, _: &Request, number: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let shared = self.change(Change::SyncDirectory);
        answer(reply, shared.and_then(|mut shared| shared.files.sync(number.0)));
    }

    fn readdir(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let listed = self.read().and_then(|shared| {
            let entries = shared.files.names(number.0)?.iter();
            let entry = |(name, &number): (&OsString, &u64)| {
                Ok((number, shared.attributes(number)?.kind, name.clone()))
            };
            entries.map(entry).collect::<Result<Vec<_>, _>>()
        });
        match listed {
            // The place of an entry is its number, so that removing others does not move it.
            Ok(mut entries) => {
                entries.sort_by_key(|entry| entry.0);
                for (number, kind, name) in entries.into_iter().filter(|entry| entry.0 > offset) {
                    if reply.add(INodeNo(number), number, kind, name) {
                        break;
                    }
                }
                reply.ok();
            }
            Err(error) => reply.error(error),
        }
    }
}
