//! Several sources of different kinds at once: each opened as it would be alone, explored as one.

use std::collections::{BTreeMap, btree_map};
use std::path::Path;

use super::Error;
use super::args::Kind;
use super::directory::{is_address, is_log};
use super::open::Opened;
use super::programs::Program;
use crate::backend::{Backend, Member, Merged};
use crate::config::Settings;
use crate::entry::Entry;
use crate::logdir;
use crate::pipelines::waiting;
use crate::store::{Lock, Store};

/// Entries taken at once.
const BATCH: usize = 1_000;

/// Whether sources are to be opened one by one: files belong together, everything else is a log of its own.
pub(super) fn are_several(sources: &[String]) -> bool {
    sources.len() > 1 && sources.iter().any(|source| is_whole(source))
}

/// Whether a source is a log of its own.
fn is_whole(source: &str) -> bool {
    let path = Path::new(source);
    source == "-"
        || Program::of(source).is_some()
        || is_address(source)
        || is_log(path)
        || logdir::is_log_directory(path)
}

impl Opened {
    /// Opens all; one that cannot be opened is said, and keeps nobody from the others.
    pub(super) async fn several(
        settings: &Settings,
        sources: &[String],
        kind: &Kind,
    ) -> Result<Self, Error> {
        let (whole, files): (Vec<_>, Vec<_>) =
            sources.iter().cloned().partition(|source| is_whole(source));
        let mut groups: Vec<Vec<String>> = whole.into_iter().map(|source| vec![source]).collect();
        if !files.is_empty() {
            groups.push(files);
        }
        let (mut parts, mut notes, mut failure) = (Vec::new(), Vec::new(), None);
        for group in groups {
            match Box::pin(Self::from(settings, &group, kind)).await {
                Ok(opened) => parts.push(opened),
                Err(error) => {
                    notes.push(format!(
                        "{} is not shown: {}",
                        group.join(" "),
                        error.explained()
                    ));
                    failure.get_or_insert(error);
                }
            }
        }
        if let (true, Some(failure)) = (parts.is_empty(), failure) {
            return Err(failure);
        }
        Self::as_one(parts, notes)
    }

    fn as_one(parts: Vec<Self>, mut notes: Vec<String>) -> Result<Self, Error> {
        let members = parts.iter().map(|part| Member {
            name: part.name.clone(),
            backend: part.backend.clone(),
            skew: 0,
        });
        let merged = Merged::new(members.collect())?;
        notes.extend(parts.iter().flat_map(|part| part.notes.clone()));
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        let mut opened = Self::of(Backend::Merged(merged), names.join(" + "));
        opened.indexing = parts.iter().find_map(|part| part.indexing.clone());
        opened.stdin = parts.iter().find_map(|part| part.stdin.clone());
        opened.notes = notes;
        opened.parts = parts;
        Ok(opened)
    }

    /// The log of a data directory together with what the pipelines of a service that is gone have not delivered.
    pub(super) fn with_what_waits(self, dir: &Path) -> Result<Self, Error> {
        // A service that lives delivers it by itself.
        if Lock::is_held(dir) && self.store().is_none() {
            return Ok(self);
        }
        let mut waits: BTreeMap<String, Undelivered> = BTreeMap::new();
        let mut notes = Vec::new();
        let mut look = || -> Result<(), Error> {
            let mut failure = None;
            let looked = waiting(&dir.join("pipelines"), |of, entry| {
                let name = format!("undelivered: {} to {}", of.pipeline, of.sink);
                if let Err(error) = Undelivered::take(&mut waits, name, entry) {
                    failure.get_or_insert(error);
                }
            });
            if let Err(error) = looked {
                notes.push(format!("what waits in pipelines cannot be read: {error}"));
            }
            waits.values_mut().try_for_each(Undelivered::flush)?;
            failure.map_or(Ok(()), Err)
        };
        // Buffers may hold gigabytes: they are read here, batch by batch.
        tokio::task::block_in_place(&mut look)?;
        let mut parts = Vec::new();
        for (name, waits) in waits {
            notes.push(format!("{} entries {name}", waits.count));
            parts.push(waits.opened);
        }
        if parts.is_empty() {
            return Ok(self);
        }
        parts.insert(0, self);
        Self::as_one(parts, notes)
    }
}

/// What waits in one buffer, as a log.
struct Undelivered {
    opened: Opened,
    store: Store,
    batch: Vec<Entry>,
    count: u64,
}

impl Undelivered {
    fn take(waits: &mut BTreeMap<String, Self>, name: String, entry: Entry) -> Result<(), Error> {
        let waits = match waits.entry(name) {
            btree_map::Entry::Occupied(known) => known.into_mut(),
            btree_map::Entry::Vacant(place) => {
                let (opened, store) = Opened::temporary(place.key().clone())?;
                place.insert(Self {
                    opened,
                    store,
                    batch: Vec::new(),
                    count: 0,
                })
            }
        };
        waits.count += 1;
        waits.batch.push(entry);
        if waits.batch.len() < BATCH {
            return Ok(());
        }
        waits.flush()
    }

    fn flush(&mut self) -> Result<(), Error> {
        let batch = std::mem::take(&mut self.batch);
        self.store.appender().submit(batch).wait()?;
        Ok(())
    }
}
