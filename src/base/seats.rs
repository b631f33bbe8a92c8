//! How many may be connected: in all, and of one address. A seat is held for the life of a connection.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts who is connected. Clones share it.
#[derive(Clone, Debug)]
pub struct Seats(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: usize,
    most_of_one: usize,
    taken: Mutex<HashMap<Option<IpAddr>, usize>>,
}

/// A place that is taken, given back when dropped.
#[derive(Debug)]
pub struct Seat {
    seats: Seats,
    of: Option<IpAddr>,
}

/// There is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// For anybody.
    #[error("there are {0} connections, as many as may be")]
    All(usize),
    /// For this address.
    #[error("the address has {0} connections, as many as one may have")]
    Address(usize),
}

impl Seats {
    /// So many in all, and so many of one address.
    #[must_use]
    pub fn new(most: usize, most_of_one: usize) -> Self {
        Self(Arc::new(Inner {
            most,
            most_of_one,
            taken: Mutex::default(),
        }))
    }

    /// Takes a place for an address; local sockets have none and count together.
    ///
    /// # Errors
    /// There is none left.
    pub fn take(&self, of: Option<IpAddr>) -> Result<Seat, Full> {
        let of = of.map(|address| address.to_canonical());
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.values().sum::<usize>() >= self.0.most {
            return Err(Full::All(self.0.most));
        }
        let own = taken.entry(of).or_default();
        if *own >= self.0.most_of_one {
            return Err(Full::Address(self.0.most_of_one));
        }
        *own += 1;
        Ok(Seat {
            seats: self.clone(),
            of,
        })
    }

    /// How many are connected.
    #[must_use]
    pub fn count(&self) -> usize {
        let taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.values().sum()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let inner = &self.seats.0;
        let mut taken = inner.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.of) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_taken_and_given_back() {
        let seats = Seats::new(3, 2);
        let (a, b) = (Some([10, 0, 0, 1].into()), Some([10, 0, 0, 2].into()));
        let first = seats.take(a).expect("free");
        let _second = seats.take(a).expect("free");
        assert_eq!(seats.take(a).expect_err("full"), Full::Address(2));
        let _third = seats.take(b).expect("free");
        assert_eq!(seats.take(b).expect_err("full"), Full::All(3));
        assert_eq!(seats.count(), 3);
        drop(first);
        assert!(seats.take(a).is_ok());
        assert_eq!(seats.count(), 2);
    }
}
