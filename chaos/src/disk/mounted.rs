//! The file system that the kernel sees: inodes in front of paths and open files of an `env::Disk`.
//!
//! Nothing about names or lengths is cached by the kernel (a time to live of zero), and a file that is opened anew is read
//! anew; after a loss of power all inodes have new numbers. So no page of the kernel's outlives the power.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use fuser::{
    AccessFlags, BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};
use ottla_env::{Disk, File, OpenOptions};
use ottla_simdisk::SimDisk;

use super::syncs::{Syncs, Target};

const UNCACHED: Duration = Duration::ZERO;
const BLOCK_BYTES: u32 = 4096;
/// What statfs says, free and in all.
const BLOCKS: u64 = 1 << 28;
/// FALLOC_FL_KEEP_SIZE.
const KEEP_SIZE: i32 = 1;

/// What the kernel knows by number.
pub(super) struct Inodes(Mutex<Table>);

struct Table {
    known: BTreeMap<u64, Inode>,
    by_path: BTreeMap<PathBuf, u64>,
    next: u64,
}

#[derive(Clone)]
struct Inode {
    path: PathBuf,
    /// `None`: a directory. It stays open, so that a file without a name can still be read and written.
    file: Option<Arc<dyn File>>,
}

impl Inodes {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Table {
            known: BTreeMap::new(),
            by_path: BTreeMap::new(),
            next: INodeNo::ROOT.0 + 1,
        }))
    }

    /// Forgets everything; numbers are not given twice.
    pub(super) fn forget_all(&self) {
        let mut table = self.lock();
        table.known.clear();
        table.by_path.clear();
    }

    fn get(&self, number: INodeNo) -> io::Result<Inode> {
        if number == INodeNo::ROOT {
            return Ok(Inode { path: PathBuf::from("/"), file: None });
        }
        self.lock().known.get(&number.0).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn number(&self, path: &Path, file: Option<Arc<dyn File>>) -> INodeNo {
        let mut table = self.lock();
        if let Some(&number) = table.by_path.get(path) {
            return INodeNo(number);
        }
        let number = table.next;
        table.next += 1;
        table.by_path.insert(path.to_owned(), number);
        table.known.insert(number, Inode { path: path.to_owned(), file });
        INodeNo(number)
    }

    /// The name is gone; who has the file open goes on by its number.
    fn unlink(&self, path: &Path) {
        self.lock().by_path.remove(path);
    }

    fn rename(&self, from: &Path, to: &Path) {
        let mut table = self.lock();
        table.by_path.remove(to);
        let moved: Vec<_> = table
            .by_path
            .iter()
            .filter_map(|(path, &number)| {
                Some((path.clone(), to.join(path.strip_prefix(from).ok()?), number))
            })
            .collect();
        for (old, new, number) in moved {
            // `join` with nothing leaves a slash at the end.
            let new: PathBuf = new.components().collect();
            table.by_path.remove(&old);
            table.by_path.insert(new.clone(), number);
            if let Some(inode) = table.known.get_mut(&number) {
                inode.path = new;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file system.
pub(super) struct Mounted {
    disk: SimDisk,
    inodes: Arc<Inodes>,
    syncs: Syncs,
    since: SystemTime,
}

impl Mounted {
    pub(super) fn new(disk: SimDisk, inodes: Arc<Inodes>, syncs: Syncs) -> Self {
        Self { disk, inodes, syncs, since: SystemTime::now() }
    }

    fn child(&self, parent: INodeNo, name: &OsStr) -> io::Result<PathBuf> {
        Ok(self.inodes.get(parent)?.path.join(name))
    }

    fn file(&self, number: INodeNo) -> io::Result<Arc<dyn File>> {
        self.inodes.get(number)?.file.ok_or_else(|| io::ErrorKind::IsADirectory.into())
    }

    fn look_up(&self, path: &Path) -> io::Result<FileAttr> {
        match self.disk.open(path, OpenOptions::WRITE) {
            Ok(file) => self.attributes(self.inodes.number(path, Some(file))),
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                self.attributes(self.inodes.number(path, None))
            }
            Err(error) => Err(error),
        }
    }

    fn create_file(&self, path: &Path) -> io::Result<FileAttr> {
        let file = self.disk.open(path, OpenOptions::CREATE)?;
        self.attributes(self.inodes.number(path, Some(file)))
    }

    fn attributes(&self, number: INodeNo) -> io::Result<FileAttr> {
        let file = self.inodes.get(number)?.file;
        let size = file.as_ref().map_or(Ok(0), |file| file.len())?;
        let (kind, perm, nlink) =
            if file.is_some() { (FileType::RegularFile, 0o644, 1) } else { (FileType::Directory, 0o755, 2) };
        let at = self.since;
        Ok(FileAttr {
            ino: number,
            size,
            blocks: size.div_ceil(512),
            atime: at,
            mtime: at,
            ctime: at,
            crtime: at,
            kind,
            perm,
            nlink,
            uid: rustix::process::getuid().as_raw(),
            gid: rustix::process::getgid().as_raw(),
            rdev: 0,
            blksize: BLOCK_BYTES,
            flags: 0,
        })
    }

    fn change_length(&self, number: INodeNo, size: Option<u64>) -> io::Result<FileAttr> {
        if let Some(size) = size {
            self.file(number)?.set_len(size)?;
        }
        self.attributes(number)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        if !self.disk.list(path)?.is_empty() {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        self.disk.remove_dir_all(path)
    }

    fn entries(&self, number: INodeNo) -> io::Result<Vec<(INodeNo, FileType, String)>> {
        let dir = self.inodes.get(number)?.path;
        let mut found = vec![
            (number, FileType::Directory, ".".to_owned()),
            (number, FileType::Directory, "..".to_owned()),
        ];
        for entry in self.disk.list(&dir)? {
            let kind = if entry.is_dir { FileType::Directory } else { FileType::RegularFile };
            // Programs go by the names; a number that a lookup does not give is as good.
            found.push((INodeNo(u64::MAX), kind, entry.name));
        }
        Ok(found)
    }
}

/// What the kernel is told of an error.
pub(super) fn errno(error: &io::Error) -> Errno {
    match error.kind() {
        io::ErrorKind::NotFound => Errno::ENOENT,
        io::ErrorKind::IsADirectory => Errno::EISDIR,
        io::ErrorKind::NotADirectory => Errno::ENOTDIR,
        io::ErrorKind::DirectoryNotEmpty => Errno::ENOTEMPTY,
        io::ErrorKind::StorageFull => Errno::ENOSPC,
        io::ErrorKind::InvalidInput => Errno::EINVAL,
        _ => Errno::EIO,
    }
}

fn entry(reply: ReplyEntry, found: io::Result<FileAttr>) {
    match found {
        Ok(attributes) => reply.entry(&UNCACHED, &attributes, Generation(0)),
        Err(error) => reply.error(errno(&error)),
    }
}

fn empty(reply: ReplyEmpty, done: io::Result<()>) {
    match done {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(errno(&error)),
    }
}

impl Filesystem for Mounted {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        entry(reply, self.child(parent, name).and_then(|path| self.look_up(&path)));
    }

    fn getattr(&self, _: &Request, number: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.attributes(number) {
            Ok(attributes) => reply.attr(&UNCACHED, &attributes),
            Err(error) => reply.error(errno(&error)),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        number: INodeNo,
        _mode: Option<u32>,
        _uid: Option<u32>,
        _gid: Option<u32>,
        size: Option<u64>,
        _atime: Option<TimeOrNow>,
        _mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        match self.change_length(number, size) {
            Ok(attributes) => reply.attr(&UNCACHED, &attributes),
            Err(error) => reply.error(errno(&error)),
        }
    }

    fn mkdir(&self, _: &Request, parent: INodeNo, name: &OsStr, _: u32, _: u32, reply: ReplyEntry) {
        let made = self.child(parent, name).and_then(|path| {
            self.disk.create_dir_all(&path)?;
            self.look_up(&path)
        });
        entry(reply, made);
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let done = self.child(parent, name).and_then(|path| {
            self.disk.remove_file(&path)?;
            self.inodes.unlink(&path);
            Ok(())
        });
        empty(reply, done);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let done = self.child(parent, name).and_then(|path| {
            self.remove_dir(&path)?;
            self.inodes.unlink(&path);
            Ok(())
        });
        empty(reply, done);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        if !flags.is_empty() {
            return reply.error(Errno::EINVAL);
        }
        let done = self.child(parent, name).and_then(|from| {
            let to = self.child(new_parent, new_name)?;
            self.disk.rename(&from, &to)?;
            self.inodes.rename(&from, &to);
            Ok(())
        });
        empty(reply, done);
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::empty());
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        _mode: u32,
        _umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        match self.child(parent, name).and_then(|path| self.create_file(&path)) {
            Ok(made) => {
                reply.created(&UNCACHED, &made, Generation(0), FileHandle(0), FopenFlags::empty());
            }
            Err(error) => reply.error(errno(&error)),
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
        let read = self.file(number).and_then(|file| {
            let mut bytes = vec![0; size as usize];
            let n = file.read_at(&mut bytes, offset)?;
            bytes.truncate(n);
            Ok(bytes)
        });
        match read {
            Ok(bytes) => reply.data(&bytes),
            Err(error) => reply.error(errno(&error)),
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
        match self.file(number).and_then(|file| file.write_all_at(data, offset)) {
            Ok(()) => reply.written(u32::try_from(data.len()).unwrap_or(u32::MAX)),
            Err(error) => reply.error(errno(&error)),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, number: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        match self.file(number) {
            Ok(file) => self.syncs.ask(Target::File(file), reply),
            Err(error) => reply.error(errno(&error)),
        }
    }

    fn fsyncdir(&self, _: &Request, number: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        match self.inodes.get(number) {
            Ok(inode) => self.syncs.ask(Target::Dir(inode.path), reply),
            Err(error) => reply.error(errno(&error)),
        }
    }

    fn fallocate(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        if mode != KEEP_SIZE {
            return reply.error(Errno::EOPNOTSUPP);
        }
        empty(reply, self.file(number).and_then(|file| file.preallocate(offset, length)));
    }

    fn readdir(&self, _: &Request, number: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        match self.entries(number) {
            Ok(entries) => {
                for (next, (number, kind, name)) in (1..).zip(entries).skip(offset as usize) {
                    if reply.add(number, next, kind, &name) {
                        break;
                    }
                }
                reply.ok();
            }
            Err(error) => reply.error(errno(&error)),
        }
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        reply.statfs(BLOCKS, BLOCKS, BLOCKS, 1 << 20, 1 << 20, BLOCK_BYTES, 255, BLOCK_BYTES);
    }

    fn access(&self, _: &Request, _: INodeNo, _: AccessFlags, reply: ReplyEmpty) {
        reply.ok();
    }
}
