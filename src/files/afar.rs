//! Files on other hosts are looked at in the background: who asks for entries waits for no host that is silent.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::content::{Closed, Content, unpacked_afar};
use super::far::{FarContent, FarFile, Host};
use super::fate::{Fate, Rotated, generations_among, rotated};
use super::generations::is_compressed;
use super::tracked::{LEFT, Tracked};
use super::watched::{Log, Watched};
use super::{LogFiles, Shared};
use crate::base::{Backoff, Time};

/// How often they are looked at; and at the least, while the host is silent.
pub(super) const LOOK: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));
/// Nanoseconds of a second.
const NANOSECONDS: i64 = 1_000_000_000;

/// Begins to look at far files; ends when nobody holds them any more.
///
/// # Errors
/// There can be no thread.
pub(super) fn begin(files: &LogFiles) -> io::Result<()> {
    let shared = Arc::downgrade(&files.0);
    let thread = std::thread::Builder::new().name("far-files".to_owned());
    thread.spawn(move || watch(&shared)).map(|_| ())
}

fn watch(shared: &Weak<Shared>) {
    let mut backoff = Backoff::new(LOOK.0, LOOK.1);
    while let Some(files) = shared.upgrade().map(LogFiles) {
        let ((contents, closed), host) = (files.far_contents(), files.0.host.clone());
        drop(files);
        let Some(host) = host else { return };
        let paths: Vec<String> = contents.iter().map(|of| of.file().path).collect();
        // That it is silent is told by the host itself.
        let Ok(found) = host.look(&paths) else {
            std::thread::sleep(backoff.delay());
            continue;
        };
        backoff.reset();
        let all = [contents.as_slice(), &closed].concat();
        for content in &contents {
            match rotated(content, &found, &all) {
                Ok(None) => {}
                Ok(Some(rotated)) => {
                    if let Some(files) = shared.upgrade().map(LogFiles) {
                        files.take_rotated(&rotated);
                    }
                }
                Err(error) => tracing::debug!(%error, "a file over there cannot be looked at"),
            }
        }
        std::thread::sleep(LOOK.0);
    }
}

impl Watched {
    /// Takes files of another host in: each with what was rotated away from it, besides what is among them itself. Nothing is
    /// read of older generations until somebody needs them.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn add_far(&mut self, host: &Host, files: &[FarFile]) -> io::Result<()> {
        let beside = if self.options.generations {
            host.beside(files.iter().map(|file| file.path.as_str()))?
        } else {
            Vec::new()
        };
        let mut generations = generations_among(&beside);
        let named: HashSet<u64> = files.iter().map(|file| file.number).collect();
        for file in files {
            let content = |file: &FarFile, log: &FarFile| {
                let content = FarContent::new(host.clone(), file.clone(), log.path.clone());
                Arc::new(content)
            };
            let own = content(file, file);
            let path = named_afar(host, &file.path);
            if let Some((packed, packing)) = unpacked_afar(&own, self.options.spool.as_deref())? {
                let (path, modified) = (Path::new(&path), modified(file));
                self.archives.add(path, packing, modified, packed);
                continue;
            }
            let mut log = Log::new(path.into());
            let mut older = generations.remove(&file.path).unwrap_or_default();
            older.retain(|older| !named.contains(&older.number));
            for older in &older {
                let own = content(older, file);
                // What was renamed just now is written to by those who have it open.
                let is_left = modified(file).since(modified(older)) > LEFT;
                // One that cannot be read must not keep the log from being opened.
                if is_left || is_compressed(older.name()) || own.warm_ends().is_err() {
                    self.take_closed(&mut log, own);
                } else {
                    self.take_far(&mut log, own, true)?;
                }
            }
            for older in &mut log.tracked {
                older.left = Some(Instant::now());
            }
            self.take_far(&mut log, own, true)?;
            self.logs.push(log);
        }
        Ok(())
    }

    /// Takes a file in as the newest of its log; nothing is read of it until somebody needs it.
    fn take_closed(&mut self, log: &mut Log, content: Arc<FarContent>) {
        let file = content.file();
        let path = PathBuf::from(named_afar(content.host(), &file.path));
        let closed = Content::Closed(Closed::Far(content));
        let part = self.part(log, &path, closed, modified(&file));
        log.tracked.push(Tracked::begun(part, 0));
    }

    /// Takes a file in as the newest of its log. One that is as it is for a while may end in a line that has no newline.
    fn take_far(
        &mut self,
        log: &mut Log,
        content: Arc<FarContent>,
        may_be_old: bool,
    ) -> io::Result<()> {
        let file = content.file();
        let path = PathBuf::from(named_afar(content.host(), &file.path));
        let modified = modified(&file);
        let part = self.part(log, &path, Content::Far(content), modified);
        let mut tracked = Tracked::begun(part, file.length);
        if may_be_old {
            let age = Time::now().since(modified);
            tracked.grown = Instant::now().checked_sub(age).unwrap_or(tracked.grown);
        }
        // Where it cannot be read now, it is tried again.
        let settled = tracked.settle(&self.options);
        log.tracked.push(tracked);
        settled
    }

    /// Files on other hosts that are followed; and those that nobody has looked into, which are looked for when somebody does.
    pub fn far_contents(&self) -> (Vec<Arc<FarContent>>, Vec<Arc<FarContent>>) {
        let (mut followed, mut closed) = (Vec::new(), Vec::new());
        for tracked in self.logs.iter().flat_map(|log| &log.tracked) {
            tracked.part.with_content(|content| match content {
                Content::Far(far) => followed.push(Arc::clone(far)),
                Content::Closed(Closed::Far(far)) => closed.push(Arc::clone(far)),
                _ => {}
            });
        }
        (followed, closed)
    }

    /// A file on another host became another: its bytes are read where they are now, and what came after it is the log's next.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn take_rotated(&mut self, rotated: &Rotated) -> io::Result<()> {
        let mut logs = std::mem::take(&mut self.logs);
        let taken = logs.iter_mut().find_map(|log| {
            let place = log.tracked.iter().position(|tracked| {
                let own = tracked.part.with_content(Content::far);
                own.is_some_and(|own| Arc::ptr_eq(&own, &rotated.content))
            })?;
            Some(self.take_rotated_of(log, place, rotated))
        });
        self.logs = logs;
        taken.unwrap_or(Ok(()))
    }

    fn take_rotated_of(
        &mut self,
        log: &mut Log,
        place: usize,
        rotated: &Rotated,
    ) -> io::Result<()> {
        let content = &rotated.content;
        let old = &mut log.tracked[place];
        old.left.get_or_insert_with(Instant::now);
        if let Some(to) = rotated.fate.file() {
            let path = named_afar(content.host(), &to.path);
            old.part.set_path(PathBuf::from(path));
        }
        match &rotated.fate {
            Fate::Renamed(_) => {}
            Fate::Compressed(to) => {
                let (host, origin) = (content.host().clone(), content.origin().to_owned());
                let compressed = Arc::new(FarContent::new(host, to.clone(), origin));
                old.part.close(Content::Closed(Closed::Far(compressed)));
            }
            Fate::Copied(_) | Fate::Lost => {
                if matches!(rotated.fate, Fate::Lost) {
                    tracing::warn!("{} was rotated, and it is not known where to", log.name);
                    old.part.move_to(Content::Gone);
                }
                old.part.settle(content.len(), Time::now());
                old.part.finish();
            }
        }
        let mut taken = old.grow(&self.options);
        for new in &rotated.newer {
            if let Some(newest) = log.tracked.last_mut() {
                newest.left.get_or_insert_with(Instant::now);
            }
            let new = Arc::clone(new);
            if is_compressed(new.file().name()) {
                self.take_closed(log, new);
            } else {
                taken = taken.and(self.take_far(log, new, false));
            }
        }
        taken
    }
}

/// When a file was modified.
fn modified(file: &FarFile) -> Time {
    Time(file.modified.saturating_mul(NANOSECONDS))
}

/// What a file on another host is called.
fn named_afar(host: &Host, path: &str) -> String {
    format!("{}:{path}", host.name())
}
