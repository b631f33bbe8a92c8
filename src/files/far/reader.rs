//! A file on another host from its beginning to its end.

use std::io::{self, Cursor, ErrorKind, Read};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::content::FarContent;
use crate::base::Backoff;

/// Bytes that are asked for at once: at first, so that something is there soon; and at the most.
const AT_ONCE: (usize, usize) = (32 * 1024, 1 << 20);

/// A host that is silent is asked so often,
const TRIES: usize = 12;
/// after so long, and at the most so long.
const BETWEEN_TRIES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(8));

/// Bytes of a file on another host, one after the other; none of them is kept. It is read on when it is renamed, and when its
/// host was away for a moment.
pub struct FarReader {
    content: Arc<FarContent>,
    offset: u64,
    at_once: usize,
    ahead: Cursor<Vec<u8>>,
}

impl FarReader {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(content: &Arc<FarContent>) -> Self {
        Self {
            content: Arc::clone(content),
            offset: 0,
            at_once: AT_ONCE.0,
            ahead: Cursor::default(),
        }
    }

    fn ask(&self) -> io::Result<Vec<u8>> {
        let mut backoff = Backoff::new(BETWEEN_TRIES.0, BETWEEN_TRIES.1);
        let mut tries = 1;
        loop {
            match self.content.ask(self.offset, self.at_once) {
                Err(error) if error.kind() == ErrorKind::NotConnected && tries < TRIES => {
                    tries += 1;
                    thread::sleep(backoff.delay());
                }
                answer => return answer,
            }
        }
    }
}

impl Read for FarReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let is_empty = self.ahead.position() == self.ahead.get_ref().len() as u64;
        if is_empty && !buffer.is_empty() {
            let bytes = self.ask()?;
            self.offset += bytes.len() as u64;
            self.at_once = (self.at_once * 2).min(AT_ONCE.1);
            self.ahead = Cursor::new(bytes);
        }
        self.ahead.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::fake::Fake;
    use super::*;

    #[test]
    fn a_file_is_read_to_its_end_though_it_is_renamed() {
        let fake = Fake::new();
        let path = fake.path("a.log.1");
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
        fs::write(&path, &bytes).expect("written");
        let host = fake.host();
        let file = host
            .look(std::slice::from_ref(&path))
            .expect("looked at")
            .remove(0);
        let content = Arc::new(FarContent::new(host, file, fake.path("a.log")));
        let mut reader = FarReader::new(&content);
        let (mut first, mut rest) = (vec![0; 100_000], Vec::new());
        reader.read_exact(&mut first).expect("read");
        fs::rename(&path, fake.path("a.log.2")).expect("renamed");
        reader.read_to_end(&mut rest).expect("read");
        assert!([first, rest].concat() == bytes);
    }
}
