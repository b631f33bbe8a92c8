//! A bounded queue in memory between whoever reads and a sink.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::record::{Batch, Record};

/// Bytes of records that a queue holds, whatever their number.
const MAX_BYTES: usize = 8 << 20;

/// What happens to what comes while the queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// Whoever reads waits.
    Block,
    /// What comes is dropped.
    DropNewest,
    /// What is there is dropped, the oldest first.
    DropOldest,
}

/// How much a sink wants at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Appetite {
    /// So many records make it eat at once.
    pub records: usize,
    /// Fewer are eaten after so long.
    pub patience: Duration,
}

/// The queue.
#[derive(Debug)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    most: usize,
    full: Full,
    /// Something came, or the queue was closed.
    filled: Notify,
    /// Something was taken.
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    /// Batches stay together: moving one moves no record.
    batches: VecDeque<Batch>,
    records: usize,
    bytes: usize,
    since: Option<Instant>,
    closed: bool,
}

impl Queue {
    /// A queue of so many records.
    pub fn new(most: usize, full: Full) -> Self {
        Self {
            inner: Mutex::default(),
            most: most.max(1),
            full,
            filled: Notify::new(),
            emptied: Notify::new(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a batch in; how many records were dropped for it. Waits for room if that is what the queue does: a batch
    /// larger than the queue is taken when the queue is empty.
    pub async fn put(&self, batch: Batch) -> u64 {
        let bytes: usize = batch.records.iter().map(Record::weight).sum();
        if self.full == Full::Block && !batch.records.is_empty() {
            loop {
                let waiting = self.emptied.notified();
                {
                    let inner = self.inner();
                    let count = inner.records + batch.records.len();
                    let has_room = count <= self.most && inner.bytes + bytes <= MAX_BYTES;
                    if has_room || inner.records == 0 || inner.closed {
                        break;
                    }
                }
                waiting.await;
            }
        }
        let dropped = self.inner().take(batch, bytes, self.most, self.full);
        self.filled.notify_one();
        dropped
    }

    /// Waits for records; `None` when the queue is closed and empty. Safe to drop and call again.
    pub async fn next(&self, appetite: Appetite) -> Option<Batch> {
        loop {
            let waiting = self.filled.notified();
            let patience = {
                let mut inner = self.inner();
                let has_any = !inner.batches.is_empty();
                let is_enough = inner.records >= appetite.records || inner.closed;
                let waited = inner.since.map_or(Duration::ZERO, |since| since.elapsed());
                if has_any && (is_enough || waited >= appetite.patience) {
                    let batch = inner.give(appetite.records);
                    drop(inner);
                    self.emptied.notify_one();
                    return Some(batch);
                }
                if inner.closed {
                    return None;
                }
                has_any.then(|| appetite.patience.saturating_sub(waited))
            };
            match patience {
                None => waiting.await,
                Some(patience) => drop(tokio::time::timeout(patience, waiting).await),
            }
        }
    }

    /// Nothing more comes: what is there is still given.
    pub fn close(&self) {
        self.inner().closed = true;
        self.filled.notify_one();
        self.emptied.notify_waiters();
    }

    /// Records and bytes that wait.
    pub fn size(&self) -> (usize, usize) {
        let inner = self.inner();
        (inner.records, inner.bytes)
    }
}

impl Inner {
    fn take(&mut self, mut batch: Batch, bytes: usize, most: usize, full: Full) -> u64 {
        self.since.get_or_insert_with(Instant::now);
        let mut dropped = 0;
        if full == Full::DropNewest {
            let (mut records, mut size) = (self.records, self.bytes);
            let before = batch.records.len();
            batch.records.retain(|record| {
                let weight = record.weight();
                let has_room = records < most && size + weight <= MAX_BYTES;
                if has_room {
                    records += 1;
                    size += weight;
                }
                has_room
            });
            dropped = before - batch.records.len();
            (self.records, self.bytes) = (records, size);
        } else {
            self.records += batch.records.len();
            self.bytes += bytes;
        }
        // Marks without records go with what came before them.
        match self.batches.back_mut() {
            Some(last) if batch.records.is_empty() => last.add_marks(batch.marks),
            _ => self.batches.push_back(batch),
        }
        if full == Full::DropOldest {
            while self.records > most || (self.bytes > MAX_BYTES && self.records > 1) {
                let over = self.records.saturating_sub(most).max(1);
                dropped += self.drop_oldest(over);
            }
        }
        dropped as u64
    }

    /// Drops some of the oldest batch; its marks are kept: what it held need not be read again.
    fn drop_oldest(&mut self, most: usize) -> usize {
        let Some(oldest) = self.batches.front_mut() else {
            return 0;
        };
        let count = most.min(oldest.records.len());
        let bytes: usize = oldest
            .records
            .drain(..count)
            .map(|record| record.weight())
            .sum();
        if oldest.records.is_empty() && self.batches.len() > 1 {
            let marks = self.batches.pop_front().map(|batch| batch.marks);
            if let (Some(next), Some(mut marks)) = (self.batches.front_mut(), marks) {
                marks.append(&mut next.marks);
                next.add_marks(marks);
            }
        }
        self.records -= count;
        self.bytes = self.bytes.saturating_sub(bytes);
        count
    }

    fn give(&mut self, most: usize) -> Batch {
        let mut given = Batch::default();
        let most = most.max(1);
        while let Some(oldest) = self.batches.front_mut() {
            let room = most.saturating_sub(given.records.len());
            if oldest.records.len() > room {
                if given.records.is_empty() {
                    given.records.extend(oldest.records.drain(..room));
                }
                break;
            }
            let Some(mut whole) = self.batches.pop_front() else {
                break;
            };
            if given.records.is_empty() {
                given.records = whole.records;
            } else {
                given.records.append(&mut whole.records);
            }
            given.add_marks(whole.marks);
        }
        let bytes: usize = given.records.iter().map(Record::weight).sum();
        self.records -= given.records.len();
        self.bytes = self.bytes.saturating_sub(bytes);
        self.since = (!self.batches.is_empty()).then(Instant::now);
        given
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::entry::Entry;
    use crate::pipelines::record::Mark;

    const ALL: Appetite = Appetite {
        records: 100,
        patience: Duration::ZERO,
    };

    fn batch(numbers: std::ops::Range<u64>) -> Batch {
        let record = |number: u64| {
            Record::from(Entry {
                text: number.to_string(),
                ..Entry::default()
            })
        };
        Batch {
            marks: vec![Mark {
                source: "s".into(),
                key: String::new(),
                at: Some(json!(numbers.end)),
            }],
            records: numbers.map(record).collect(),
        }
    }

    fn told(batch: &Batch) -> (Vec<u64>, Vec<u64>) {
        let numbers = batch.records.iter().map(|record| &record.entry.text);
        let numbers = numbers.map(|text| text.parse().expect("a number"));
        let marks = batch.marks.iter().filter_map(|mark| mark.at.as_ref());
        (
            numbers.collect(),
            marks.map(|at| at.as_u64().expect("one")).collect(),
        )
    }

    #[tokio::test]
    async fn a_full_queue_blocks_or_drops_as_it_is_told() {
        let cases: [(Full, u64, Vec<u64>); 2] = [
            (Full::DropOldest, 4, vec![4, 5, 6, 7, 8]),
            (Full::DropNewest, 4, vec![0, 1, 2, 3, 4]),
        ];
        for (full, dropped, left) in cases {
            let queue = Queue::new(5, full);
            assert_eq!(queue.put(batch(0..3)).await, 0);
            assert_eq!(queue.put(batch(3..9)).await, dropped);
            let given = queue.next(ALL).await.expect("open");
            assert_eq!(told(&given), (left, vec![9]), "{full:?}");
        }
        let queue = std::sync::Arc::new(Queue::new(5, Full::Block));
        queue.put(batch(0..3)).await;
        let other = std::sync::Arc::clone(&queue);
        let putting = tokio::spawn(async move { other.put(batch(3..9)).await });
        tokio::task::yield_now().await;
        assert!(!putting.is_finished());
        assert_eq!(told(&queue.next(ALL).await.expect("open")).0, [0, 1, 2]);
        assert_eq!(putting.await.expect("joined"), 0);
        assert_eq!(told(&queue.next(ALL).await.expect("open")).0.len(), 6);
    }

    #[tokio::test]
    async fn marks_come_with_the_last_record_before_them() {
        let queue = Queue::new(100, Full::Block);
        queue.put(batch(0..4)).await;
        queue.put(batch(4..8)).await;
        queue.put(batch(8..8)).await;
        let few = Appetite { records: 3, ..ALL };
        let mut seen = Vec::new();
        for _ in 0..3 {
            seen.push(told(&queue.next(few).await.expect("open")));
        }
        assert_eq!(
            seen,
            [
                (vec![0, 1, 2], vec![]),
                (vec![3], vec![4]),
                (vec![4, 5, 6], vec![]),
            ]
        );
        assert_eq!(
            told(&queue.next(few).await.expect("open")),
            (vec![7], vec![8])
        );
        queue.close();
        assert_eq!(queue.next(few).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sink_may_wait_for_more() {
        let queue = Queue::new(100, Full::Block);
        let patient = Appetite {
            records: 4,
            patience: Duration::from_secs(1),
        };
        queue.put(batch(0..2)).await;
        let began = Instant::now();
        let given = queue.next(patient).await.expect("open");
        assert_eq!(given.records.len(), 2);
        assert!(began.elapsed() >= Duration::from_secs(1));
        queue.put(batch(0..4)).await;
        let began = Instant::now();
        queue.next(patient).await.expect("open");
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
