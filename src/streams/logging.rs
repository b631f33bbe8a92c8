//! Lines that enter the embedded log too, so that its queries find them: in order, and each once, also after a crash.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::disk::Live;
use super::{Error, From, Line, Part, Piece, Place, Streams, TailRequest};
use crate::base::Time;
use crate::entry::Entry;
use crate::query::{Direction, Expression, Field, PageRequest, Pattern, Query, Start, Term, Ties};
use crate::store::Store;

/// How often it is looked whether there are new lines.
const ROUND: Duration = Duration::from_millis(200);
/// Entries of a stream that are looked through for the newest of its numbers: those of its last moments.
const LOOKED_AT: usize = 1_000;
/// The field of an entry that has its number.
const NUMBER: &str = "seq";

impl Streams {
    /// Gives lines to the embedded log until it is stopped.
    pub async fn log_into(&self, store: Store, stopping: CancellationToken) {
        if !self.0.options.to_log || self.0.log.set(store).is_err() {
            return;
        }
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(ROUND) => {}
            }
            let streams = match &self.0.place {
                Place::Disk(disk) => disk.all(),
                #[cfg(feature = "redis")]
                Place::Redis(_) => return,
            };
            for live in streams {
                if let Err(error) = self.log(&live).await {
                    tracing::warn!(stream = %live.key, %error, "lines enter the log later");
                }
            }
        }
    }

    /// Gives the new lines of a stream to the embedded log, if they shall enter it.
    pub(super) async fn log(&self, live: &Live) -> Result<(), Error> {
        let Some(store) = self.0.log.get() else {
            return Ok(());
        };
        let mut logged = live.logged.lock().await;
        let after = match *logged {
            Some(number) => number,
            None => newest(store, live)?,
        };
        *logged = Some(after);
        if live.head().borrow().last <= after {
            return Ok(());
        }
        let request = TailRequest {
            from: From::After(after),
            follow: false,
        };
        let mut tail = self.tail(&live.key, request).await?;
        while let Some(piece) = tail.next().await? {
            let Piece::Lines(parts) = piece else { continue };
            let lines = parts.iter().flat_map(Part::lines);
            let entries: Vec<Entry> = lines
                .map(|(number, line)| entry(live, number, line))
                .collect();
            let appended = store.appender().append(entries).await;
            appended.map_err(|error| Error::Place(format!("the embedded log: {error}")))?;
            *logged = Some(tail.at());
        }
        Ok(())
    }
}

fn entry(live: &Live, number: u64, line: &[u8]) -> Entry {
    let mut entry = Line::parse(line).entry(live.key.account(), live.key.as_str(), number);
    entry.position = crate::entry::Position(0);
    entry
}

/// The number of the last line of a stream that is in the log.
fn newest(store: &Store, live: &Live) -> Result<u64, Error> {
    let state = live.state();
    let literal = |text: &str| vec![Pattern::Literal(text.to_owned())];
    let parts = [
        (Field::Namespace, literal(live.key.account())),
        (Field::Source, literal(live.key.as_str())),
    ];
    let parts = parts.map(|(field, pattern)| Expression::Term(Term::Field(field, pattern)));
    let request = PageRequest {
        query: Query(Expression::all(parts)),
        now: Time::now(),
        start: Start::End,
        direction: Direction::Older,
        limit: LOOKED_AT,
        ties: Ties::Split,
    };
    let page = tokio::task::block_in_place(|| store.page(&request));
    let page = page.map_err(|error| Error::Place(format!("the embedded log: {error}")))?;
    let numbers = page
        .entries
        .iter()
        .filter_map(|entry| entry.fields.get(NUMBER)?.as_u64());
    // Those of an earlier stream of the name are below the first of this one.
    Ok(numbers
        .max()
        .unwrap_or(0)
        .max(state.first.saturating_sub(1))
        .min(state.last))
}
