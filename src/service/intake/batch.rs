//! Entries to batches, batches to the disk.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::api::{IngestAnswer, Rejection};
use crate::base::Time;
use crate::entry::Entry;
use crate::entry::decode::Defaults;
use crate::pipelines::Ingest;
use crate::service::Service;
use crate::service::error::Failure;
use crate::service::metrics::Sent;
use crate::store;

use super::Tenant;

/// Entries appended together.
const BATCH: usize = 1_000;
/// Bytes of entries appended together: long lines make small batches.
const BATCH_BYTES: usize = 4 << 20;
/// Batches on their way to the disk while the next is read.
const IN_FLIGHT: usize = 4;
/// How long a sender waits for a pipeline whose buffers are full before it is asked to come again.
const PIPELINE_PATIENCE: Duration = Duration::from_secs(10);
/// Rejections that are told.
const MAX_REJECTIONS: usize = 1_000;

/// Collects entries into batches and follows them to the disk.
pub(in crate::service) struct Intake<'s> {
    service: &'s Service,
    protocol: &'static str,
    tenant: Tenant,
    /// What entries get that do not say it themselves.
    pub defaults: Defaults,
    /// The line, or the place in a list, of what comes next, from 1.
    pub line: u64,
    batch: Vec<Entry>,
    batch_bytes: usize,
    pending: VecDeque<InFlight>,
    outcome: Outcome,
    /// Where entries go, if not into the log.
    pipeline: Option<Ingest>,
}

/// A batch on its way to the disk: how many entries it has.
type InFlight = JoinHandle<Result<u64, store::Error>>;

/// What became of what was sent.
#[derive(Debug, Default)]
pub(in crate::service) struct Outcome {
    pub answer: IngestAnswer,
    /// All that was rejected, told or not.
    pub rejected: u64,
    /// Why the rest was not taken.
    pub failure: Option<Failure>,
}

impl<'s> Intake<'s> {
    pub fn new(service: &'s Service, protocol: &'static str, tenant: Tenant) -> Self {
        let mut defaults = Defaults::at(Time::now());
        if let Some(namespace) = tenant.namespace() {
            namespace.clone_into(&mut defaults.namespace);
        }
        Self {
            service,
            protocol,
            tenant,
            defaults,
            line: 0,
            batch: Vec::new(),
            batch_bytes: 0,
            pending: VecDeque::new(),
            outcome: Outcome::default(),
            pipeline: None,
        }
    }

    /// The same into a pipeline.
    pub fn into_pipeline(mut self, ingest: Ingest) -> Self {
        let namespace = self.tenant.namespace().map(str::to_owned);
        self.defaults = ingest.defaults();
        self.defaults.namespace = namespace.unwrap_or(self.defaults.namespace);
        self.pipeline = Some(ingest);
        self
    }

    /// Whether entries may be put into any namespace: then it may be derived from what they say of themselves.
    pub fn is_free(&self) -> bool {
        self.tenant.namespace().is_none()
    }

    /// Whether nothing more is taken: the log failed or is too far behind.
    pub fn is_over(&self) -> bool {
        self.outcome.failure.is_some()
    }

    pub async fn entry(&mut self, entry: Entry) {
        if let Some(objection) = self.tenant.objection(&entry) {
            return self.reject(objection);
        }
        self.batch_bytes += entry.weight();
        self.batch.push(entry);
        if self.batch.len() >= BATCH || self.batch_bytes >= BATCH_BYTES {
            self.submit().await;
        }
    }

    pub fn reject(&mut self, reason: impl Into<String>) {
        self.outcome.rejected += 1;
        let sent = Sent {
            protocol: self.protocol,
        };
        self.service.metrics.rejected.get_or_create(&sent).inc();
        if let Some(ingest) = &self.pipeline {
            ingest.refused(1);
        }
        let rejected = &mut self.outcome.answer.rejected;
        if rejected.len() < MAX_REJECTIONS {
            rejected.push(Rejection {
                line: self.line,
                reason: reason.into(),
            });
        }
    }

    async fn submit(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        let bytes = std::mem::take(&mut self.batch_bytes);
        if self.is_over() {
            return;
        }
        while self.pending.len() >= IN_FLIGHT {
            self.settle().await;
        }
        let share = match self.service.budget.fly(bytes).await {
            Ok(share) => share,
            Err(failure) => {
                self.service.metrics.behind.inc();
                return self.outcome.failure = Some(failure);
            }
        };
        let (since, count) = (Instant::now(), batch.len() as u64);
        if let Some(ingest) = &self.pipeline {
            match tokio::time::timeout(PIPELINE_PATIENCE, ingest.give(batch)).await {
                Ok(Ok(())) => self.accepted(count),
                Ok(Err(error)) => self.outcome.failure = Some(Failure::pipeline(&error)),
                Err(_) => self.outcome.failure = Some(Failure::behind()),
            }
            return;
        }
        let appender = self.service.appender.clone();
        let metrics = Arc::clone(&self.service.metrics);
        // Handing over waits while the log is behind: the sender feels it.
        let turn = self.service.budget.turn().await;
        let pending = tokio::task::spawn_blocking(move || {
            let pending = appender.submit(batch);
            drop(turn);
            (pending, share)
        });
        let pending = pending.await;
        // The share is given back when the batch is durable, even while its sender pauses.
        self.pending.push_back(tokio::spawn(async move {
            let outcome = match pending {
                Ok((pending, _share)) => pending.done().await,
                Err(_) => Err(store::Error::Closed),
            };
            metrics.appends.observe(since.elapsed().as_secs_f64());
            outcome.map(|_| count)
        }));
    }

    async fn settle(&mut self) {
        let Some(batch) = self.pending.pop_front() else {
            return;
        };
        match batch.await.unwrap_or(Err(store::Error::Closed)) {
            Ok(count) => self.accepted(count),
            Err(error) => self.outcome.failure = Some(error.into()),
        }
    }

    fn accepted(&mut self, count: u64) {
        let sent = Sent {
            protocol: self.protocol,
        };
        let metrics = &self.service.metrics;
        metrics.accepted.get_or_create(&sent).inc_by(count);
        self.outcome.answer.accepted += count;
    }

    /// Waits until everything is durable.
    pub async fn finish(mut self) -> Outcome {
        if !self.batch.is_empty() {
            self.submit().await;
        }
        while !self.pending.is_empty() {
            self.settle().await;
        }
        self.outcome
    }

    /// The same for senders that send everything again when a part of it failed.
    pub async fn finish_whole(self) -> Result<Outcome, Failure> {
        let mut outcome = self.finish().await;
        outcome.failure.take().map_or(Ok(outcome), Err)
    }
}
