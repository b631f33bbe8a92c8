//! Standard input and other pipes: lines as they come.

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use memchr::memchr;

use crate::base::Time;
use crate::entry::Entry;
use crate::entry::decode::{Defaults, Lines};

/// Silence after which an entry no longer waits for continuation lines.
const QUIET: Duration = Duration::from_millis(200);
/// A line that is longer is cut into several.
const MAX_LINE: usize = 16 << 20;

/// Reads lines until the stream ends or `take` breaks off. An empty batch asks whether anyone still listens.
pub fn read_stream(
    mut stream: impl Read + Send + 'static,
    defaults: &Defaults,
    mut take: impl FnMut(Vec<Entry>) -> ControlFlow<()>,
) {
    let (sender, receiver) = sync_channel::<Vec<u8>>(16);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(count) = stream.read(&mut buffer) {
            if count == 0 || sender.send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    let mut lines = Lines::default();
    let (mut partial, mut batch) = (Vec::new(), Vec::new());
    let mut defaults = defaults.clone();
    loop {
        let received = receiver.recv_timeout(QUIET);
        defaults.arrival = Time::now();
        match received {
            Ok(bytes) => {
                partial.extend_from_slice(&bytes);
                let mut rest = partial.as_slice();
                while let Some(end) = memchr(b'\n', rest) {
                    batch.extend(lines.push(&rest[..end], &defaults));
                    rest = &rest[end + 1..];
                }
                partial = rest.to_vec();
                if partial.len() > MAX_LINE {
                    batch.extend(lines.push(&std::mem::take(&mut partial), &defaults));
                }
            }
            Err(RecvTimeoutError::Timeout) => batch.extend(lines.finish()),
            Err(RecvTimeoutError::Disconnected) => {
                if !partial.is_empty() {
                    batch.extend(lines.push(&partial, &defaults));
                }
                batch.extend(lines.finish());
                let _ = take(batch);
                return;
            }
        }
        if take(std::mem::take(&mut batch)).is_break() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_becomes_an_entry() {
        let text: String = (0..5_000)
            .map(|n| format!("line {n}\n"))
            .collect::<String>()
            + "last";
        let mut texts = Vec::new();
        read_stream(
            std::io::Cursor::new(text.into_bytes()),
            &Defaults::at(Time(0)),
            |batch| {
                texts.extend(batch.into_iter().map(|entry| entry.text));
                ControlFlow::Continue(())
            },
        );
        assert_eq!(texts.len(), 5_001);
        assert_eq!(texts.last().map(String::as_str), Some("last"));
    }
}
