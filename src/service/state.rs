//! What handlers share.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::LogsServiceServer;
use tokio_util::sync::CancellationToken;

use super::access::{Access, Secret};
use super::error::Failure;
use super::hub::Hub;
use super::intake::{Budget, MAX_EXPORT_BYTES};
use super::limits::{Limits, Rates};
use super::metrics::Metrics;
use super::{layers, routes};
use crate::backend::{Backend, Kept};
use crate::base::Networks;
use crate::blobs::Blobs;
use crate::events::Events;
use crate::pipelines::Pipelines;
use crate::store::{Appender, Store};
use crate::streams::Streams;

/// A service over a log. Clones share it.
#[derive(Clone, Debug)]
pub struct Service {
    pub(super) store: Store,
    pub(super) backend: Backend,
    pub(super) appender: Appender,
    pub(super) options: Arc<Options>,
    pub(super) limits: Arc<Limits>,
    pub(super) budget: Budget,
    pub(super) metrics: Arc<Metrics>,
    pub(super) hub: Hub,
    pub(super) pipelines: Pipelines,
    /// Streams and blobs, where they are kept.
    pub(super) kept: Option<Kept>,
    /// Events, where they are kept.
    pub(super) events: Option<Events>,
    pub(super) secret: Secret,
    /// Ends streams, so that their clients go elsewhere.
    pub(super) stopping: CancellationToken,
}

/// What a listener demands and offers.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whom it lets in.
    pub access: Access,
    /// From where they may come.
    pub networks: Networks,
    /// How often one may ask.
    pub rates: Rates,
    /// Pages of these origins may ask from browsers: `https://ui.example`, or `*`.
    pub origins: Vec<String>,
    /// How long a sender may pause within a body.
    pub body_timeout: Duration,
    /// Whether requests have to name this machine as their host: where it is open to this machine only, a web page that
    /// gives its own name to this machine's address shall not get in.
    pub local_hosts: bool,
    /// How links begin: `https://logs.example`; `None` is what the request calls the service.
    pub public_url: Option<String>,
    /// Whether it speaks TLS.
    pub is_secure: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            access: Access::Open,
            networks: Networks::default(),
            rates: Rates::default(),
            origins: Vec::new(),
            body_timeout: Duration::from_secs(30),
            local_hosts: false,
            public_url: None,
            is_secure: false,
        }
    }
}

impl Service {
    /// A service over this log, open to everybody who reaches it; it ends its streams when `stopping` is cancelled.
    #[must_use]
    pub fn new(store: Store, stopping: CancellationToken) -> Self {
        let options = Options::default();
        Self {
            backend: Backend::Store(store.clone()),
            appender: store.appender(),
            limits: Arc::new(Limits::new(options.rates)),
            budget: Budget::default(),
            metrics: Metrics::new(&store),
            hub: Hub::default(),
            pipelines: Pipelines::default(),
            kept: None,
            events: None,
            secret: Secret::random().unwrap_or_else(|_| unreachable!()),
            options: Arc::new(options),
            store,
            stopping,
        }
    }

    /// The same service with other demands.
    #[must_use]
    pub fn with_options(self, options: Options) -> Self {
        Self {
            limits: Arc::new(Limits::new(options.rates)),
            options: Arc::new(options),
            ..self
        }
    }

    /// The same service with pipelines.
    #[must_use]
    pub fn with_pipelines(self, pipelines: Pipelines) -> Self {
        self.metrics.watch(&pipelines);
        Self { pipelines, ..self }
    }

    /// The same service with streams and blobs, and what it signs with.
    #[must_use]
    pub fn with_kept(self, kept: Kept, secret: Secret) -> Self {
        self.metrics.watch_kept(&kept);
        Self {
            kept: Some(kept),
            secret,
            ..self
        }
    }

    /// The same service with events.
    #[must_use]
    pub fn with_events(self, events: Events) -> Self {
        self.metrics.watch_events(&events);
        Self {
            events: Some(events),
            ..self
        }
    }

    /// The events, where they are kept.
    pub(super) fn events(&self) -> Result<&Events, Failure> {
        let events = self.events.as_ref();
        events.ok_or_else(|| Failure::not_found("no events are kept here"))
    }

    /// The streams, where they are kept.
    pub(super) fn streams(&self) -> Result<&Streams, Failure> {
        let kept = self.kept.as_ref().map(|kept| &kept.streams);
        kept.ok_or_else(|| Failure::not_found("no live streams are kept here"))
    }

    /// The blobs, where they are kept.
    pub(super) fn blobs(&self) -> Result<&Blobs, Failure> {
        let kept = self.kept.as_ref().map(|kept| &kept.blobs);
        kept.ok_or_else(|| Failure::not_found("no blobs are kept here"))
    }

    /// The routes of one pipeline, on a port of its own: with its name before them, and without.
    pub fn pipeline_router(self, name: &str) -> Router {
        routes::pipeline_router(self, name)
    }

    /// Whether there is such a namespace.
    pub(super) fn known(&self, namespace: &str) -> Result<(), Failure> {
        let is_known = self.store.has_namespace(namespace);
        is_known
            .then_some(())
            .ok_or_else(Failure::namespace_not_found)
    }

    /// Its routes, to be served or to be asked in process.
    pub fn router(self) -> Router {
        routes::router(self)
    }

    /// OpenTelemetry's log records over gRPC.
    pub fn grpc_router(self) -> Router {
        use tonic::codec::CompressionEncoding::{Gzip, Zstd};
        let logs = LogsServiceServer::new(self.clone())
            .accept_compressed(Gzip)
            .accept_compressed(Zstd)
            .max_decoding_message_size(MAX_EXPORT_BYTES);
        let router = tonic::service::Routes::new(logs).into_axum_router();
        layers::around_grpc(router, self)
    }
}
