//! What the log says of itself.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::Unit;

use crate::store::{Health, Store};

/// What the log says of itself.
#[derive(Debug)]
pub(super) struct Log(pub Store);

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
        super::counters(&mut encoder, &counters)?;
        let (name, help) = (
            "log_commit_time",
            "Time that writing and syncing groups took",
        );
        let unit = Some(&Unit::Seconds);
        let metric = encoder.encode_descriptor(name, help, unit, MetricType::Counter)?;
        ConstCounter::new(figures.commit_time.as_secs_f64()).encode(metric)?;
        let takes = u64::from(self.0.health() == Health::Good);
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
                gauges.push((name, help, value));
            }
        }
        super::gauges(&mut encoder, &gauges)
    }
}
