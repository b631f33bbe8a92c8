//! The same work on several items, on a few threads where it is worth them.

use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// An item that takes longer is worth a thread: starting one costs a tenth of it.
const WORTH_A_THREAD: Duration = Duration::from_micros(500);

/// Does work on items, and remembers whether it was slow: answers that come from memory are not.
#[derive(Debug)]
pub struct Workers {
    threads: usize,
    is_eager: bool,
    slow: Cell<bool>,
}

impl Workers {
    /// At most so many threads, the caller's among them.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        Self {
            threads: threads.max(1),
            is_eager: false,
            slow: Cell::new(false),
        }
    }

    /// The same, of work that is known to be slow.
    #[must_use]
    pub fn eager(threads: usize) -> Self {
        Self {
            is_eager: true,
            slow: Cell::new(true),
            ..Self::new(threads)
        }
    }

    /// Items to give at once: few until it is known to be slow.
    #[must_use]
    pub fn at_once(&self) -> usize {
        if self.slow.get() { self.threads * 4 } else { 1 }
    }

    /// Does the work on each item; the outcomes in the items' order.
    pub fn map<T: Sync, R: Send>(&self, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
        let mut outcomes = Vec::with_capacity(items.len());
        let mut rest = items;
        while let Some((item, more)) = rest.split_first() {
            if self.slow.get() && self.threads > 1 && rest.len() > 1 {
                break;
            }
            let started = Instant::now();
            outcomes.push(work(item));
            self.slow
                .set(self.is_eager || started.elapsed() > WORTH_A_THREAD);
            rest = more;
        }
        if !rest.is_empty() {
            let started = Instant::now();
            outcomes.extend(on_threads(rest, self.threads, work));
            let each = started.elapsed() * u32::try_from(self.threads).unwrap_or(1)
                / u32::try_from(rest.len()).unwrap_or(u32::MAX);
            self.slow.set(self.is_eager || each > WORTH_A_THREAD);
        }
        outcomes
    }
}

fn on_threads<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let outcomes: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::new(None)).collect();
    let take = || {
        while let Some((item, outcome)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            items.get(at).zip(outcomes.get(at))
        } {
            let done = work(item);
            if let Ok(mut outcome) = outcome.lock() {
                *outcome = Some(done);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(items.len()) {
            scope.spawn(take);
        }
        take();
    });
    outcomes
        .into_iter()
        .filter_map(|outcome| outcome.into_inner().ok().flatten())
        .collect()
}
