//! What the service tells monitoring: `GET /metrics`, in the text form that Prometheus reads.
//!
//! What requests do is counted as they come; what the log does is asked of it at every scrape.

mod beside;
mod log;
mod pipelines;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::backend::Kept;
use crate::events::Events;
use crate::pipelines::Pipelines;
use crate::store::Store;
use beside::{Happening, Keeping};
use log::Log;
use pipelines::Moving;

/// Upper bounds of the buckets of latencies, in seconds.
const LATENCIES: [f64; 12] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0,
];

/// Everything that is counted.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    /// From the head of a request to the head of its answer.
    pub requests: Family<Asked, Histogram>,
    /// Entries that are durable.
    pub accepted: Family<Sent, Counter>,
    /// Entries that were not taken, and told so.
    pub rejected: Family<Sent, Counter>,
    /// From handing over a batch until it is durable.
    pub appends: Histogram,
    /// Batches and bodies that were asked to come again because the log was behind.
    pub behind: Counter,
    /// Subscriptions under way.
    pub subscribers: Gauge,
    /// Entries sent to subscribers.
    pub delivered: Counter,
    pipelines: Moving,
    kept: Keeping,
    events: Happening,
}

/// Of which kind a request is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Asked {
    pub method: String,
    pub route: String,
    pub status: u16,
}

/// By which protocol entries came.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Sent {
    pub protocol: &'static str,
}

impl Metrics {
    pub fn new(store: &Store) -> Arc<Self> {
        let requests = Family::<Asked, Histogram>::new_with_constructor(latencies);
        let mut metrics = Self {
            registry: Registry::with_prefix("tailwater"),
            requests,
            accepted: Family::default(),
            rejected: Family::default(),
            appends: latencies(),
            behind: Counter::default(),
            subscribers: Gauge::default(),
            delivered: Counter::default(),
            pipelines: Moving::default(),
            kept: Keeping::default(),
            events: Happening::default(),
        };
        let registry = &mut metrics.registry;
        registry.register_with_unit(
            "http_request_duration",
            "From the head of a request to the head of its answer",
            Unit::Seconds,
            metrics.requests.clone(),
        );
        registry.register(
            "ingest_accepted",
            "Entries that are durable",
            metrics.accepted.clone(),
        );
        registry.register(
            "ingest_rejected",
            "Entries that were not taken",
            metrics.rejected.clone(),
        );
        registry.register_with_unit(
            "ingest_append_duration",
            "From handing over a batch until it is durable",
            Unit::Seconds,
            metrics.appends.clone(),
        );
        registry.register(
            "ingest_behind",
            "Bodies and batches that were asked to come again because the log was behind",
            metrics.behind.clone(),
        );
        registry.register(
            "subscribers",
            "Subscriptions under way",
            metrics.subscribers.clone(),
        );
        registry.register(
            "subscribers_delivered",
            "Entries sent to subscribers",
            metrics.delivered.clone(),
        );
        registry.register_collector(Box::new(Log(store.clone())));
        registry.register_collector(Box::new(metrics.pipelines.clone()));
        registry.register_collector(Box::new(metrics.kept.clone()));
        registry.register_collector(Box::new(metrics.events.clone()));
        Arc::new(metrics)
    }

    /// Tells of pipelines, too.
    pub fn watch(&self, pipelines: &Pipelines) {
        let mut own = self.pipelines.0.lock();
        match &mut own {
            Ok(own) => **own = pipelines.clone(),
            Err(poisoned) => **poisoned.get_mut() = pipelines.clone(),
        }
    }

    /// Tells of streams and blobs, too.
    pub fn watch_kept(&self, kept: &Kept) {
        // There is one of them for as long as the service is there.
        let _ = self.kept.0.set(kept.clone());
    }

    /// Tells of events, too.
    pub fn watch_events(&self, events: &Events) {
        let _ = self.events.0.set(events.clone());
    }

    /// Counts a request that was answered.
    pub fn asked(&self, asked: &Asked, took: Duration) {
        self.requests
            .get_or_create(asked)
            .observe(took.as_secs_f64());
    }

    /// Everything, in the text form of Prometheus.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn latencies() -> Histogram {
    Histogram::new(LATENCIES)
}

/// A figure that is asked for at every scrape: its name, what it is, its value.
type Figure = (&'static str, &'static str, u64);

/// Figures that only grow.
fn counters(encoder: &mut DescriptorEncoder, figures: &[Figure]) -> fmt::Result {
    for (name, help, value) in figures {
        let metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        ConstCounter::new(*value).encode(metric)?;
    }
    Ok(())
}

/// Figures that go up and down.
fn gauges(encoder: &mut DescriptorEncoder, figures: &[Figure]) -> fmt::Result {
    for (name, help, value) in figures {
        let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        ConstGauge::new(i64::try_from(*value).unwrap_or(i64::MAX)).encode(metric)?;
    }
    Ok(())
}
