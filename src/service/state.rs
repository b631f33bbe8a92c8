//! What handlers share.

use axum::Router;
use tokio_util::sync::CancellationToken;

use super::access::Access;
use super::routes;
use crate::backend::Backend;
use crate::store::{Appender, Store};

/// A service over a log. Clones share it.
#[derive(Clone, Debug)]
pub struct Service {
    pub(super) store: Store,
    pub(super) backend: Backend,
    pub(super) appender: Appender,
    pub(super) access: Access,
    /// Ends streams, so that their clients go elsewhere.
    pub(super) stopping: CancellationToken,
}

impl Service {
    /// A service over this log, open to everybody who reaches it; it ends its streams when `stopping` is cancelled.
    #[must_use]
    pub fn new(store: Store, stopping: CancellationToken) -> Self {
        Self {
            backend: Backend::Store(store.clone()),
            appender: store.appender(),
            access: Access::Open,
            store,
            stopping,
        }
    }

    /// The same service for those who may come in.
    #[must_use]
    pub fn with_access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// Its routes, to be served or to be asked in process.
    pub fn router(self) -> Router {
        routes::router(self)
    }
}
