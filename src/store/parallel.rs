//! The same work on several items, on a few threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Does the work on each item, on at most so many threads, this one among them; the outcomes in the items' order.
pub(super) fn parallel<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    if threads < 2 || items.len() < 2 {
        return items.iter().map(work).collect();
    }
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
