//! The memory that all senders share.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::service::error::Failure;

/// The unit of counting.
const UNIT: usize = 1 << 10;
/// Bytes of bodies that are being read.
const READING: usize = 128 << 20;
/// Bytes of entries on their way to the disk.
const IN_FLIGHT: usize = 64 << 20;
/// Batches that wait to be handed over, each on a thread: questions need threads, too.
const HANDING: usize = 32;
/// How long a batch waits for the log before its sender is asked to come again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes that bodies and entries may take, over all requests. Clones share it.
#[derive(Clone, Debug)]
pub(in crate::service) struct Budget {
    reading: Arc<Semaphore>,
    in_flight: Arc<Semaphore>,
    most: usize,
    handing: Arc<Semaphore>,
    patience: Duration,
}

/// A part of the budget, given back when dropped.
#[derive(Debug, Default)]
pub(in crate::service) struct Share(Option<OwnedSemaphorePermit>);

impl Default for Budget {
    fn default() -> Self {
        Self::of(READING, IN_FLIGHT, PATIENCE)
    }
}

impl Budget {
    pub fn of(reading: usize, in_flight: usize, patience: Duration) -> Self {
        let units = |bytes: usize| Arc::new(Semaphore::new(bytes / UNIT));
        Self {
            reading: units(reading),
            in_flight: units(in_flight),
            most: in_flight,
            handing: Arc::new(Semaphore::new(HANDING)),
            patience,
        }
    }

    /// Makes room for a body that has grown to so many bytes. A body is refused at once: its sender still has it.
    pub fn read(&self, share: &mut Share, bytes: usize) -> Result<(), Failure> {
        let held = share
            .0
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        let Some(more) = bytes
            .div_ceil(UNIT)
            .checked_sub(held)
            .filter(|more| *more > 0)
        else {
            return Ok(());
        };
        let more = u32::try_from(more).map_err(|_| Failure::behind())?;
        let more = Arc::clone(&self.reading).try_acquire_many_owned(more);
        let more = more.map_err(|_| Failure::behind())?;
        match &mut share.0 {
            Some(share) => share.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }

    /// Waits for a turn to hand a batch over.
    pub async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.handing).acquire_owned().await.ok()
    }

    /// Waits for room for a batch of so many bytes. One that is larger than all there is takes all there is.
    pub async fn fly(&self, bytes: usize) -> Result<Share, Failure> {
        let units =
            u32::try_from(bytes.min(self.most).div_ceil(UNIT)).map_err(|_| Failure::behind())?;
        let waiting = Arc::clone(&self.in_flight).acquire_many_owned(units);
        match tokio::time::timeout(self.patience, waiting).await {
            Ok(Ok(permit)) => Ok(Share(Some(permit))),
            Ok(Err(_)) | Err(_) => Err(Failure::behind()),
        }
    }
}
