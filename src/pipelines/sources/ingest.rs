//! What is posted: the HTTP side is the service's, here it is given to the lanes.

use super::outlet::Outlet;
use crate::base::Time;
use crate::entry::Entry;
use crate::entry::decode::Defaults;
use crate::pipelines::lane::told;
use crate::pipelines::record::Record;

/// Where what is posted comes in. Clones lead to the same.
#[derive(Clone, Debug)]
pub struct Ingest(Outlet);

/// Why what was posted is not taken.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The pipeline ends, or is made anew.
    #[error("the pipeline is stopping; send it again")]
    Stopping,
    /// A buffer on disk cannot be written.
    #[error("the buffer before a sink cannot be written: {0}")]
    Buffer(String),
}

impl Ingest {
    pub(in crate::pipelines) fn new(outlet: Outlet) -> Self {
        Self(outlet)
    }

    /// What entries get that do not say it themselves.
    #[must_use]
    pub fn defaults(&self) -> Defaults {
        Defaults {
            arrival: Time::now(),
            ..self.0.defaults("http")
        }
    }

    /// Gives entries to every sink's buffer. When it returns they survive what their buffers survive: those on disk a
    /// power cut.
    ///
    /// # Errors
    /// The pipeline ends, or a buffer cannot be written: they are to be sent again.
    pub async fn give(&self, entries: Vec<Entry>) -> Result<(), IngestError> {
        let records = entries.into_iter().map(|entry| {
            let text = entry.text.clone();
            self.0.record(entry, &text)
        });
        let records: Vec<Record> = records.collect();
        tokio::select! {
            () = self.0.give(records, Vec::new()) => {}
            () = self.0.stopping.cancelled() => return Err(IngestError::Stopping),
        }
        let outlet = self.0.clone();
        let synced = tokio::task::spawn_blocking(move || outlet.sync()).await;
        match synced {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(IngestError::Buffer(told(&error))),
            Err(_) => Err(IngestError::Stopping),
        }
    }

    /// What was posted and refused.
    pub fn refused(&self, count: u64) {
        self.0.invalid(count);
    }
}
