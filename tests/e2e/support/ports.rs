//! Ports for who must know one before anybody listens there, or listens there again.

use std::net::{TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

/// Where ports are given out, and how many there are. They and those [`BESIDE`] them lie below 32,768, where the
/// system begins to give ports to whoever asks for any: nobody gets one between two starts of who listens there.
const FIRST: u16 = 11_000;
const COUNT: u16 = 10_000;
/// So far above its port `SeaweedFS` speaks gRPC.
const BESIDE: u16 = 10_000;

/// A port that nobody listens on, and that is given out once.
pub fn free_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    // Tests of other processes begin elsewhere.
    let begin = std::process::id() % u32::from(COUNT);
    let is_free = |port: u16| {
        let address = ("127.0.0.1", port);
        TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
    };
    for _ in 0..COUNT {
        let next = u32::from(GIVEN.fetch_add(1, Ordering::Relaxed)) + begin;
        let port = FIRST + u16::try_from(next % u32::from(COUNT)).expect("a port");
        if is_free(port) && is_free(port + BESIDE) {
            return port;
        }
    }
    panic!("no port is free");
}
