//! Streams on the way: packed bytes that are counted, content whose beginning is looked at before it is read.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;
use std::sync::Weak;

use super::blocks::Blocks;
use super::magic::HEAD_BYTES;

/// Bytes read at once from the packed file.
const READ_BYTES: usize = 64 << 10;

/// Content of which no more than so many bytes are read.
pub(super) struct Bounded<R> {
    content: R,
    /// Bytes that may be read until it is set anew.
    pub left: Rc<Cell<u64>>,
}

impl<R: Read> Bounded<R> {
    pub fn new(content: R) -> Self {
        let left = Rc::new(Cell::new(u64::MAX));
        Self { content, left }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer)?;
        let Some(left) = self.left.get().checked_sub(count as u64) else {
            let told = "a header that is longer than any name";
            return Err(io::Error::new(io::ErrorKind::InvalidData, told));
        };
        self.left.set(left);
        Ok(count)
    }
}

/// The packed file as its decoder takes it. It tells the blocks how far it is, and ends when nobody holds them any more.
pub(super) struct Counted<R> {
    packed: BufReader<R>,
    blocks: Weak<Blocks>,
}

impl<R: Read> Counted<R> {
    pub fn new(packed: R, blocks: Weak<Blocks>) -> Self {
        let packed = BufReader::with_capacity(READ_BYTES, packed);
        Self { packed, blocks }
    }
}

impl<R: Read> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let Some(blocks) = self.blocks.upgrade() else {
            return Err(unwanted());
        };
        match self.packed.fill_buf() {
            Ok(bytes) => {
                if bytes.is_empty() {
                    blocks.starve();
                }
                Ok(bytes)
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::Interrupted {
                    blocks.refuse(&error);
                }
                Err(error)
            }
        }
    }

    fn consume(&mut self, amount: usize) {
        self.packed.consume(amount);
        if let Some(blocks) = self.blocks.upgrade() {
            blocks.take(amount);
        }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}

/// The error that ends what nobody wants any more; nobody is told.
pub(super) fn unwanted() -> io::Error {
    io::Error::other("nobody reads it any more")
}

/// A stream whose first bytes were looked at. Once it failed it stays so: not every decoder does.
pub(super) struct Peeked<R> {
    head: Vec<u8>,
    /// Bytes of the head that were read.
    at: usize,
    rest: R,
    failed: Option<(io::ErrorKind, String)>,
}

impl<R: Read> Peeked<R> {
    /// Looks at the first bytes; an error shows when they are read.
    pub fn new(mut rest: R) -> Self {
        let mut head = vec![0; HEAD_BYTES];
        let (count, error) = fill(&mut rest, &mut head);
        head.truncate(count);
        Self {
            head,
            at: 0,
            rest,
            failed: error.map(|error| (error.kind(), error.to_string())),
        }
    }

    /// The first bytes, fewer than [`HEAD_BYTES`] only where there are no more.
    pub fn head(&self) -> &[u8] {
        &self.head
    }
}

impl<R: Read> Read for Peeked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let waiting = self.head.get(self.at..).unwrap_or_default();
        if !waiting.is_empty() {
            let count = waiting.len().min(buffer.len());
            buffer[..count].copy_from_slice(&waiting[..count]);
            self.at += count;
            return Ok(count);
        }
        if let Some((kind, text)) = &self.failed {
            return Err(io::Error::new(*kind, text.clone()));
        }
        self.rest.read(buffer).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                self.failed = Some((error.kind(), error.to_string()));
            }
        })
    }
}

/// Reads until the buffer is full, the stream ends or fails: how much was read, and the error.
pub(super) fn fill(
    stream: &mut (impl Read + ?Sized),
    buffer: &mut [u8],
) -> (usize, Option<io::Error>) {
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some(error)),
        }
    }
    (filled, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives some bytes, fails, and then acts as if it had ended.
    struct Faulty(&'static [u8], bool);

    impl Read for Faulty {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() && !std::mem::replace(&mut self.1, true) {
                return Err(io::ErrorKind::InvalidData.into());
            }
            // One byte at a time: the head has to be put together.
            let mut next = &self.0[..self.0.len().min(1)];
            self.0 = &self.0[next.len()..];
            next.read(buffer)
        }
    }

    #[test]
    fn what_failed_stays_failed_and_loses_nothing() {
        for bytes in [&b"some"[..], &[7_u8; HEAD_BYTES + 9]] {
            let mut peeked = Peeked::new(Faulty(bytes, false));
            assert!(bytes.starts_with(peeked.head()));
            let mut read = vec![0; bytes.len() + 1];
            let (count, error) = fill(&mut peeked, &mut read);
            assert_eq!(&read[..count], bytes);
            let kinds = [
                error.map(|error| error.kind()),
                peeked.read(&mut read).err().map(|error| error.kind()),
            ];
            assert_eq!(kinds, [Some(io::ErrorKind::InvalidData); 2]);
        }
    }
}
