//! Records as other services want them.
//!
//! Sources of the forms: Loki's push API; OTLP's JSON encoding (`ExportLogsServiceRequest`); `VictoriaLogs`' JSON stream
//! API; Elasticsearch's bulk API.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::entry::json::{Dialect, Wire, to_value};
use crate::entry::{Entry, Level};
use crate::pipelines::format::Format;
use crate::pipelines::options::{HttpClientOptions, Preset};
use crate::pipelines::record::Record;

const NDJSON: &str = "application/x-ndjson";
const JSON: &str = "application/json";

/// The body and its type.
pub(super) fn of(
    records: &[Record],
    options: &HttpClientOptions,
    format: &Format,
) -> (Vec<u8>, &'static str) {
    match options.preset {
        Preset::Tailwater => (lines(records, wire), NDJSON),
        Preset::VictoriaLogs => {
            let one = |entry: &Entry, line: &mut Vec<u8>| put(&flat(entry), line);
            (lines(records, one), NDJSON)
        }
        Preset::Elasticsearch => {
            let action = json!({"create": {"_index": options.index}}).to_string();
            let one = |entry: &Entry, line: &mut Vec<u8>| {
                line.extend_from_slice(action.as_bytes());
                line.push(b'\n');
                let mut document = flat(entry);
                document.insert("@timestamp".to_owned(), entry.time.to_string().into());
                put(&document, line);
            };
            (lines(records, one), NDJSON)
        }
        Preset::Loki => (loki(records, &options.labels, format), JSON),
        Preset::Otlp => (otlp(records, &options.labels), JSON),
        Preset::Json => {
            let mut body = vec![b'['];
            for (at, record) in records.iter().enumerate() {
                if at > 0 {
                    body.push(b',');
                }
                if let Format::Json(_) = format {
                    format.write(record, &mut body);
                } else {
                    let mut line = Vec::new();
                    format.write(record, &mut line);
                    let _ = serde_json::to_writer(&mut body, &String::from_utf8_lossy(&line));
                }
            }
            body.push(b']');
            (body, JSON)
        }
    }
}

/// How many records an answer says were refused though the rest was taken.
pub(super) fn refused(preset: Preset, answer: &[u8]) -> usize {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    match preset {
        Preset::Tailwater => answer["rejected"].as_array().map_or(0, Vec::len),
        Preset::Elasticsearch if answer["errors"] == true => {
            let items = answer["items"].as_array();
            let is_refused = |item: &&Value| {
                let done = item.as_object().and_then(|item| item.values().next());
                done.is_some_and(|done| done["status"].as_u64().is_some_and(|code| code >= 300))
            };
            items.map_or(0, |items| items.iter().filter(is_refused).count())
        }
        Preset::Otlp => {
            let told = &answer["partialSuccess"]["rejectedLogRecords"];
            let told = told.as_u64().or_else(|| told.as_str()?.parse().ok());
            told.and_then(|count| usize::try_from(count).ok())
                .unwrap_or_default()
        }
        _ => 0,
    }
}

fn lines(records: &[Record], one: impl Fn(&Entry, &mut Vec<u8>)) -> Vec<u8> {
    let mut body = Vec::with_capacity(records.len() * 256);
    for record in records {
        one(&record.entry, &mut body);
        body.push(b'\n');
    }
    body
}

fn wire(entry: &Entry, line: &mut Vec<u8>) {
    let wire = Wire {
        entry,
        dialect: Dialect::Full,
    };
    // Writing into memory cannot fail.
    let _ = serde_json::to_writer(line, &wire);
}

fn put(object: &Map<String, Value>, line: &mut Vec<u8>) {
    let _ = serde_json::to_writer(line, object);
}

/// Everything beside each other: what stands in `fields` too, where its name is free.
fn flat(entry: &Entry) -> Map<String, Value> {
    let Value::Object(mut object) = to_value(entry, Dialect::Full) else {
        return Map::new();
    };
    if let Some(Value::Object(fields)) = object.shift_remove("fields") {
        for (name, value) in fields {
            object.entry(name).or_insert(value);
        }
    }
    object
}

fn loki(records: &[Record], labels: &BTreeMap<String, String>, format: &Format) -> Vec<u8> {
    // Streams keep their order; entries of one namespace and level are one stream.
    let mut streams: Vec<((&str, Level), Vec<Value>)> = Vec::new();
    for record in records {
        let entry: &Entry = &record.entry;
        let key = (entry.scope.namespace.as_str(), entry.level);
        let mut line = Vec::new();
        format.write(record, &mut line);
        let value = json!([entry.time.0.to_string(), String::from_utf8_lossy(&line)]);
        match streams.iter_mut().find(|(other, _)| *other == key) {
            Some((_, values)) => values.push(value),
            None => streams.push((key, vec![value])),
        }
    }
    let streams = streams.into_iter().map(|((namespace, level), values)| {
        let mut stream = json!(labels);
        stream["namespace"] = namespace.into();
        stream["level"] = level.word().to_lowercase().into();
        json!({"stream": stream, "values": values})
    });
    json!({"streams": streams.collect::<Vec<_>>()})
        .to_string()
        .into_bytes()
}

fn otlp(records: &[Record], labels: &BTreeMap<String, String>) -> Vec<u8> {
    let resource: Vec<Value> = labels
        .iter()
        .map(|(name, value)| json!({"key": name, "value": {"stringValue": value}}))
        .collect();
    let records: Vec<Value> = records
        .iter()
        .map(|record| otlp_record(&record.entry))
        .collect();
    let resource = json!({"attributes": resource});
    json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]})
        .to_string()
        .into_bytes()
}

fn otlp_record(entry: &Entry) -> Value {
    let is_id = |id: &String, length: usize| {
        id.len() == length && id.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let severity = match entry.level {
        Level::Trace => 1,
        Level::Debug => 5,
        Level::Info => 9,
        Level::Warn => 13,
        Level::Error => 17,
        Level::Fatal => 21,
    };
    let mut record = json!({
        "timeUnixNano": entry.time.0.to_string(),
        "severityNumber": severity,
        "severityText": entry.level.word(),
        "body": {"stringValue": entry.text},
    });
    let mut attributes = Vec::new();
    let mut others = flat(entry);
    for (name, key, length) in [("trace", "traceId", 32), ("span", "spanId", 16)] {
        let id = others.get(name).and_then(Value::as_str).map(str::to_owned);
        if let Some(id) = id.filter(|id| is_id(id, length)) {
            record[key] = id.into();
            others.shift_remove(name);
        }
    }
    for name in ["time", "level", "msg"] {
        others.shift_remove(name);
    }
    for (key, value) in others {
        attributes.push(json!({"key": key, "value": any_value(&value)}));
    }
    record["attributes"] = attributes.into();
    record
}

fn any_value(value: &Value) -> Value {
    match value {
        Value::String(text) => json!({"stringValue": text}),
        Value::Bool(truth) => json!({"boolValue": truth}),
        Value::Number(number) if number.is_f64() => json!({"doubleValue": number}),
        Value::Number(number) => json!({"intValue": number.to_string()}),
        Value::Array(items) => {
            json!({"arrayValue": {"values": items.iter().map(any_value).collect::<Vec<_>>()}})
        }
        Value::Object(members) => {
            let values = members.iter();
            let values = values.map(|(key, value)| json!({"key": key, "value": any_value(value)}));
            json!({"kvlistValue": {"values": values.collect::<Vec<_>>()}})
        }
        Value::Null => json!({}),
    }
}
