//! A live stream or a blob, explored through a log of our own.
//!
//! Streams and blobs can be read from one end to the other and nothing more. So their lines are copied into a temporary
//! log as they come, and that log answers every question.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::mirror::Link;
use super::tail::Item;
use super::{Error, Services};
use crate::base::Time;
use crate::entry::decode::{self, Defaults};
use crate::entry::{Entry, Level, Position};
use crate::store::{Durability, Options, Store};

/// Lines of a stream that are copied, the newest; as many as of a Direktiv's past.
const MOST_LINES: u64 = 200_000;
/// Bytes of a blob that are copied, the first.
const MOST_BYTES: u64 = 256 << 20;
/// How long the first lines are waited for.
const GRACE: Duration = Duration::from_millis(300);
/// Bytes of a line of a blob; more become several.
const MOST_LINE_BYTES: usize = 1 << 20;
/// What holds this byte early on is no text.
const NOT_TEXT: u8 = 0;
/// How far it is looked for.
const LOOKED_AT: usize = 8 << 10;

/// A stream or a blob, copied. Clones share the copy; it ends, and is removed, with the last of them.
#[derive(Clone, Debug)]
pub struct Copied {
    store: Store,
    link: watch::Receiver<Link>,
    /// Whether there is such a thing.
    begun: watch::Receiver<Begun>,
    _ending: Arc<DropGuard>,
    _dir: Arc<TempDir>,
}

type Begun = Option<Result<(), Arc<Error>>>;

impl Copied {
    /// Begins to copy what has a name: the stream, or else the blob.
    ///
    /// # Errors
    /// There is no room for a temporary log.
    pub fn begin(services: &Services, key: &str) -> Result<Self, Error> {
        let dir = tempfile::Builder::new()
            .prefix("tailwater-")
            .tempdir()
            .map_err(|error| Error::Said(format!("cannot create a temporary log: {error}")))?;
        let options = Options {
            durability: Durability::None,
            ..Options::default()
        };
        let (store, _) = Store::open(dir.path(), options)?;
        let (link, linked) = watch::channel(Link::Connecting);
        let (begun, has_begun) = watch::channel(None);
        let ended = CancellationToken::new();
        let copying = Copying {
            services: services.clone(),
            key: key.to_owned(),
            store: store.clone(),
            link,
            begun,
            latest: Time::MIN,
        };
        let until = ended.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = until.cancelled() => {}
                () = copying.run() => {}
            }
        });
        Ok(Self {
            store,
            link: linked,
            begun: has_begun,
            _ending: Arc::new(ended.drop_guard()),
            _dir: Arc::new(dir),
        })
    }

    /// The log it is copied into.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    pub(super) fn link(&self) -> watch::Receiver<Link> {
        self.link.clone()
    }

    /// Waits until its first lines are there.
    ///
    /// # Errors
    /// There is no such thing, or nobody answers.
    pub(super) async fn ready(&self) -> Result<(), Error> {
        let mut begun = self.begun.clone();
        // A task that is gone was ended, and the program with it.
        let begun = begun
            .wait_for(Option::is_some)
            .await
            .map_err(|_| Error::Interrupted)?;
        match &*begun {
            Some(Err(error)) => Err(Error::Shared(Arc::clone(error))),
            _ => Ok(()),
        }
    }
}

/// The copying.
struct Copying {
    services: Services,
    key: String,
    store: Store,
    link: watch::Sender<Link>,
    begun: watch::Sender<Begun>,
    /// The newest time so far: lines stay in their order, whatever times they say.
    latest: Time,
}

impl Copying {
    async fn run(mut self) {
        let copied = self.copy().await;
        match copied {
            Ok(()) => drop(self.link.send_replace(Link::Ended)),
            Err(error) => {
                let error = Arc::new(error);
                let lost = Link::Lost(Arc::clone(&error), Duration::ZERO);
                self.link.send_replace(lost);
                self.begun.send_if_modified(|begun| {
                    let is_first = begun.is_none();
                    if is_first {
                        *begun = Some(Err(error));
                    }
                    is_first
                });
                // Whoever asks is told why until they go.
                std::future::pending::<()>().await;
            }
        }
    }

    fn has_begun(&self) -> bool {
        self.begun.borrow().is_some()
    }

    fn begin(&self) {
        if !self.has_begun() {
            self.begun.send_replace(Some(Ok(())));
        }
        self.link.send_if_modified(|link| {
            let is_new = !matches!(link, Link::Connected);
            *link = Link::Connected;
            is_new
        });
    }

    async fn copy(&mut self) -> Result<(), Error> {
        let Some(mut source) = self.services.tail(&self.key, MOST_LINES).await? else {
            return self.copy_blob().await;
        };
        let grace = tokio::time::sleep(GRACE);
        tokio::pin!(grace);
        loop {
            let items = tokio::select! {
                items = source.next() => items?,
                // It is open, and silent.
                () = &mut grace, if !self.has_begun() => {
                    self.begin();
                    continue;
                }
            };
            let is_over = items.iter().any(|item| matches!(item, Item::End));
            let lost = items.iter().find_map(|item| match item {
                Item::Lost(reason) => Some(reason.clone()),
                _ => None,
            });
            let entries: Vec<Entry> = items
                .into_iter()
                .filter_map(|item| self.entry(item))
                .collect();
            self.take(entries).await?;
            match lost {
                Some(reason) => {
                    let error = Arc::new(Error::Said(reason));
                    self.link.send_replace(Link::Lost(error, Duration::ZERO));
                }
                None => self.begin(),
            }
            if is_over {
                return Ok(());
            }
        }
    }

    fn account(&self) -> &str {
        self.key.split('/').next().unwrap_or_default()
    }

    fn entry(&mut self, item: Item) -> Option<Entry> {
        match item {
            Item::Line(number, line) => {
                let mut entry = line.entry(self.account(), &self.key, number);
                entry.position = Position(0);
                Some(entry)
            }
            Item::Gap(first, last) => {
                Some(self.remark(format!("lines {first} to {last} are gone")))
            }
            Item::End | Item::Lost(_) => None,
        }
    }

    /// Something that is said between the lines.
    fn remark(&self, text: String) -> Entry {
        let mut entry = Entry {
            time: self.latest.max(Time(0)),
            level: Level::Warn,
            text,
            source: Some(self.key.clone()),
            ..Entry::default()
        };
        self.account().clone_into(&mut entry.scope.namespace);
        entry
    }

    async fn take(&mut self, mut entries: Vec<Entry>) -> Result<(), Error> {
        for entry in &mut entries {
            entry.time = entry.time.max(self.latest);
            self.latest = entry.time;
        }
        if !entries.is_empty() {
            self.store.appender().append(entries).await?;
        }
        Ok(())
    }

    async fn copy_blob(&mut self) -> Result<(), Error> {
        let (modified, mut chunks) = self.services.read_blob(&self.key).await?;
        let mut defaults = Defaults {
            namespace: self.account().to_owned(),
            source: Some(self.key.clone()),
            ..Defaults::at(modified)
        };
        let (mut pending, mut bytes) = (Vec::new(), 0);
        let mut is_cut = false;
        while let Some(chunk) = chunks.try_next().await? {
            if bytes == 0
                && memchr::memchr(NOT_TEXT, &chunk[..chunk.len().min(LOOKED_AT)]).is_some()
            {
                let reason = format!("{} is no text: it can be saved, not shown", self.key);
                return Err(Error::Said(reason));
            }
            bytes += chunk.len() as u64;
            pending.extend_from_slice(&chunk);
            let entries = decoded(&mut pending, &mut defaults, false);
            self.take(entries).await?;
            self.begin();
            if bytes >= MOST_BYTES {
                is_cut = true;
                break;
            }
        }
        let mut entries = decoded(&mut pending, &mut defaults, true);
        if is_cut {
            let shown = crate::base::units::print_size(bytes);
            entries.push(self.remark(format!("only the first {shown} are shown")));
        }
        self.take(entries).await?;
        self.begin();
        Ok(())
    }
}

/// The entries of whole lines; with the end, also of what is left. Lines without a time have that of the line before them.
fn decoded(pending: &mut Vec<u8>, defaults: &mut Defaults, is_end: bool) -> Vec<Entry> {
    let (mut entries, mut at) = (Vec::new(), 0);
    loop {
        let rest = &pending[at..];
        let end = match memchr::memchr(b'\n', &rest[..rest.len().min(MOST_LINE_BYTES)]) {
            Some(end) => end,
            None if rest.len() >= MOST_LINE_BYTES => MOST_LINE_BYTES,
            None if is_end && !rest.is_empty() => rest.len(),
            None => break,
        };
        let (entry, _) = decode::line(&rest[..end], defaults);
        defaults.arrival = entry.time;
        entries.push(entry);
        at += end + usize::from(rest.get(end) == Some(&b'\n'));
    }
    pending.drain(..at);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_blob_are_cut_at_their_ends() {
        let mut defaults = Defaults::at(Time(7));
        let mut pending = b"one\n\ntwo".to_vec();
        let texts = |entries: Vec<Entry>| -> Vec<String> {
            entries.into_iter().map(|entry| entry.text).collect()
        };
        let whole = decoded(&mut pending, &mut defaults, false);
        assert_eq!(texts(whole), ["one", ""]);
        assert_eq!(pending, b"two");
        assert_eq!(texts(decoded(&mut pending, &mut defaults, true)), ["two"]);
        assert_eq!(pending, b"");
        let mut long = vec![b'x'; MOST_LINE_BYTES + 3];
        let parts = decoded(&mut long, &mut defaults, true);
        let lengths: Vec<usize> = parts.iter().map(|entry| entry.text.len()).collect();
        assert_eq!(lengths, [MOST_LINE_BYTES, 3]);
    }
}
