//! A bounded queue in memory between whoever reads and a sink.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::record::{Batch, Mark, Record};

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
    records: VecDeque<Record>,
    bytes: usize,
    /// Where in the flow of records (counted from the start) each mark stands.
    marks: VecDeque<(u64, Mark)>,
    /// Records that were ever taken or dropped from the front.
    passed: u64,
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
                    let count = inner.records.len() + batch.records.len();
                    let has_room = count <= self.most && inner.bytes + bytes <= MAX_BYTES;
                    if has_room || inner.records.is_empty() || inner.closed {
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
                let has_any = !inner.records.is_empty() || !inner.marks.is_empty();
                let is_enough = inner.records.len() >= appetite.records || inner.closed;
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
        (inner.records.len(), inner.bytes)
    }
}

impl Inner {
    fn take(&mut self, batch: Batch, bytes: usize, most: usize, full: Full) -> u64 {
        let mut dropped = 0;
        self.since.get_or_insert_with(Instant::now);
        match full {
            Full::Block => {
                self.records.extend(batch.records);
                self.bytes += bytes;
            }
            Full::DropNewest => {
                for record in batch.records {
                    let weight = record.weight();
                    if self.records.len() >= most || self.bytes + weight > MAX_BYTES {
                        dropped += 1;
                    } else {
                        self.bytes += weight;
                        self.records.push_back(record);
                    }
                }
            }
            Full::DropOldest => {
                self.records.extend(batch.records);
                self.bytes += bytes;
                while self.records.len() > most
                    || (self.bytes > MAX_BYTES && self.records.len() > 1)
                {
                    self.pass();
                    dropped += 1;
                }
            }
        }
        let at = self.passed + self.records.len() as u64;
        for mark in batch.marks {
            let is_same = |(place, other): &(u64, Mark)| {
                *place == at && other.source == mark.source && other.key == mark.key
            };
            self.marks.retain(|other| !is_same(other));
            self.marks.push_back((at, mark));
        }
        dropped
    }

    fn pass(&mut self) -> Option<Record> {
        let record = self.records.pop_front()?;
        self.bytes = self.bytes.saturating_sub(record.weight());
        self.passed += 1;
        Some(record)
    }

    fn give(&mut self, most: usize) -> Batch {
        let count = self.records.len().min(most.max(1));
        let records = (0..count).filter_map(|_| self.pass()).collect();
        let mut marks = Vec::new();
        while let Some((at, mark)) = self.marks.pop_front() {
            if at > self.passed {
                self.marks.push_front((at, mark));
                break;
            }
            marks.push(mark);
        }
        self.since = (!self.records.is_empty()).then(Instant::now);
        Batch { records, marks }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::entry::Entry;

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
            assert_eq!(told(&given), (left, vec![3, 9]), "{full:?}");
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
                (vec![3, 4, 5], vec![4]),
                (vec![6, 7], vec![8])
            ]
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
