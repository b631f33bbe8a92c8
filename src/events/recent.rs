//! The last firings, for who looks on: in memory, by number, so that nobody who reads slowly holds anything up.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::Firing;

/// Firings that are remembered.
const REMEMBERED: usize = 256;

/// The last firings. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent(Arc<Ring>);

#[derive(Debug, Default)]
struct Ring {
    firings: Mutex<VecDeque<Arc<Firing>>>,
    /// The number of the newest, from 1.
    newest: watch::Sender<u64>,
}

impl Recent {
    /// More firings, in the order in which they are to be told.
    pub fn tell(&self, more: &[Firing]) {
        if more.is_empty() {
            return;
        }
        let mut firings = self
            .0
            .firings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let told = more.len().saturating_sub(REMEMBERED);
        firings.extend(more[told..].iter().cloned().map(Arc::new));
        let over = firings.len().saturating_sub(REMEMBERED);
        firings.drain(..over);
        // While the firings are held: their numbers are told from it.
        self.0
            .newest
            .send_modify(|newest| *newest += more.len() as u64);
    }

    /// The number of the newest, as it grows.
    pub fn newest(&self) -> watch::Receiver<u64> {
        self.0.newest.subscribe()
    }

    /// Those after a number that are remembered, oldest first, and the number of the last.
    pub fn after(&self, number: u64) -> (Vec<Arc<Firing>>, u64) {
        let firings = self
            .0
            .firings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let newest = *self.0.newest.borrow();
        // A number of another life of the service: from the beginning.
        let new = if number > newest {
            newest
        } else {
            newest - number
        };
        let skipped = firings
            .len()
            .saturating_sub(usize::try_from(new).unwrap_or(usize::MAX));
        (firings.iter().skip(skipped).cloned().collect(), newest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn firings(numbers: std::ops::Range<u64>) -> Vec<Firing> {
        let of = |number: u64| Firing {
            id: number.to_string(),
            listener: uuid::Uuid::nil(),
            namespace: "ns".to_owned(),
            action: None,
            events: Vec::new(),
            at: 0,
        };
        numbers.map(of).collect()
    }

    fn ids((firings, at): (Vec<Arc<Firing>>, u64)) -> (Vec<String>, u64) {
        (firings.iter().map(|firing| firing.id.clone()).collect(), at)
    }

    #[test]
    fn who_looks_on_gets_what_came_after_and_no_more_than_is_remembered() {
        let recent = Recent::default();
        assert_eq!(ids(recent.after(0)), (Vec::new(), 0));
        recent.tell(&firings(1..4));
        let named = |range: std::ops::Range<u64>| range.map(|number| number.to_string()).collect();
        assert_eq!(ids(recent.after(1)), (named(2..4), 3));
        assert_eq!(ids(recent.after(3)), (Vec::new(), 3));
        // From another life.
        assert_eq!(ids(recent.after(9)), (named(1..4), 3));
        recent.tell(&firings(4..1_000));
        assert_eq!(ids(recent.after(0)), (named(744..1_000), 999));
        recent.tell(&firings(1_000..1_002));
        assert_eq!(ids(recent.after(1_000)), (named(1_001..1_002), 1_001));
    }
}
