//! Numbers that stand for places which do not fit into one.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Places that are remembered: whoever goes on from one does so right after it was told, or after a long scan of several
/// hundred pages.
const KEPT: usize = 1_024;
/// So many are, however big they are.
const LEAST: usize = 64;

/// Tokens and what they stand for. The latest are remembered; what a feed goes on from is the latest again with every step.
#[derive(Debug)]
pub struct Tokens<P>(Mutex<Kept<P>>);

#[derive(Debug)]
struct Kept<P> {
    /// Places that are remembered at the most.
    most: usize,
    /// The last token given.
    last: u64,
    /// The latest at the end.
    places: VecDeque<Place<P>>,
}

#[derive(Debug)]
struct Place<P> {
    token: u64,
    at: P,
    /// It is a feed's, and goes on with it.
    is_moving: bool,
}

impl<P> Default for Tokens<P> {
    fn default() -> Self {
        Self::bounded(KEPT)
    }
}

impl<P> Tokens<P> {
    /// Fewer are remembered where each takes much memory.
    #[must_use]
    pub fn bounded(most: usize) -> Self {
        Self(Mutex::new(Kept {
            most: most.clamp(LEAST, KEPT),
            last: 0,
            places: VecDeque::new(),
        }))
    }
}

impl<P: Clone + PartialEq> Tokens<P> {
    fn lock(&self) -> MutexGuard<'_, Kept<P>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token, from 1, for a place that does not move.
    pub fn keep(&self, place: P) -> u64 {
        let mut kept = self.lock();
        let latest = kept.places.back();
        let same = latest.filter(|known| !known.is_moving && known.at == place);
        match same.map(|known| known.token) {
            Some(token) => token,
            None => kept.push(place, false),
        }
    }

    /// A token, from 1, for a place that will move.
    pub fn begin(&self, place: P) -> u64 {
        self.lock().push(place, true)
    }

    /// The place of a token moved.
    pub fn go_on(&self, token: u64, place: P) {
        let mut kept = self.lock();
        kept.places.retain(|known| known.token != token);
        kept.add(Place {
            token,
            at: place,
            is_moving: true,
        });
    }

    /// What a token stands for, if it is known (any more).
    pub fn place(&self, token: u64) -> Option<P> {
        let kept = self.lock();
        let known = kept.places.iter().rev().find(|known| known.token == token);
        known.map(|known| known.at.clone())
    }
}

impl<P> Kept<P> {
    fn push(&mut self, place: P, is_moving: bool) -> u64 {
        self.last += 1;
        let token = self.last;
        self.add(Place {
            token,
            at: place,
            is_moving,
        });
        token
    }

    fn add(&mut self, place: Place<P>) {
        if self.places.len() >= self.most {
            self.places.pop_front();
        }
        self.places.push_back(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_stand_for_places_and_old_ones_are_forgotten() {
        let tokens = Tokens::default();
        let first = tokens.keep("a");
        assert_eq!(tokens.keep("a"), first, "the same place has one token");
        let feed = tokens.begin("a");
        assert_ne!(feed, first);
        tokens.go_on(feed, "b");
        assert_eq!(
            (tokens.place(feed), tokens.place(first)),
            (Some("b"), Some("a"))
        );
        for number in 0..KEPT {
            tokens.keep(if number % 2 == 0 { "c" } else { "d" });
            tokens.go_on(feed, "e");
        }
        assert_eq!((tokens.place(feed), tokens.place(first)), (Some("e"), None));
        assert_eq!(tokens.place(0), None);
    }
}
