//! How often one may ask: per address and per token.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::error::Failure;

/// Keys that are remembered before those that have rested are forgotten.
const REMEMBERED: usize = 10_000;

/// Requests a second; twice as many at once after a rest. None: as many as come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Of all together.
    pub all: Option<NonZeroU32>,
    /// Of one address; of IPv6, one /64 network.
    pub address: Option<NonZeroU32>,
    /// Of one token.
    pub token: Option<NonZeroU32>,
}

/// Counts who asks.
#[derive(Debug)]
pub(super) struct Limits {
    all: Option<Counter<()>>,
    addresses: Option<Counter<IpAddr>>,
    tokens: Option<Counter<String>>,
}

impl Limits {
    pub fn new(rates: Rates) -> Self {
        Self {
            all: rates.all.map(Counter::new),
            addresses: rates.address.map(Counter::new),
            tokens: rates.token.map(Counter::new),
        }
    }

    /// Counts a request of anybody.
    pub fn request(&self) -> Result<(), Failure> {
        let counter = self.all.as_ref();
        counter.map_or(Ok(()), |counter| counter.count(&()))
    }

    /// Counts a request of an address.
    pub fn address(&self, address: IpAddr) -> Result<(), Failure> {
        let counter = self.addresses.as_ref();
        counter.map_or(Ok(()), |counter| counter.count(&network(address)))
    }

    /// Counts a request of a token, by its id.
    pub fn token(&self, id: &String) -> Result<(), Failure> {
        let counter = self.tokens.as_ref();
        counter.map_or(Ok(()), |counter| counter.count(id))
    }
}

/// Whoever has one IPv6 address has its whole network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

#[derive(Debug)]
struct Counter<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, HashMapStateStore<K>, DefaultClock>,
    clock: DefaultClock,
}

impl<K: Hash + Eq + Clone> Counter<K> {
    fn new(rate: NonZeroU32) -> Self {
        let clock = DefaultClock::default();
        let quota = Quota::per_second(rate)
            .allow_burst(rate.saturating_mul(NonZeroU32::MIN.saturating_add(1)));
        Self {
            limiter: RateLimiter::new(quota, HashMapStateStore::default(), clock.clone()),
            clock,
        }
    }

    fn count(&self, key: &K) -> Result<(), Failure> {
        if self.limiter.len() > REMEMBERED {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(key).map_err(|denied| {
            let wait = denied.wait_time_from(self.clock.now());
            Failure::too_many(wait.max(Duration::from_secs(1)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_count_of_its_own() {
        let two = NonZeroU32::new(2);
        let limits = Limits::new(Rates {
            address: two,
            ..Rates::default()
        });
        let (a, b): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let allowed = (0..100).filter(|_| limits.address(a).is_ok()).count();
        assert!((4..=5).contains(&allowed), "{allowed}");
        assert!(limits.address(b).is_ok());
        assert!((0..100).all(|_| limits.token(&"t".to_owned()).is_ok()));
    }

    #[test]
    fn a_network_is_one_caller() {
        let of = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::2"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8::1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }
}
