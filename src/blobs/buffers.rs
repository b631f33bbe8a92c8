//! Memory for the parts of values, used again.
//!
//! A part is filled on one thread and let go of on another. An allocator that keeps for each thread what it had would
//! come to hold many times what is in use: a value of 2 GiB took 2 GiB of memory on its way to one slow reader.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Bytes that are kept for later.
const MOST_KEPT: usize = 32 << 20;

/// Where buffers come from. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    idle: Vec<Vec<u8>>,
    bytes: usize,
}

/// A vector that goes back when it is dropped.
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    home: Buffers,
}

impl Buffers {
    /// An empty buffer, with room for so much.
    pub fn take(&self, room: usize) -> Buffer {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |idle: &Vec<u8>| (room..=2 * room).contains(&idle.capacity());
        let fitting = kept.idle.iter().position(fits);
        let bytes = match fitting.map(|at| kept.idle.swap_remove(at)) {
            Some(bytes) => {
                kept.bytes -= bytes.capacity();
                bytes
            }
            None => Vec::with_capacity(room),
        };
        drop(kept);
        Buffer {
            bytes,
            home: self.clone(),
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let mut kept = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes.capacity() > 0 && kept.bytes + bytes.capacity() <= MOST_KEPT {
            kept.bytes += bytes.capacity();
            kept.idle.push(bytes);
        }
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl From<Buffer> for Bytes {
    fn from(buffer: Buffer) -> Self {
        Self::from_owner(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_used_again_and_not_hoarded() {
        let buffers = Buffers::default();
        let mut first = buffers.take(1_000);
        first.extend_from_slice(b"text");
        let place = first.as_ptr();
        let text = Bytes::from(first);
        let part = text.slice(1..3);
        drop(text);
        assert_ne!(buffers.take(1_000).as_ptr(), place, "it is still in use");
        assert_eq!(part, &b"ex"[..]);
        drop(part);
        let again = [buffers.take(1_000), buffers.take(1_000)];
        assert!(again.iter().all(|buffer| buffer.is_empty()));
        assert!(again.iter().any(|buffer| buffer.as_ptr() == place));
        let many: Vec<Buffer> = (0..100).map(|_| buffers.take(1 << 20)).collect();
        drop(many);
        let kept = buffers.0.lock().expect("held");
        assert!(kept.idle.iter().map(Vec::capacity).sum::<usize>() <= MOST_KEPT);
    }
}
