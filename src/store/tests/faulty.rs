//! A file system in memory whose power can be cut: what was synced stays, what was not stays in part or not at all.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::store::disk::{Disk, Reading, Writing};

/// The file system.
#[derive(Clone, Debug, Default)]
pub struct Faulty {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    files: Vec<File>,
    names: BTreeMap<PathBuf, usize>,
    /// Names as they are on the disk, and changes that are not yet.
    durable_names: BTreeMap<PathBuf, usize>,
    pending_names: Vec<Step>,
    operations: u64,
    /// Operations after which the power is gone.
    cut_after: Option<u64>,
    /// Bytes that may still be written before the disk is full.
    room: Option<usize>,
    /// The next sync fails.
    failing_sync: bool,
}

/// Names that change at once: what each stands for afterwards.
type Step = Vec<(PathBuf, Option<usize>)>;

#[derive(Clone, Debug, Default)]
struct File {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Cut(usize),
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write(at, written) => {
            if bytes.len() < at + written.len() {
                bytes.resize(at + written.len(), 0);
            }
            bytes[*at..at + written.len()].copy_from_slice(written);
        }
        Change::Cut(length) => bytes.resize(*length, 0),
    }
}

impl Faulty {
    /// Cuts the power after so many more operations that change something.
    pub fn cut_after(&self, operations: u64) {
        let mut state = self.lock();
        state.cut_after = Some(state.operations + operations);
    }

    /// Operations so far.
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// Leaves room for so many bytes, or for any.
    pub fn leave_room(&self, bytes: Option<usize>) {
        self.lock().room = bytes;
    }

    /// Lets the next sync fail.
    pub fn fail_sync(&self) {
        self.lock().failing_sync = true;
    }

    /// Whether something was written that the next power cut may take.
    pub fn is_unsynced(&self) -> bool {
        let state = self.lock();
        let pending = |file: &usize| !state.files[*file].pending.is_empty();
        state.names.values().any(pending) || !state.pending_names.is_empty()
    }

    /// Flips one bit of a file.
    pub fn flip(&self, path: &Path, bit: usize) {
        let mut state = self.lock();
        let file = state.names[path];
        state.files[file].bytes[bit / 8] ^= 1 << (bit % 8);
    }

    /// The bytes of a file.
    pub fn bytes(&self, path: &Path) -> Vec<u8> {
        let state = self.lock();
        state.files[state.names[path]].bytes.clone()
    }

    /// Another disk with the same files.
    pub fn copy(&self) -> Self {
        let state = self.lock();
        let copy = State {
            files: state.files.clone(),
            names: state.names.clone(),
            durable_names: state.durable_names.clone(),
            ..State::default()
        };
        Self {
            state: Arc::new(Mutex::new(copy)),
        }
    }

    /// What is found when the power is back. Changes of a file that were not synced are there up to some point, the last
    /// in part; of changes of names, any may be there and any not.
    pub fn after_power_cut(&self, dice: &mut fastrand::Rng) -> Self {
        let state = self.lock();
        let mut names = state.durable_names.clone();
        let kept = state.pending_names.iter().filter(|_| dice.bool());
        for (path, file) in kept.flatten() {
            match file {
                Some(file) => names.insert(path.clone(), *file),
                None => names.remove(path),
            };
        }
        let files = state.files.iter().map(|file| {
            let mut bytes = file.durable.clone();
            let kept = dice.usize(0..=file.pending.len());
            for (at, change) in file.pending.iter().take(kept).enumerate() {
                match change {
                    Change::Write(offset, written) if at + 1 == kept => {
                        let torn = dice.usize(0..=written.len());
                        apply(
                            &mut bytes,
                            &Change::Write(*offset, written[..torn].to_vec()),
                        );
                    }
                    change => apply(&mut bytes, change),
                }
            }
            File {
                durable: bytes.clone(),
                bytes,
                pending: Vec::new(),
            }
        });
        let found = State {
            files: files.collect(),
            durable_names: names.clone(),
            names,
            ..State::default()
        };
        Self {
            state: Arc::new(Mutex::new(found)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while locked")
    }

    /// Counts an operation; an error when the power is gone.
    fn operate(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.lock();
        if state.cut_after.is_some_and(|cut| state.operations >= cut) {
            return Err(io::Error::other("the power is gone"));
        }
        state.operations += 1;
        Ok(state)
    }
}

impl State {
    fn name(&mut self, path: &Path, file: Option<usize>) {
        match file {
            Some(file) => self.names.insert(path.to_owned(), file),
            None => self.names.remove(path),
        };
        self.pending_names.push(vec![(path.to_owned(), file)]);
    }

    fn change(&mut self, file: usize, change: Change) {
        apply(&mut self.files[file].bytes, &change);
        self.files[file].pending.push(change);
    }
}

impl Disk for Faulty {
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = self.lock();
        let inside = state.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside
            .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
            .collect())
    }

    fn create_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Writing>> {
        let mut state = self.operate()?;
        state.files.push(File::default());
        let file = state.files.len() - 1;
        state.name(path, Some(file));
        Ok(Box::new(Open {
            disk: self.clone(),
            file,
        }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn Reading>> {
        let state = self.lock();
        let file = *state.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(Snapshot(state.files[file].bytes.clone())))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.operate()?;
        let file = *state.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.remove(from);
        state.names.insert(to.to_owned(), file);
        // One step on the disk too.
        let step = vec![(to.to_owned(), Some(file)), (from.to_owned(), None)];
        state.pending_names.push(step);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.operate()?;
        state.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        state.name(path, None);
        Ok(())
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        let mut state = self.operate()?;
        state.durable_names = state.names.clone();
        state.pending_names.clear();
        Ok(())
    }
}

#[derive(Debug)]
struct Open {
    disk: Faulty,
    file: usize,
}

impl Writing for Open {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.operate()?;
        let at = state.files[self.file].bytes.len();
        let room = state.room.unwrap_or(usize::MAX);
        let fits = &bytes[..bytes.len().min(room)];
        state.change(self.file, Change::Write(at, fits.to_vec()));
        state.room = state.room.map(|room| room - fits.len());
        if fits.len() < bytes.len() {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            Ok(())
        }
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.operate()?;
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        state.change(self.file, Change::Write(at, bytes.to_vec()));
        Ok(())
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        let mut state = self.disk.operate()?;
        let length = usize::try_from(length).map_err(io::Error::other)?;
        state.change(self.file, Change::Cut(length));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.operate()?;
        if std::mem::take(&mut state.failing_sync) {
            return Err(io::Error::other("the disk does not answer"));
        }
        let file = &mut state.files[self.file];
        file.durable = file.bytes.clone();
        file.pending.clear();
        Ok(())
    }
}

#[derive(Debug)]
struct Snapshot(Vec<u8>);

impl Reading for Snapshot {
    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let from = usize::try_from(offset).map_err(io::Error::other)?;
        let bytes = self
            .0
            .get(from..from + into.len())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        into.copy_from_slice(bytes);
        Ok(())
    }
}
