//! Blocks that were read ahead, decoded on other threads while whoever asked for them goes on.

use std::collections::VecDeque;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::block::Decoder;
use super::entry::LogEntry;
use super::{Defect, MAX_BLOCK_BYTES};

/// More threads than this gain nothing: finding blocks is the work of one.
const MAX_THREADS: usize = 4;
/// Fewer bytes are decoded sooner than a thread is begun.
const WORTH_THREADS_BYTES: usize = 64 << 10;
/// As long as decoded blocks that wait take about this much memory, no other is decoded ahead.
const MAX_WAITING_BYTES: usize = MAX_BLOCK_BYTES;

/// A block as it is stored, without its separator.
#[derive(Debug)]
pub(super) struct Stored {
    pub place: Range<u64>,
    pub bytes: Vec<u8>,
}

/// What became of a block.
pub(super) type Decoded = Result<Vec<LogEntry>, Defect>;

/// Blocks in the order they were put, to be taken in that order.
#[derive(Default)]
pub(super) struct Ahead {
    places: VecDeque<Range<u64>>,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// There may be something to decode.
    work: Condvar,
    /// Something was decoded.
    done: Condvar,
}

#[derive(Default)]
struct Queue {
    slots: VecDeque<Slot>,
    /// The running number of the first of them.
    first: usize,
    /// Stored bytes that wait to be decoded.
    stored: usize,
    /// Memory of what was decoded and waits to be taken, in bytes.
    waiting: usize,
    closed: bool,
}

enum Slot {
    Stored(Vec<u8>),
    InWork,
    Decoded(Decoded, usize),
}

impl Ahead {
    /// How many blocks there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// How many stored bytes nobody has decoded yet.
    pub fn stored_bytes(&self) -> usize {
        self.shared.lock().stored
    }

    /// Puts a block behind the others.
    pub fn put(&mut self, block: Stored) {
        let mut queue = self.shared.lock();
        queue.stored += block.bytes.len();
        queue.slots.push_back(Slot::Stored(block.bytes));
        let worth_it = queue.stored >= WORTH_THREADS_BYTES;
        drop(queue);
        self.places.push_back(block.place);
        if worth_it && self.threads.is_empty() {
            self.begin();
        }
        self.shared.work.notify_one();
    }

    /// Takes the first block; one that nobody has decoded is decoded here.
    pub fn take(&mut self, decoder: &mut Decoder) -> Option<(Range<u64>, Decoded)> {
        let place = self.places.pop_front()?;
        let mut queue = self.shared.lock();
        while matches!(queue.slots.front(), Some(Slot::InWork)) {
            let done = self.shared.done.wait(queue);
            queue = done.unwrap_or_else(PoisonError::into_inner);
        }
        queue.first += 1;
        match queue.slots.pop_front()? {
            Slot::Stored(bytes) => {
                queue.stored -= bytes.len();
                drop(queue);
                Some((place, decoder.entries(&bytes)))
            }
            Slot::Decoded(decoded, length) => {
                queue.waiting -= length;
                drop(queue);
                // There is room for another.
                self.shared.work.notify_one();
                Some((place, decoded))
            }
            Slot::InWork => None,
        }
    }

    fn begin(&mut self) {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 1..threads.min(MAX_THREADS) {
            let shared = Arc::clone(&self.shared);
            let thread = std::thread::Builder::new().name("logdir-decoder".to_owned());
            // Without any, the blocks are decoded where they are taken.
            self.threads
                .extend(thread.spawn(move || shared.work()).ok());
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.work.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decodes block after block until nobody wants more.
    fn work(&self) {
        let mut decoder = Decoder::default();
        let mut queue = self.lock();
        while !queue.closed {
            let Some((number, bytes)) = queue.claim() else {
                let work = self.work.wait(queue);
                queue = work.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(queue);
            // Whoever waits for the block must not wait for ever.
            let decoded = catch_unwind(AssertUnwindSafe(|| decoder.entries(&bytes)));
            let decoded = decoded.unwrap_or(Err(Defect::Short));
            let entries = decoded.as_ref().map_or(0, Vec::len);
            let memory = decoder.body_length() + entries * size_of::<LogEntry>();
            queue = self.lock();
            queue.finish(number, decoded, memory);
            self.done.notify_one();
        }
    }
}

impl Queue {
    /// The next block to decode, by its running number, as long as there is room.
    fn claim(&mut self) -> Option<(usize, Vec<u8>)> {
        if self.waiting >= MAX_WAITING_BYTES {
            return None;
        }
        let is_stored = |slot: &Slot| matches!(slot, Slot::Stored(_));
        let at = self.slots.iter().position(is_stored)?;
        match std::mem::replace(&mut self.slots[at], Slot::InWork) {
            Slot::Stored(bytes) => {
                self.stored -= bytes.len();
                Some((self.first + at, bytes))
            }
            other => {
                self.slots[at] = other;
                None
            }
        }
    }

    fn finish(&mut self, number: usize, decoded: Decoded, length: usize) {
        // A block in work is not taken: it is still where it was.
        if let Some(slot) = self.slots.get_mut(number - self.first) {
            *slot = Slot::Decoded(decoded, length);
            self.waiting += length;
        }
    }
}
