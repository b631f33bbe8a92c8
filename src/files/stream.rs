//! Standard input and other pipes: lines as they come.

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use memchr::memchr;

use super::gathered::Gathered;
use super::options::Options;
use crate::base::Time;
use crate::entry::Entry;
use crate::entry::decode::{Defaults, Format, Lines};

/// Silence after which an entry no longer waits for continuation lines.
const QUIET: Duration = Duration::from_millis(200);
/// How long lines are waited for that tell the format.
const TOLD_WITHIN: Duration = Duration::from_millis(50);
/// Bytes that tell the format at the most.
const SAMPLE: usize = 64 << 10;
/// A line that is longer is cut into several.
const MAX_LINE: usize = 16 << 20;

/// Reads lines until the stream ends or `take` breaks off. An empty batch asks whether anyone still listens.
pub fn read_stream(
    mut stream: impl Read + Send + 'static,
    source: &str,
    options: &Options,
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
    let mut reading = Reading::new(options);
    let mut batch = Vec::new();
    let mut defaults = options.defaults(source.to_owned(), Time::now());
    loop {
        let received = receiver.recv_timeout(reading.patience());
        defaults.arrival = Time::now();
        match received {
            Ok(bytes) => reading.push(&bytes, &defaults, &mut batch),
            Err(RecvTimeoutError::Timeout) => reading.pause(&defaults, &mut batch),
            Err(RecvTimeoutError::Disconnected) => {
                reading.finish(&defaults, &mut batch);
                let _ = take(batch);
                return;
            }
        }
        if take(std::mem::take(&mut batch)).is_break() {
            return;
        }
    }
}

/// What has come of a stream.
struct Reading<'o> {
    own: &'o [Format],
    how: How,
    /// What came first, as long as it may tell the format, and how much of it was looked at.
    sample: Option<(Vec<u8>, usize)>,
    /// A line whose end has not come.
    partial: Vec<u8>,
}

enum How {
    /// Lines wait for the format to be told, since the first came.
    Waiting(Option<Instant>),
    /// No format is known: each line is taken for what it looks like.
    Unknown(Box<Lines>),
    Told(Gathered),
}

impl<'o> Reading<'o> {
    fn new(options: &'o Options) -> Self {
        let told = options.format.clone().map(Gathered::new);
        Self {
            own: &options.formats,
            sample: told.is_none().then(Default::default),
            how: told.map_or(How::Waiting(None), How::Told),
            partial: Vec::new(),
        }
    }

    /// How long more is waited for.
    fn patience(&self) -> Duration {
        match self.how {
            How::Waiting(Some(since)) => TOLD_WITHIN.saturating_sub(since.elapsed()),
            _ => QUIET,
        }
    }

    fn push(&mut self, bytes: &[u8], defaults: &Defaults, batch: &mut Vec<Entry>) {
        let mut is_full = false;
        if let Some((sample, _)) = &mut self.sample {
            sample.extend_from_slice(bytes);
            is_full = sample.len() >= SAMPLE;
        }
        self.partial.extend_from_slice(bytes);
        if let How::Waiting(since) = &mut self.how {
            let since = *since.get_or_insert_with(Instant::now);
            if since.elapsed() < TOLD_WITHIN && !is_full {
                return;
            }
        }
        self.tell_format(defaults, batch);
        self.take_lines(defaults, batch);
    }

    /// Nothing came for a moment.
    fn pause(&mut self, defaults: &Defaults, batch: &mut Vec<Entry>) {
        let was_waiting = matches!(self.how, How::Waiting(Some(_)));
        self.tell_format(defaults, batch);
        self.take_lines(defaults, batch);
        if !was_waiting {
            batch.extend(self.how.finish(defaults));
        }
    }

    fn finish(&mut self, defaults: &Defaults, batch: &mut Vec<Entry>) {
        self.tell_format(defaults, batch);
        self.take_lines(defaults, batch);
        let last = std::mem::take(&mut self.partial);
        if !last.is_empty() {
            self.how.push(&last, defaults, batch);
        }
        batch.extend(self.how.finish(defaults));
    }

    /// Tells the format by what has come: a banner may have come first, which tells nothing.
    fn tell_format(&mut self, defaults: &Defaults, batch: &mut Vec<Entry>) {
        let Some((sample, looked_at)) = &mut self.sample else {
            return;
        };
        // Most lines must agree: after some that did not, it takes as many more.
        let is_full = sample.len() >= SAMPLE;
        if sample.is_empty() || (sample.len() < *looked_at * 2 && !is_full) {
            return;
        }
        *looked_at = sample.len();
        let whole = memchr::memrchr(b'\n', sample).map_or(sample.len(), |end| end + 1);
        let told = Format::detect(&sample[..whole], self.own);
        if told.is_timed() || is_full {
            self.sample = None;
        }
        if told.is_timed() {
            batch.extend(self.how.finish(defaults));
            self.how = How::Told(Gathered::new(told));
        } else if matches!(self.how, How::Waiting(_)) {
            self.how = How::Unknown(Box::default());
        }
    }

    fn take_lines(&mut self, defaults: &Defaults, batch: &mut Vec<Entry>) {
        let mut rest = self.partial.as_slice();
        while let Some(end) = memchr(b'\n', rest) {
            self.how.push(&rest[..end], defaults, batch);
            rest = &rest[end + 1..];
        }
        let taken = self.partial.len() - rest.len();
        self.partial.drain(..taken);
        if self.partial.len() > MAX_LINE {
            let piece = std::mem::take(&mut self.partial);
            self.how.push(&piece, defaults, batch);
        }
    }
}

impl How {
    fn push(&mut self, line: &[u8], defaults: &Defaults, batch: &mut Vec<Entry>) {
        match self {
            Self::Waiting(_) => {}
            Self::Unknown(lines) => batch.extend(lines.push(line, defaults)),
            Self::Told(gathered) => gathered.push(line, defaults, batch),
        }
    }

    fn finish(&mut self, defaults: &Defaults) -> Option<Entry> {
        match self {
            Self::Waiting(_) => None,
            Self::Unknown(lines) => lines.finish(),
            Self::Told(gathered) => gathered.finish(defaults),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::entry::Level;

    fn read(text: &str, options: &Options) -> Vec<Entry> {
        let mut entries = Vec::new();
        let stream = Cursor::new(text.to_owned().into_bytes());
        read_stream(stream, "stdin", options, |batch| {
            entries.extend(batch);
            ControlFlow::Continue(())
        });
        entries
    }

    #[test]
    fn every_line_becomes_an_entry() {
        let text: String = (0..5_000)
            .map(|n| format!("line {n}\n"))
            .collect::<String>()
            + "last";
        let entries = read(&text, &Options::default());
        assert_eq!(entries.len(), 5_001);
        let last = entries.last().expect("entries");
        assert_eq!(last.text, "last");
        assert_eq!(last.source.as_deref(), Some("stdin"));
    }

    #[test]
    fn lines_are_of_the_formats_that_files_have() {
        let text = "\
2026-03-14 09:00:00,123 ERROR [main] com.example.Shop - it broke
java.lang.IllegalStateException: why
\tat com.example.Shop.pay(Shop.java:7)
2026-03-14 09:00:01,000 INFO  [main] com.example.Shop - on we go
";
        let options = Options {
            zone: crate::base::Zone::named("+02:00").ok(),
            ..Options::default()
        };
        let entries = read(text, &options);
        assert_eq!(entries.len(), 2, "{entries:#?}");
        assert_eq!(entries[0].level, Level::Error);
        assert_eq!(entries[0].time.to_string(), "2026-03-14T07:00:00.123Z");
        assert!(entries[0].text.contains("Shop.java:7"), "{:?}", entries[0]);
        assert_eq!(entries[1].level, Level::Info);
    }

    #[test]
    fn a_format_that_is_told_is_taken() {
        let options = Options {
            format: Some(Format::untimed()),
            ..Options::default()
        };
        let entries = read("{\"msg\":\"a\"}\n{\"msg\":\"b\"}\n", &options);
        let texts: Vec<&str> = entries.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(texts, ["{\"msg\":\"a\"}", "{\"msg\":\"b\"}"]);
    }

    #[test]
    fn a_banner_does_not_tell_the_format_of_what_comes_after() {
        let (near, mut far) = std::io::pipe().expect("a pipe");
        let (sender, received) = std::sync::mpsc::channel();
        let reader = std::thread::spawn(move || {
            read_stream(near, "stdin", &Options::default(), |batch| {
                let _ = sender.send(batch);
                ControlFlow::Continue(())
            });
        });
        let next = || {
            received
                .iter()
                .find(|batch: &Vec<Entry>| !batch.is_empty())
                .expect("entries")
        };
        std::io::Write::write_all(&mut far, b"Welcome\n").expect("written");
        assert_eq!(next()[0].text, "Welcome");
        let line = b"I0314 09:00:00.123456   1 file.go:12] klog\n\tmore of it\n";
        std::io::Write::write_all(&mut far, line).expect("written");
        let entry = next().remove(0);
        assert!(entry.text.ends_with("klog\n\tmore of it"), "{entry:?}");
        assert!(entry.fields.get("caller").is_some(), "{entry:?}");
        drop(far);
        reader.join().expect("it ends");
    }
}
