//! What the service tells monitoring: `GET /metrics`, in the text form that Prometheus reads.
//!
//! What requests do is counted as they come; what the log does is asked of it at every scrape.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::backend::Kept;
use crate::pipelines::{PartStatus, Pipelines};
use crate::store::{Health, Store};

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

/// What pipelines say of themselves.
#[derive(Clone, Debug, Default)]
struct Moving(Arc<Mutex<Pipelines>>);

type Read = fn(&PartStatus) -> u64;

/// A part of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Part {
    pipeline: String,
    kind: &'static str,
    id: String,
}

/// The same, and why it dropped something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Dropped {
    pipeline: String,
    kind: &'static str,
    id: String,
    reason: String,
}

impl Collector for Moving {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let pipelines = self.0.lock().map(|own| own.clone()).unwrap_or_default();
        let mut parts = Vec::new();
        for status in pipelines.status() {
            let lists = [
                ("source", status.sources),
                ("filter", status.filters),
                ("sink", status.sinks),
            ];
            for (part, list) in lists {
                for of in list {
                    let labels = Part {
                        pipeline: status.name.clone(),
                        kind: part,
                        id: of.id.clone(),
                    };
                    parts.push((labels, of));
                }
            }
        }
        let counters: [(&str, &str, Read); 3] = [
            (
                "pipeline_entries",
                "Entries passed on or delivered",
                |part| part.given,
            ),
            ("pipeline_moved_bytes", "Bytes read or written", |part| {
                part.bytes
            }),
            (
                "pipeline_retries",
                "Failures that were tried again",
                |part| part.retries,
            ),
        ];
        for (name, help, read) in counters {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (labels, part) in &parts {
                let metric = family.encode_family(labels)?;
                ConstCounter::new(read(part)).encode(metric)?;
            }
        }
        let help = "Entries dropped, by reason";
        let mut family =
            encoder.encode_descriptor("pipeline_dropped", help, None, MetricType::Counter)?;
        for (labels, part) in &parts {
            for (reason, count) in &part.dropped {
                let labels = Dropped {
                    pipeline: labels.pipeline.clone(),
                    kind: labels.kind,
                    id: labels.id.clone(),
                    reason: reason.clone(),
                };
                ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
            }
        }
        let gauges: [(&str, &str, Read); 4] = [
            ("pipeline_lag_bytes", "Bytes still to be read", |part| {
                part.lag_bytes
            }),
            (
                "pipeline_waiting_entries",
                "Entries in memory before a sink",
                |part| part.waiting,
            ),
            (
                "pipeline_waiting_bytes",
                "Bytes before a sink, in memory or on disk",
                |part| part.waiting_bytes,
            ),
            ("pipeline_clients", "Connections", |part| part.clients),
        ];
        for (name, help, read) in gauges {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (labels, part) in &parts {
                let value = i64::try_from(read(part)).unwrap_or(i64::MAX);
                ConstGauge::new(value).encode(family.encode_family(labels)?)?;
            }
        }
        Ok(())
    }
}

/// What streams and blobs say of themselves.
#[derive(Clone, Debug, Default)]
struct Keeping(Arc<OnceLock<Kept>>);

impl Collector for Keeping {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let Some(kept) = self.0.get() else {
            return Ok(());
        };
        let (streams, blobs) = (kept.streams.figures(), kept.blobs.figures());
        let counters = [
            ("stream_lines", "Lines pushed to streams", streams.lines),
            ("blobs_stored", "Blobs stored", blobs.stored),
            (
                "blobs_stored_bytes",
                "Bytes of blobs stored, as they came",
                blobs.bytes,
            ),
        ];
        for (name, help, value) in counters {
            let family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(value).encode(family)?;
        }
        let gauges = [
            ("stream_readers", "Who reads streams", Some(streams.readers)),
            ("streams_open", "Streams that are open", streams.open),
        ];
        for (name, help, value) in gauges {
            let Some(value) = value else { continue };
            let family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(family)?;
        }
        Ok(())
    }
}

/// What the log says of itself.
#[derive(Debug)]
struct Log(Store);

impl Collector for Log {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let figures = self.0.figures();
        let counters = [
            (
                "log_entries_appended",
                "Entries accepted since the start",
                figures.entries,
            ),
            (
                "log_commits",
                "Groups of batches made durable at once",
                figures.commits,
            ),
            (
                "log_wal_written_bytes",
                "Bytes written to the write-ahead log",
                figures.wal_bytes,
            ),
            (
                "log_segments_sealed",
                "Memtables that became segments",
                figures.sealed,
            ),
            (
                "log_segments_rewritten",
                "Segments written in the place of others",
                figures.rewritten,
            ),
            (
                "log_entries_dropped",
                "Entries that retention dropped",
                figures.dropped,
            ),
        ];
        for (name, help, value) in counters {
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(value).encode(metric)?;
        }
        let (name, help) = (
            "log_commit_time",
            "Time that writing and syncing groups took",
        );
        let unit = Some(&Unit::Seconds);
        let metric = encoder.encode_descriptor(name, help, unit, MetricType::Counter)?;
        ConstCounter::new(figures.commit_time.as_secs_f64()).encode(metric)?;
        let takes = i64::from(self.0.health() == Health::Good);
        let mut gauges = vec![("log_healthy", "Whether the log takes entries", takes)];
        // What cannot be read now is told by its absence.
        if let Ok(stat) = self.0.stat() {
            let bytes = stat.segments.iter().map(|segment| segment.bytes).sum();
            let entries = self.0.count();
            for (name, help, value) in [
                ("log_entries", "Entries there are", entries),
                ("log_head", "The newest position", stat.head.0),
                (
                    "log_segments",
                    "Segments there are",
                    stat.segments.len() as u64,
                ),
                ("log_segments_bytes", "Bytes of the segments", bytes),
                (
                    "log_wal_bytes",
                    "Bytes of the write-ahead logs",
                    stat.wal_bytes,
                ),
                (
                    "log_unsealed_entries",
                    "Entries that no segment holds yet",
                    stat.unsealed,
                ),
            ] {
                gauges.push((name, help, i64::try_from(value).unwrap_or(i64::MAX)));
            }
        }
        for (name, help, value) in gauges {
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(value).encode(metric)?;
        }
        Ok(())
    }
}
