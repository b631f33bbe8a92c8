//! The lines of a stream, from near or far.

use futures_util::FutureExt;

use super::{Error, Services};
use crate::api::TailParams;
use crate::blobs::Key;
use crate::client::{StreamEvent, StreamLine, StreamTail};
use crate::streams::{From, Line, Part, Piece, Tail, TailRequest};

/// Lines given together, where they come one by one.
const BATCH: usize = 1_000;

/// Where lines come from.
pub(super) enum Source {
    Here(Box<Tail>),
    There(Box<StreamTail>),
}

/// What comes out of a stream.
pub(super) enum Item {
    Line(u64, Line),
    Gap(u64, u64),
    End,
    Lost(String),
}

impl Source {
    /// What comes next, and what has come with it; the end comes once, and last.
    pub async fn next(&mut self) -> Result<Vec<Item>, Error> {
        match self {
            Self::Here(tail) => Ok(match tail.next().await? {
                Some(Piece::Lines(parts)) => {
                    let lines = parts.iter().flat_map(Part::lines);
                    lines
                        .map(|(number, line)| Item::Line(number, Line::parse(line)))
                        .collect()
                }
                Some(Piece::Gap(first, last)) => vec![Item::Gap(first, last)],
                Some(Piece::End(_)) | None => vec![Item::End],
            }),
            Self::There(tail) => {
                let mut items = vec![item(tail.next().await?)];
                while items.len() < BATCH && !matches!(items.last(), Some(Item::End)) {
                    match tail.next().now_or_never() {
                        Some(event) => items.push(item(event?)),
                        None => break,
                    }
                }
                Ok(items)
            }
        }
    }
}

fn item(event: Option<StreamEvent>) -> Item {
    match event {
        Some(StreamEvent::Line(number, line)) => Item::Line(number, of_line(line)),
        Some(StreamEvent::Gap(first, last)) => Item::Gap(first, last),
        Some(StreamEvent::Lost(reason)) => Item::Lost(reason),
        Some(StreamEvent::End(..)) | None => Item::End,
    }
}

fn of_line(line: StreamLine) -> Line {
    Line {
        level: line.level,
        pos: line.pos,
        out: line.out,
        time: line.time,
        args: line.args,
    }
}

impl Services {
    /// The newest lines of a stream and those that are to come; nothing where no stream has the name.
    pub(super) async fn tail(&self, key: &str, most: u64) -> Result<Option<Source>, Error> {
        match self {
            Self::None => Ok(None),
            Self::Here(here) => {
                let Some(kept) = &here.kept else {
                    return Ok(None);
                };
                let request = TailRequest {
                    from: From::Newest(most),
                    follow: true,
                };
                match kept.streams.tail(&parsed(key)?, request).await {
                    Ok(tail) => Ok(Some(Source::Here(Box::new(tail)))),
                    Err(crate::streams::Error::NotOpen(_)) => Ok(None),
                    Err(error) => Err(error.into()),
                }
            }
            Self::There(client) => {
                match client.stream_state(key).await {
                    Err(error) if error.is_not_found() => return Ok(None),
                    state => state?,
                };
                let params = TailParams {
                    tail: Some(most.to_string()),
                    ..TailParams::default()
                };
                let tail = client.tail_stream(key, params);
                Ok(Some(Source::There(Box::new(tail))))
            }
        }
    }
}

pub(super) fn parsed(key: &str) -> Result<Key, Error> {
    Key::parse(key).map_err(|error| Error::Said(error.to_string()))
}
