//! What streams, blobs and events say of themselves.

use std::fmt;
use std::sync::{Arc, OnceLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use crate::backend::Kept;
use crate::events::Events;

/// What streams and blobs say of themselves.
#[derive(Clone, Debug, Default)]
pub(super) struct Keeping(pub Arc<OnceLock<Kept>>);

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
        super::counters(&mut encoder, &counters)?;
        let gauges = [
            ("stream_readers", "Who reads streams", Some(streams.readers)),
            ("streams_open", "Streams that are open", streams.open),
        ];
        let known: Vec<_> = gauges
            .into_iter()
            .filter_map(|(name, help, value)| Some((name, help, value?)))
            .collect();
        super::gauges(&mut encoder, &known)
    }
}

/// What events and their listeners say of themselves.
#[derive(Clone, Debug, Default)]
pub(super) struct Happening(pub Arc<OnceLock<Events>>);

impl Collector for Happening {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        // What cannot be read now is told by its absence.
        let Some(Ok(figures)) = self.0.get().map(Events::figures) else {
            return Ok(());
        };
        let counters = [
            ("events_taken", "Events that were ever taken", figures.taken),
            (
                "event_firings",
                "Firings of listeners since the start",
                figures.fired,
            ),
        ];
        super::counters(&mut encoder, &counters)?;
        let gauges = [
            ("events_kept", "Events of the history", figures.history),
            ("events_delayed", "Events that are not due", figures.delayed),
            (
                "event_listeners",
                "What waits for events",
                figures.listeners,
            ),
            (
                "event_firings_pending",
                "Firings whose actions are not done",
                figures.pending,
            ),
            (
                "event_firings_dead",
                "Firings whose actions failed for good",
                figures.dead,
            ),
        ];
        super::gauges(&mut encoder, &gauges)
    }
}
