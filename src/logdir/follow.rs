//! Tails as asynchronous streams. The reading itself is done on a thread that may block.

use std::time::Duration;

use futures_util::Stream;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;

use super::entry::LogEntry;
use super::vfs::Vfs;
use super::{Error, LogReader, check_poll_interval};

/// Blocks that wait for whoever reads them.
const WAITING: usize = 16;
/// A stream that nobody reads any more ends within this.
const LONGEST_SLEEP: Duration = Duration::from_millis(200);

/// The entries from `min` on (milliseconds since 1970), and those that are written later, looking for them at an interval.
/// It ends with an error or when it is dropped. The source must look too, at an interval of its own.
///
/// # Errors
/// The interval is nothing, or more than 2,147,483,647 ms. What else [`LogReader::tail`] refuses is the first item.
///
/// # Panics
/// Outside a runtime of tokio.
pub fn tail_stream<V: Vfs + Send + 'static>(
    mut reader: LogReader<V>,
    min: i64,
    interval: Duration,
) -> Result<impl Stream<Item = Result<LogEntry, Error>> + Unpin, Error> {
    check_poll_interval(interval)?;
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || match reader.tail(min) {
        Ok(mut tail) => pump(interval, &sender, || tail.poll()),
        Err(error) => drop(sender.blocking_send(Err(error))),
    });
    let blocks = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let entries = blocks.map(|block| {
        let (entries, error) = match block {
            Ok(entries) => (entries, None),
            Err(error) => (Vec::new(), Some(Err(error))),
        };
        let entries = entries.into_iter().map(Ok);
        futures_util::stream::iter(entries.chain(error))
    });
    Ok(futures_util::StreamExt::flatten(entries))
}

/// The stored bytes of the same, in pieces: see [`LogReader::bulk_tail`].
///
/// # Errors
/// As [`tail_stream`].
///
/// # Panics
/// Outside a runtime of tokio.
pub fn bulk_tail_stream<V: Vfs + Send + 'static>(
    mut reader: LogReader<V>,
    min: i64,
    interval: Duration,
) -> Result<impl Stream<Item = Result<Vec<u8>, Error>> + Unpin, Error> {
    check_poll_interval(interval)?;
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || match reader.bulk_tail(min) {
        Ok(mut tail) => pump(interval, &sender, || tail.poll()),
        Err(error) => drop(sender.blocking_send(Err(error))),
    });
    Ok(tokio_stream::wrappers::ReceiverStream::new(receiver))
}

fn pump<T>(
    interval: Duration,
    sender: &mpsc::Sender<Result<T, Error>>,
    mut poll: impl FnMut() -> Result<Option<T>, Error>,
) {
    loop {
        match poll() {
            Ok(Some(piece)) => {
                if sender.blocking_send(Ok(piece)).is_err() {
                    return;
                }
            }
            Ok(None) => {
                let mut left = interval;
                while !left.is_zero() {
                    if sender.is_closed() {
                        return;
                    }
                    let sleep = left.min(LONGEST_SLEEP);
                    std::thread::sleep(sleep);
                    left -= sleep;
                }
            }
            Err(error) => {
                // Nobody may be left to be told.
                let _ = sender.blocking_send(Err(error));
                return;
            }
        }
    }
}
