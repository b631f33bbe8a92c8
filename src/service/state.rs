//! What handlers share.

use axum::Router;
use tokio_util::sync::CancellationToken;

use super::routes;
use crate::backend::Backend;
use crate::store::{Appender, Store};

/// A service over a log. Clones share it.
#[derive(Clone, Debug)]
pub struct Service {
    pub(super) store: Store,
    pub(super) backend: Backend,
    pub(super) appender: Appender,
    /// Ends streams, so that their clients go elsewhere.
    pub(super) stopping: CancellationToken,
}

impl Service {
    /// A service over this log; it ends its streams when `stopping` is cancelled.
    #[must_use]
    pub fn new(store: Store, stopping: CancellationToken) -> Self {
        Self {
            backend: Backend::Store(store.clone()),
            appender: store.appender(),
            store,
            stopping,
        }
    }

    /// Its routes, to be served or to be asked in process.
    pub fn router(self) -> Router {
        routes::router(self)
    }
}
