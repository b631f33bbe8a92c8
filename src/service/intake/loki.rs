//! Loki's streams to entries.
//!
//! A line is decoded as any other (JSON, logfmt, text). Its time is the one it was sent with; labels and structured
//! metadata are attached to it. Source of the format: Grafana Loki's push API and `logproto.PushRequest`.

use prost::Message;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Intake, Outcome, Tenant};
use crate::base::Time;
use crate::entry::Level;
use crate::entry::decode::{attach, line};
use crate::service::Service;
use crate::service::error::Failure;

/// Labels that say how severe a line is.
const LEVELS: [&str; 4] = ["level", "detected_level", "severity", "lvl"];
/// Labels of a stream may have so many bytes: every line gets them.
const MAX_LABEL_BYTES: usize = 64 << 10;
/// A push may have so many bytes, decompressed.
const MAX_BYTES: usize = 64 << 20;

/// A push: lines by their labels.
#[derive(Debug, Default, Deserialize)]
pub(in crate::service) struct Push {
    streams: Vec<Stream>,
}

#[derive(Debug, Deserialize)]
struct Stream {
    #[serde(default, rename = "stream")]
    labels: Map<String, Value>,
    values: Vec<Line>,
}

/// Nanoseconds since the epoch as a string, the line, and what belongs to it alone.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Bare(String, String),
    WithMetadata(String, String, Map<String, Value>),
}

#[derive(Message)]
struct PushRequest {
    #[prost(message, repeated, tag = "1")]
    streams: Vec<StreamAdapter>,
}

#[derive(Message)]
struct StreamAdapter {
    /// `{name="value", …}`
    #[prost(string, tag = "1")]
    labels: String,
    #[prost(message, repeated, tag = "2")]
    entries: Vec<EntryAdapter>,
}

#[derive(Message)]
struct EntryAdapter {
    #[prost(message, optional, tag = "1")]
    timestamp: Option<Timestamp>,
    #[prost(string, tag = "2")]
    line: String,
    #[prost(message, repeated, tag = "3")]
    metadata: Vec<LabelPair>,
}

#[derive(Message)]
struct Timestamp {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[derive(Message)]
struct LabelPair {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

/// A push in JSON.
pub(in crate::service) fn from_json(body: &[u8]) -> Result<Push, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        let expected = r#"{"streams":[{"stream":{…},"values":[["<nanoseconds>","<line>"]]}]}"#;
        Failure::not_json(format!("expected {expected}: {error}"))
    })
}

/// A push in protobuf, compressed with snappy.
pub(in crate::service) fn from_protobuf(body: &[u8]) -> Result<Push, Failure> {
    let length = snap::raw::decompress_len(body).map_err(|error| {
        Failure::invalid(format!("expected a body compressed with snappy: {error}"))
    })?;
    if length > MAX_BYTES {
        return Err(Failure::too_large(format!(
            "the push is longer than {MAX_BYTES} bytes"
        )));
    }
    let decompressed = snap::raw::Decoder::new()
        .decompress_vec(body)
        .map_err(|error| {
            Failure::invalid(format!("expected a body compressed with snappy: {error}"))
        })?;
    let request = PushRequest::decode(decompressed.as_slice())
        .map_err(|error| Failure::invalid(format!("expected a protobuf PushRequest: {error}")))?;
    let streams = request.streams.into_iter().map(|stream| {
        let labels = labels(&stream.labels).ok_or_else(|| {
            Failure::invalid(format!(
                "expected labels such as {{a=\"b\"}}, found {:?}",
                stream.labels
            ))
        })?;
        let line = |entry: EntryAdapter| {
            let time = entry.timestamp.unwrap_or_default();
            let time = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos);
            let pairs = entry.metadata.into_iter();
            let metadata = pairs.map(|pair| (pair.name, pair.value.into())).collect();
            Line::WithMetadata(time.to_string(), entry.line, metadata)
        };
        let values = stream.entries.into_iter().map(line).collect();
        Ok(Stream { labels, values })
    });
    Ok(Push {
        streams: streams.collect::<Result<_, Failure>>()?,
    })
}

/// `{name="value", …}`, values quoted as JSON quotes them.
fn labels(text: &str) -> Option<Map<String, Value>> {
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let mut labels = Map::new();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let mut values = serde_json::Deserializer::from_str(after).into_iter::<String>();
        let value = values.next()?.ok()?;
        rest = after[values.byte_offset()..].trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        labels.insert(name.trim().to_owned(), value.into());
    }
    Some(labels)
}

/// Takes the lines of a push. The tenant that Loki's senders may name is the namespace of lines that name none.
pub(in crate::service) async fn take(
    service: &Service,
    tenant: Tenant,
    organisation: Option<&str>,
    push: Push,
) -> Result<Outcome, Failure> {
    let mut intake = Intake::new(service, "loki", tenant);
    let is_free = intake.is_free();
    if let Some(name) = organisation
        .filter(|_| is_free)
        .filter(|name| !name.is_empty() && *name != "fake")
    {
        name.clone_into(&mut intake.defaults.namespace);
    }
    for stream in push.streams {
        let labels: usize = stream
            .labels
            .iter()
            .map(|(name, value)| name.len() + value.as_str().map_or(0, str::len))
            .sum();
        if labels > MAX_LABEL_BYTES {
            intake.line += 1;
            intake.reject(format!(
                "expected labels of {MAX_LABEL_BYTES} bytes at the most, found {labels}"
            ));
            continue;
        }
        for value in stream.values {
            intake.line += 1;
            let (time, text, metadata) = match value {
                Line::Bare(time, text) => (time, text, Map::new()),
                Line::WithMetadata(time, text, metadata) => (time, text, metadata),
            };
            let Ok(time) = time.parse().map(Time) else {
                intake.reject(format!(
                    "expected nanoseconds since the epoch, found {time:?}"
                ));
                continue;
            };
            let (mut entry, _) = line(text.as_bytes(), &intake.defaults);
            entry.time = time;
            // The default gives way to what labels say.
            let unnamed = entry.scope.namespace == intake.defaults.namespace;
            if unnamed {
                entry.scope.namespace.clear();
            }
            let labels = metadata.into_iter().chain(stream.labels.clone());
            for (name, value) in labels {
                let level: Option<Level> = value.as_str().and_then(|word| word.parse().ok());
                match level {
                    Some(level) if LEVELS.contains(&name.as_str()) => entry.level = level,
                    _ => attach(&mut entry, name, value),
                }
            }
            if entry.scope.namespace.is_empty() {
                entry.scope.namespace.clone_from(&intake.defaults.namespace);
            }
            intake.entry(entry).await;
        }
    }
    intake.finish_whole().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read() {
        let read = |text| labels(text).map(|labels| Value::Object(labels).to_string());
        assert_eq!(read("{}").as_deref(), Some("{}"));
        assert_eq!(
            read(r#"{app="a, \"b\"}", job = "x",}"#).as_deref(),
            Some(r#"{"app":"a, \"b\"}","job":"x"}"#)
        );
        for bad in ["", "app=\"a\"", "{app}", "{app=a}", "{app=\"a}"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
