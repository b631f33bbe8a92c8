//! Whether the parts of a pipeline fit together, and what they are called.

use super::Error;
use super::filters::Chain;
use super::format::Format;
use super::options::{Buffer, PipelineOptions, SinkKind, SourceKind};
use crate::base::Time;

/// Whether the parts fit together.
pub(super) fn check(options: &PipelineOptions) -> Result<(), Error> {
    let said = |reason: &str| Err(Error::Said(reason.to_owned()));
    if options.sources.is_empty() {
        return said("expected at least one source, found none");
    }
    if options.sinks.is_empty() {
        return said("expected at least one sink, found none");
    }
    let streams = options.sinks.iter();
    if streams
        .filter(|sink| matches!(sink.kind, SinkKind::Http(_)))
        .count()
        > 1
    {
        return said("a pipeline has one stream: expected one http sink at the most");
    }
    let ingests = options.sources.iter();
    if ingests
        .filter(|source| matches!(source.kind, SourceKind::Http(_)))
        .count()
        > 1
    {
        return said("a pipeline has one ingest: expected one http source at the most");
    }
    for (at, sink) in options.sinks.iter().enumerate() {
        Format::new(&sink.delivery, sink.kind.usual_format())
            .map_err(Error::Said)
            .map_err(part("sink", at))?;
        let is_disk = sink.delivery.buffer == Some(Buffer::Disk);
        if is_disk && sink.delivery.buffer_bytes.0 == 0 {
            return said("a buffer on disk needs `buffer_bytes`, found 0");
        }
    }
    for (at, source) in options.sources.iter().enumerate() {
        source.form(false).map_err(part("source", at))?;
    }
    Chain::new(&options.filters, Time::MIN)?;
    Ok(())
}

/// An error of a part, with which one it is.
pub(super) fn part(part: &'static str, at: usize) -> impl FnOnce(Error) -> Error {
    move |error| match error {
        // A filter says which one it is.
        error @ Error::Filter { .. } => error,
        error => Error::Part {
            part,
            at,
            source: Box::new(error),
        },
    }
}

/// What a source is called.
pub(super) fn source_id(options: &PipelineOptions, at: usize) -> String {
    let of = |at: usize| {
        let source = &options.sources[at];
        let named = source.reading.name.clone();
        named.unwrap_or_else(|| named_by(source.kind.word(), &source.kind.place()))
    };
    numbered(at, of)
}

/// What a sink is called.
pub(super) fn sink_id(options: &PipelineOptions, at: usize) -> String {
    let of = |at: usize| {
        let sink = &options.sinks[at];
        let named = sink.delivery.name.clone();
        named.unwrap_or_else(|| named_by(sink.kind.word(), &sink.kind.place()))
    };
    numbered(at, of)
}

fn named_by(kind: &str, place: &str) -> String {
    if place.is_empty() {
        kind.to_owned()
    } else {
        format!("{kind} {place}")
    }
}

/// The name of a part; the second of a name gets a number.
fn numbered(at: usize, of: impl Fn(usize) -> String) -> String {
    let own = of(at);
    match (0..at).filter(|before| of(*before) == own).count() {
        0 => own,
        before => format!("{own} ({})", before + 1),
    }
}

/// A name as a folder: what paths cannot hold is replaced, and a checksum tells apart what looks the same then.
pub(super) fn file_name(id: &str) -> String {
    let plain = |letter: char| {
        let is_plain = letter.is_ascii_alphanumeric() || "._-".contains(letter);
        if is_plain { letter } else { '_' }
    };
    let name: String = id.chars().map(plain).take(60).collect();
    format!("{name}-{:08x}", crc32c::crc32c(id.as_bytes()))
}
