//! The narrow waist: whatever can be explored answers the same questions.
//!
//! The explorer, the command line and the HTTP handlers speak only to [`Backend`] and never know whether the log is near
//! or far. A closed list of bodies: the embedded log and a remote service.

mod error;
mod feed;
mod gather;

pub use error::Error;
pub use feed::{Feed, FeedEvent};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::client::Client;
use crate::entry::{Entry, Position};
use crate::query::{
    ContextRequest, Facets, FacetsRequest, FollowRequest, Histogram, HistogramRequest,
    NamespaceCount, Page, PageRequest, Values, ValuesRequest,
};
use crate::store::Store;

/// Something that can be explored.
#[derive(Clone, Debug)]
pub enum Backend {
    /// The embedded log of this process.
    Store(Store),
    /// A service, over HTTP.
    Remote(Client),
}

impl Backend {
    /// Reads one page; it may be partial, then its cursor goes on.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn page(&self, request: PageRequest) -> Result<Page, Error> {
        match self {
            Self::Store(store) => blocking(store, move |store, _| store.page(&request)).await,
            Self::Remote(client) => Ok(client.page(&request).await?),
        }
    }

    /// Follows what arrives.
    #[must_use]
    pub fn follow(&self, request: &FollowRequest) -> Feed {
        match self {
            Self::Store(store) => Feed::of_store(store.follow(request)),
            Self::Remote(client) => Feed::of_remote(client.follow(request)),
        }
    }

    /// Counts over time.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn histogram(&self, request: HistogramRequest) -> Result<Histogram, Error> {
        match self {
            Self::Store(store) => {
                blocking(store, move |store, stop| {
                    store.histogram(&request, &|| stop.load(Ordering::Relaxed))
                })
                .await
            }
            Self::Remote(client) => Ok(client.histogram(&request).await?),
        }
    }

    /// The most frequent values of a field.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn facets(&self, request: FacetsRequest) -> Result<Facets, Error> {
        match self {
            Self::Store(store) => {
                blocking(store, move |store, stop| {
                    store.facets(&request, &|| stop.load(Ordering::Relaxed))
                })
                .await
            }
            Self::Remote(client) => Ok(client.facets(&request).await?),
        }
    }

    /// Completions of field names and values.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn values(&self, request: ValuesRequest) -> Result<Values, Error> {
        match self {
            Self::Store(store) => blocking(store, move |store, _| store.values(&request)).await,
            Self::Remote(client) => Ok(client.values(&request).await?),
        }
    }

    /// What surrounds an entry; `None` when it is not kept.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn context(&self, request: ContextRequest) -> Result<Option<Page>, Error> {
        match self {
            Self::Store(store) => blocking(store, move |store, _| store.context(&request)).await,
            Self::Remote(client) => Ok(client.context(&request).await?),
        }
    }

    /// One entry, if it is kept.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn entry(&self, position: Position) -> Result<Option<Entry>, Error> {
        match self {
            Self::Store(store) => blocking(store, move |store, _| store.entry(position)).await,
            Self::Remote(client) => Ok(client.entry(position).await?),
        }
    }

    /// Namespaces and what they hold.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn namespaces(&self) -> Result<Vec<NamespaceCount>, Error> {
        match self {
            Self::Store(store) => Ok(store.namespaces()),
            Self::Remote(client) => Ok(client.namespaces().await?),
        }
    }
}

/// Runs a question on a thread that may block; whoever stops waiting for the answer stops the work too.
async fn blocking<T: Send + 'static>(
    store: &Store,
    ask: impl FnOnce(&Store, &AtomicBool) -> Result<T, crate::store::Error> + Send + 'static,
) -> Result<T, Error> {
    let store = store.clone();
    let stop = Arc::new(AtomicBool::new(false));
    let _guard = StopOnDrop(Arc::clone(&stop));
    let asked = tokio::task::spawn_blocking(move || ask(&store, &stop)).await;
    asked.map_err(|_| Error::Interrupted)?.map_err(Error::from)
}

struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
