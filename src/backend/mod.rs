//! The narrow waist: whatever can be explored answers the same questions.
//!
//! The explorer, the command line and the HTTP handlers speak only to [`Backend`] and never know whether the log is near
//! or far. A closed list of bodies: the embedded log, a directory of binary logs, plain files, a remote service, and what is brought into
//! a log of our own: a Direktiv, a live stream, a blob; and several of these at once.

mod copied;
mod error;
mod events;
mod feed;
mod gather;
mod merged;
mod mirror;
mod services;
mod tail;
mod web_folder;

pub use crate::files::FileStanding;
#[cfg(test)]
pub use crate::pipelines::Trouble;
pub use crate::pipelines::{PartStatus, PipelineStatus};
pub use copied::Copied;
pub use error::Error;
pub use events::{
    EventsAsked, action_of, event_answer, event_page, firing_answer, firings_after,
    listener_answer, listener_page,
};
pub use feed::{Feed, FeedEvent};
pub use merged::{Member, Merged, Standing, State, member_of};
pub use mirror::Mirror;
pub use services::{Here, Kept, Services, blob_answer, stream_answer};
pub use web_folder::WebFolder;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::Time;
use crate::client::Client;
use crate::entry::{Entry, Position};
use crate::files::LogFiles;
use crate::logdir::LogDirectory;
use crate::query::{
    CompareRequest, Comparing, ContextRequest, Differences, Facets, FacetsRequest, FollowRequest,
    Histogram, HistogramRequest, NamespaceCount, Page, PageRequest, PatternsRequest, Query,
    TemplateCounts, Templates, Values, ValuesRequest,
};
use crate::store::Store;

/// Something that can be explored.
#[derive(Clone, Debug)]
pub enum Backend {
    /// The embedded log of this process.
    Store(Store),
    /// A directory of binary logs.
    Directory(LogDirectory),
    /// Plain log files.
    Files(LogFiles),
    /// A service, over HTTP.
    Remote(Client),
    /// A Direktiv, over HTTP, mirrored.
    Mirror(Mirror),
    /// A live stream or a blob, copied.
    Copied(Copied),
    /// Several of them at once, merged by time.
    Merged(Merged),
}

impl Backend {
    /// Reads one page; it may be partial, then its cursor goes on.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn page(&self, request: PageRequest) -> Result<Page, Error> {
        match self.reach(&request.query).await? {
            Near(store) => blocking(store, move |store, _| store.page(&request)).await,
            There(directory) => blocking(directory, move |log, _| log.page(&request)).await,
            Lying(files) => {
                blocking(files, move |files, stop| {
                    files.page(&request, &|| stop.load(Ordering::Relaxed))
                })
                .await
            }
            Far(client) => Ok(client.page(&request).await?),
            Many(merged) => merged.page(request).await,
        }
    }

    /// Follows what arrives.
    #[must_use]
    pub fn follow(&self, request: &FollowRequest) -> Feed {
        match self {
            Self::Store(store) => Feed::of_store(store.follow(request)),
            Self::Directory(directory) => Feed::of_directory(directory.follow(request)),
            Self::Files(files) => Feed::of_files(files.follow(request)),
            Self::Remote(client) => Feed::of_remote(client.follow(request)),
            Self::Mirror(mirror) => {
                mirror.begin(&request.query);
                Feed::of_mirror(mirror.store().follow(request), mirror.link())
            }
            Self::Copied(copied) => Feed::of_mirror(copied.store().follow(request), copied.link()),
            Self::Merged(merged) => Feed::of_merged(merged.follow(request)),
        }
    }

    /// Counts over time.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn histogram(&self, request: HistogramRequest) -> Result<Histogram, Error> {
        match self.reach(&request.query).await? {
            Near(store) => {
                blocking(store, move |store, stop| {
                    store.histogram(&request, &|| stop.load(Ordering::Relaxed))
                })
                .await
            }
            There(directory) => {
                blocking(directory, move |log, stop| {
                    log.histogram(&request, &|| stop.load(Ordering::Relaxed))
                })
                .await
            }
            Lying(files) => {
                blocking(files, move |files, stop| {
                    files.histogram(&request, &|| stop.load(Ordering::Relaxed))
                })
                .await
            }
            Far(client) => Ok(client.histogram(&request).await?),
            Many(merged) => merged.histogram(request).await,
        }
    }

    /// The most frequent values of a field.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn facets(&self, request: FacetsRequest) -> Result<Facets, Error> {
        match self.reach(&request.query).await? {
            Near(store) => {
                blocking(store, move |store, stop| {
                    store.facets(&request, &|| stop.load(Ordering::Relaxed))
                })
                .await
            }
            There(directory) => {
                blocking(directory, move |log, stop| {
                    log.facets(&request, &|| stop.load(Ordering::Relaxed))
                })
                .await
            }
            Lying(files) => {
                blocking(files, move |files, stop| {
                    files.facets(&request, &|| stop.load(Ordering::Relaxed))
                })
                .await
            }
            Far(client) => Ok(client.facets(&request).await?),
            Many(merged) => merged.facets(request).await,
        }
    }

    /// Lines of one shape, and how often they occur.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn patterns(&self, request: PatternsRequest) -> Result<Templates, Error> {
        let log = match self.reach(&request.query).await? {
            Near(store) => Log::Store(store.clone()),
            There(directory) => Log::Directory(directory.clone()),
            Lying(files) => Log::Files(files.clone()),
            Far(client) => return Ok(client.patterns(&request).await?),
            Many(merged) => return merged.patterns(request).await,
        };
        blocking(&log, move |log, stop| -> Result<_, Error> {
            let (now, most) = (request.now, request.sample);
            let mut counts = TemplateCounts::default();
            let see = &mut |entry: &Entry| counts.add(entry);
            let is_partial = log.sample(&request.query, now, most, stop, see)?;
            Ok(counts.top(is_partial, request.limit))
        })
        .await
    }

    /// What is different in a span from what lies before it.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn compare(&self, request: CompareRequest) -> Result<Differences, Error> {
        let log = match self.reach(&request.query).await? {
            Near(store) => Log::Store(store.clone()),
            There(directory) => Log::Directory(directory.clone()),
            Lying(files) => Log::Files(files.clone()),
            Far(client) => return Ok(client.compare(&request).await?),
            Many(merged) => return merged.compare(request).await,
        };
        blocking(&log, move |log, stop| -> Result<_, Error> {
            let (now, most) = (request.now, request.sample);
            let (mut comparing, mut is_partial) = (Comparing::default(), false);
            for (query, is_inside) in request.sides().iter().zip([true, false]) {
                let see = &mut |entry: &Entry| comparing.add(entry, is_inside);
                is_partial |= log.sample(query, now, most, stop, see)?;
            }
            Ok(comparing.done(is_partial, request.limit))
        })
        .await
    }

    /// Completions of field names and values.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn values(&self, request: ValuesRequest) -> Result<Values, Error> {
        match self.reach(&Query::default()).await? {
            Near(store) => blocking(store, move |store, _| store.values(&request)).await,
            There(directory) => blocking(directory, move |log, _| log.values(&request)).await,
            Lying(files) => blocking(files, move |files, _| files.values(&request)).await,
            Far(client) => Ok(client.values(&request).await?),
            Many(merged) => merged.values(request).await,
        }
    }

    /// What surrounds an entry; `None` when it is not kept.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn context(&self, request: ContextRequest) -> Result<Option<Page>, Error> {
        match self.reach(&request.query).await? {
            Near(store) => blocking(store, move |store, _| store.context(&request)).await,
            There(directory) => blocking(directory, move |log, _| log.context(&request)).await,
            Lying(files) => {
                blocking(files, move |files, stop| {
                    files.context(&request, &|| stop.load(Ordering::Relaxed))
                })
                .await
            }
            Far(client) => Ok(client.context(&request).await?),
            Many(merged) => merged.context(request).await,
        }
    }

    /// One entry, if it is kept.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn entry(&self, position: Position) -> Result<Option<Entry>, Error> {
        match self.reach(&Query::default()).await? {
            Near(store) => blocking(store, move |store, _| store.entry(position)).await,
            There(directory) => blocking(directory, move |log, _| log.entry(position)).await,
            Lying(files) => blocking(files, move |files, _| files.entry(position)).await,
            Far(client) => Ok(client.entry(position).await?),
            Many(merged) => merged.entry(position).await,
        }
    }

    /// Namespaces and what they hold.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn namespaces(&self) -> Result<Vec<NamespaceCount>, Error> {
        match self.reach(&Query::default()).await? {
            Near(store) => Ok(store.namespaces()),
            There(directory) => {
                blocking(directory, |log, stop| {
                    log.namespaces(&|| stop.load(Ordering::Relaxed))
                })
                .await
            }
            Lying(files) => {
                let counted = |files: &LogFiles, _: &AtomicBool| Ok(files.namespaces());
                blocking::<_, _, crate::files::Error>(files, counted).await
            }
            Far(client) => Ok(client.namespaces().await?),
            Many(merged) => merged.namespaces().await,
        }
    }

    /// How it is with each of several logs; nothing of one alone.
    #[must_use]
    pub fn standing(&self) -> Vec<Standing> {
        match self {
            Self::Merged(merged) => merged.standing(),
            _ => Vec::new(),
        }
    }

    /// The plain files that are explored, alone or with other logs.
    #[must_use]
    pub fn files(&self) -> Vec<FileStanding> {
        match self {
            Self::Files(files) => files.standing(),
            Self::Merged(merged) => merged.files(),
            _ => Vec::new(),
        }
    }

    /// Takes the lines of a plain log for a format; everything is to be asked for anew.
    ///
    /// # Errors
    /// There is no such format, or no such log.
    pub fn set_format(&self, log: &str, format: &str) -> Result<(), Error> {
        match self {
            Self::Files(files) => files.set_format(log, format).map_err(Error::Said),
            Self::Merged(merged) => merged.set_format(log, format),
            _ => Err(Error::Said(
                "only the lines of plain files can be taken for a format".to_owned(),
            )),
        }
    }

    /// Corrects the clock of one of several logs; pages are to be asked for anew.
    pub fn set_skew(&self, member: usize, nanoseconds: i64) {
        if let Self::Merged(merged) = self {
            merged.set_skew(member, nanoseconds);
        }
    }

    /// Whether an entry asked for by its position says more than the same entry on a page: what else is known of its
    /// request.
    #[must_use]
    pub fn joins(&self) -> bool {
        match self {
            Self::Directory(_) | Self::Files(_) => true,
            Self::Merged(merged) => merged.joins(),
            Self::Store(_) | Self::Remote(_) | Self::Mirror(_) | Self::Copied(_) => false,
        }
    }

    /// Where a question is answered; of a mirror, when what it names is there.
    async fn reach(&self, query: &Query) -> Result<Reached<'_>, Error> {
        match self {
            Self::Store(store) => Ok(Near(store)),
            Self::Directory(directory) => Ok(There(directory)),
            Self::Files(files) => Ok(Lying(files)),
            Self::Remote(client) => Ok(Far(client)),
            Self::Merged(merged) => Ok(Many(merged)),
            Self::Mirror(mirror) => {
                mirror.ready(query).await?;
                Ok(Near(mirror.store()))
            }
            Self::Copied(copied) => {
                copied.ready().await?;
                Ok(Near(copied.store()))
            }
        }
    }
}

/// A log that is read here.
#[derive(Clone)]
enum Log {
    Store(Store),
    Directory(LogDirectory),
    Files(LogFiles),
}

impl Log {
    /// Shows the newest entries that match, up to so many; whether there were more.
    fn sample(
        &self,
        query: &Query,
        now: Time,
        most: u64,
        stop: &AtomicBool,
        see: &mut dyn FnMut(&Entry),
    ) -> Result<bool, Error> {
        let stop = || stop.load(Ordering::Relaxed);
        Ok(match self {
            Self::Store(store) => store.sample(query, now, most, &stop, see)?,
            Self::Directory(directory) => directory.sample(query, now, most, &stop, see)?,
            Self::Files(files) => files.sample(query, now, most, &stop, see)?,
        })
    }
}

use Reached::{Far, Lying, Many, Near, There};

/// Where a question is answered.
enum Reached<'b> {
    Near(&'b Store),
    There(&'b LogDirectory),
    Lying(&'b LogFiles),
    Far(&'b Client),
    Many(&'b Merged),
}

/// Runs a question on a thread that may block; whoever stops waiting for the answer stops the work too.
async fn blocking<L: Clone + Send + 'static, T: Send + 'static, E: Send + 'static>(
    log: &L,
    ask: impl FnOnce(&L, &AtomicBool) -> Result<T, E> + Send + 'static,
) -> Result<T, Error>
where
    Error: From<E>,
{
    let log = log.clone();
    let stop = Arc::new(AtomicBool::new(false));
    let _guard = StopOnDrop(Arc::clone(&stop));
    let asked = tokio::task::spawn_blocking(move || ask(&log, &stop)).await;
    asked.map_err(|_| Error::Interrupted)?.map_err(Error::from)
}

struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
