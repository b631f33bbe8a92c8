//! What is named on this machine becomes logs; what comes there later, too. It is looked for in the background: who asks for
//! entries waits for no walk through directories.

use std::collections::HashSet;
use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime};

use super::discover::DiscoverError;
use super::generations::Directories;
use super::identity::FileId;
use super::packed::{Packed, Packing};
use super::roots::{Named, Roots};
use super::watched::{Log, Watched, time_of};
use super::{LogFiles, Shared};

/// How far the clock of file systems may be behind.
const TICK: Duration = Duration::from_millis(20);

/// Begins to look for what comes later; ends when nobody holds the logs any more, or nothing more can come.
pub(super) fn begin(files: &LogFiles, roots: Roots) {
    if roots.are_found() {
        return;
    }
    let shared = Arc::downgrade(&files.0);
    let thread = std::thread::Builder::new().name("file-finder".to_owned());
    if let Err(error) = thread.spawn(move || find(&shared, roots)) {
        tracing::warn!(%error, "files that come later are not looked for");
    }
}

fn find(shared: &Weak<Shared>, mut roots: Roots) {
    while !roots.are_found() {
        std::thread::sleep(roots.pause());
        let Some(files) = shared.upgrade().map(LogFiles) else {
            return;
        };
        let open = files.watched().0.open.clone();
        let (found, since) = (roots.look(open), roots.begun());
        let (watched, _) = &mut *files.watched();
        watched.take_found(found, Some(since), &mut roots);
    }
}

impl Watched {
    /// Takes in what is named.
    ///
    /// # Errors
    /// There is nothing that can be shown.
    pub fn take_named(&mut self, roots: &mut Roots) -> Result<(), DiscoverError> {
        let found = roots.look(HashSet::new());
        self.take_found(found, None, roots);
        if self.logs.is_empty() && self.archives.is_empty() {
            return roots.failure().map_or(Ok(()), Err);
        }
        Ok(())
    }

    /// Takes files in; what was written before `since` is not new.
    pub fn take_found(&mut self, found: Vec<Named>, since: Option<SystemTime>, roots: &mut Roots) {
        let mut directories = Directories::default();
        for named in found {
            let added = match named.packing {
                Some(packing) => self.add_packed(&named.path, packing),
                None => self.add(&named.path, since, &mut directories),
            };
            if let Err(error) = added {
                roots.leave_out(named, error);
            }
        }
        let left_out = roots.left_out();
        self.left_out = left_out
            .map(|(path, why)| (path.to_owned(), why.reason()))
            .collect();
    }

    /// Takes a file in with what was rotated away from it, besides what is open already.
    ///
    /// # Errors
    /// It cannot be opened.
    fn add(
        &mut self,
        path: &Path,
        since: Option<SystemTime>,
        directories: &mut Directories,
    ) -> io::Result<()> {
        let mut log = Log::at(path);
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let own = FileId::of(&metadata);
        if self.open.contains(&own) {
            return Ok(());
        }
        let older = if self.options.generations {
            directories.generations(path)
        } else {
            Vec::new()
        };
        for path in older {
            // One that cannot be read keeps nobody from its log.
            let opened = File::open(&path).and_then(|file| Ok((file.metadata()?, file)));
            let Ok((metadata, file)) = opened else {
                continue;
            };
            let id = FileId::of(&metadata);
            if id != own
                && !self.open.contains(&id)
                && self.take(&mut log, file, &path).is_ok()
                && let Some(generation) = log.tracked.last_mut()
            {
                generation.left = Some(Instant::now());
                generation.part.take_as_old(old_bytes(&metadata, since));
            }
        }
        self.take(&mut log, file, path)?;
        if let Some(newest) = log.tracked.last() {
            newest.part.take_as_old(old_bytes(&metadata, since));
        }
        self.logs.push(log);
        Ok(())
    }

    /// Takes a packed file in; what is within is known later.
    ///
    /// # Errors
    /// It cannot be opened.
    fn add_packed(&mut self, path: &Path, packing: Packing) -> io::Result<()> {
        let modified = std::fs::metadata(path).and_then(|of| of.modified());
        let modified = time_of(modified.unwrap_or(SystemTime::UNIX_EPOCH));
        let packed = Packed::open(path, packing, self.options.spool.as_deref())?;
        self.archives.add(path, packing, modified, packed);
        Ok(())
    }
}

/// Bytes of a file that are not new: all of one that was made before, and came to its place since.
fn old_bytes(metadata: &Metadata, since: Option<SystemTime>) -> u64 {
    let (Some(since), Ok(born)) = (since, metadata.created()) else {
        return 0;
    };
    if born + TICK < since {
        metadata.len()
    } else {
        0
    }
}
