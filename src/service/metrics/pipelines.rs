//! What pipelines say of themselves.

use std::fmt;
use std::sync::{Arc, Mutex};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::pipelines::{PartStatus, Pipelines};

/// What pipelines say of themselves.
#[derive(Clone, Debug, Default)]
pub(super) struct Moving(pub Arc<Mutex<Pipelines>>);

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
