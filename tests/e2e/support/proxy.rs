//! A bad network between a client and a server: it cuts connections at random bytes and holds bytes back.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// A running proxy; ends when dropped.
pub struct Proxy {
    pub url: String,
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    target: String,
    /// Connections are cut after so many bytes on the average.
    mean_bytes: u64,
    cuts: AtomicU64,
    ended: AtomicBool,
}

impl Proxy {
    /// Stands before the server at `url`; connections live for `mean_bytes` bytes on the average.
    pub fn start(url: &str, mean_bytes: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            target: url.trim_start_matches("http://").to_owned(),
            mean_bytes,
            cuts: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if accepting.ended.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&accepting);
                std::thread::spawn(move || shared.carry(&client));
            }
        });
        Self {
            url: format!("http://{address}"),
            address,
            shared,
        }
    }

    /// How many connections were cut.
    pub fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn carry(&self, client: &TcpStream) {
        let Ok(server) = TcpStream::connect(&self.target) else {
            return;
        };
        std::thread::scope(|scope| {
            scope.spawn(|| self.pump(client, &server, false));
            self.pump(&server, client, true);
        });
    }

    /// Carries bytes one way. Answers are what is cut, in their middle.
    fn pump(&self, mut from: &TcpStream, mut to: &TcpStream, is_answer: bool) {
        let mut buffer = [0; 4_096];
        let mut left = None;
        let poll = Some(Duration::from_millis(20));
        from.set_read_timeout(poll).expect("set");
        loop {
            let count = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error)
                    if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) =>
                {
                    if self.ended.load(Ordering::SeqCst) {
                        break;
                    }
                    continue;
                }
                Err(_) => break,
            };
            let mut bytes = &buffer[..count];
            let mean = self.mean_bytes;
            if is_answer {
                let left: &mut u64 = left.get_or_insert_with(|| fastrand::u64(1..=2 * mean));
                let kept = usize::try_from(*left).unwrap_or(usize::MAX).min(count);
                *left -= kept as u64;
                bytes = &bytes[..kept];
                if fastrand::u8(..16) == 0 {
                    // Bytes held back are what a proxy does to a client.
                    std::thread::sleep(Duration::from_millis(fastrand::u64(1..20)));
                }
            }
            if to.write_all(bytes).is_err() {
                break;
            }
            if bytes.len() < count {
                self.cuts.fetch_add(1, Ordering::SeqCst);
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}
