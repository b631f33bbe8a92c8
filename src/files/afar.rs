//! Files on other hosts are looked at in the background: who asks for entries waits for no host that is silent.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::content::Content;
use super::far::{Change, FarContent, FarFile, Host};
use super::tracked::Tracked;
use super::watched::{Log, Watched};
use super::{LogFiles, Shared};
use crate::base::{Backoff, Time};

/// How often they are looked at; and at the least, while the host is silent.
const LOOK: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));
/// Nanoseconds of a second.
const NANOSECONDS: i64 = 1_000_000_000;

/// What a file became whose name is another's, or that holds something else.
pub(super) struct Rotated {
    pub content: Arc<FarContent>,
    /// Where its bytes are now, if they are anywhere.
    pub to: Option<FarFile>,
    /// Whether nothing more is appended to where its bytes are: it is a copy.
    pub is_cut: bool,
    /// What has its name now, if that is not of another log.
    pub new: Option<FarFile>,
}

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
        let (contents, host) = (files.far_contents(), files.0.host.clone());
        drop(files);
        let Some(host) = host else { return };
        let paths: Vec<String> = contents.iter().map(|of| of.file().path).collect();
        // That it is silent is told by the host itself.
        let Ok(found) = host.look(&paths) else {
            std::thread::sleep(backoff.delay());
            continue;
        };
        backoff.reset();
        for content in &contents {
            let path = content.file().path;
            let now = found.iter().find(|file| file.path == path);
            match rotated(content, now, &contents) {
                Ok(None) => {}
                Ok(Some(rotated)) => {
                    if let Some(files) = shared.upgrade().map(LogFiles) {
                        files.take_rotated(rotated);
                    }
                }
                Err(error) => tracing::debug!(%error, "{path} cannot be looked at"),
            }
        }
        std::thread::sleep(LOOK.0);
    }
}

/// Looks at a file that is now so; what became of it, if it is another.
fn rotated(
    content: &Arc<FarContent>,
    now: Option<&FarFile>,
    all: &[Arc<FarContent>],
) -> io::Result<Option<Rotated>> {
    let before = content.file();
    let change = match now {
        Some(now) => content.look(now)?,
        // A log that is gone for a moment is being rotated.
        None if before.path == content.origin() => Change::None,
        None => Change::Replaced,
    };
    if change == Change::None {
        return Ok(None);
    }
    let is_cut = change == Change::Cut;
    let mut to = None;
    for other in content.host().beside(content.origin())? {
        let is_same = other.number == before.number;
        if is_same != is_cut && (is_same || content.is_copied_in(&other)?) {
            to = Some(other);
            break;
        }
    }
    let mut new = now.filter(|_| before.path == content.origin()).cloned();
    if let Some(found) = &new {
        // Numbers are given again when files are removed: what it holds is looked at, too.
        for other in all.iter().filter(|other| !Arc::ptr_eq(other, content)) {
            if other.file().number == found.number && other.is_copied_in(found)? {
                new = None;
                break;
            }
        }
    }
    Ok(Some(Rotated {
        content: Arc::clone(content),
        to,
        is_cut,
        new,
    }))
}

impl Watched {
    /// Takes a file of another host in.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn add_far(&mut self, host: &Host, file: FarFile) -> io::Result<()> {
        let mut log = Log::new(named_afar(host, &file).into());
        self.take_far(&mut log, host, file)?;
        self.logs.push(log);
        Ok(())
    }

    fn take_far(&mut self, log: &mut Log, host: &Host, file: FarFile) -> io::Result<()> {
        let path = PathBuf::from(named_afar(host, &file));
        let (length, modified) = (file.length, Time(file.modified.saturating_mul(NANOSECONDS)));
        let content = Content::Far(Arc::new(FarContent::new(host.clone(), file)));
        let part = self.part(log, &path, content, modified);
        let age = Time::now().since(modified);
        let mut tracked = Tracked::begun(part, length);
        tracked.grown = Instant::now().checked_sub(age).unwrap_or(tracked.grown);
        // Where it cannot be read now, it is tried again.
        let settled = tracked.settle(&self.options);
        log.tracked.push(tracked);
        settled
    }

    /// Files on other hosts: their names may move on.
    pub fn far_contents(&self) -> Vec<Arc<FarContent>> {
        let tracked = self.logs.iter().flat_map(|log| &log.tracked);
        tracked
            .filter_map(|tracked| tracked.part.with_content(Content::far))
            .collect()
    }

    /// A file on another host became another: its bytes are read where they are now, and what has its name is the log's next.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn take_rotated(&mut self, rotated: Rotated) -> io::Result<()> {
        let Rotated {
            content,
            to,
            is_cut,
            new,
        } = rotated;
        let host = content.host();
        let mut logs = std::mem::take(&mut self.logs);
        let mut taken = Ok(());
        for log in &mut logs {
            let place = log.tracked.iter().position(|tracked| {
                let own = tracked.part.with_content(Content::far);
                own.is_some_and(|own| Arc::ptr_eq(&own, &content))
            });
            let Some(place) = place else { continue };
            let is_newest = place + 1 == log.tracked.len();
            let old = &mut log.tracked[place];
            let is_lost = to.is_none();
            if let Some(to) = to {
                old.part.set_path(PathBuf::from(named_afar(host, &to)));
                old.left.get_or_insert_with(Instant::now);
                let length = if is_cut { to.length } else { content.len() };
                content.move_to(FarFile { length, ..to });
            } else {
                tracing::warn!("{} was rotated, and it is not known where to", log.name);
                old.part.move_to(Content::Gone);
            }
            if is_cut || is_lost {
                old.part.settle(content.len(), Time::now());
                old.part.finish();
            }
            if let Some(new) = new.filter(|_| is_newest) {
                taken = self.take_far(log, host, new);
            }
            break;
        }
        self.logs = logs;
        taken
    }
}

/// What a file on another host is called.
fn named_afar(host: &Host, file: &FarFile) -> String {
    format!("{}:{}", host.name(), file.path)
}
