//! OpenTelemetry's log records to entries.
//!
//! | of the record | in the entry |
//! |---|---|
//! | body | text; a structured body's members are as attributes |
//! | time, else observed time | time |
//! | severity number, else its text | level; the text stays in the field `severity_text` where it says something else |
//! | trace id, span id | trace, span |
//! | attributes, then those of scope and resource | known names to their places, others to fields |
//! | `service.namespace`, else `k8s.namespace.name`, else `service.name` | namespace, unless an attribute `namespace` names it or the token is for one |
//! | `service.instance.id`, else `k8s.pod.name`, else `host.name` | instance, unless an attribute `instance` names it |
//! | `exception.type` and `exception.message` | error |
//!
//! Source of the format: the OpenTelemetry protocol, version 1 (`opentelemetry/proto/logs/v1`).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use serde_json::{Map, Value};

use super::{Intake, Outcome, Tenant};
use crate::base::Time;
use crate::entry::decode::{Defaults, attach};
use crate::entry::{Entry, Level};
use crate::service::Service;
use crate::service::error::Failure;

/// Values nested deeper are shown as a mark: nothing real is.
const MAX_DEPTH: usize = 32;

/// Takes the records of an export, all or none.
pub(in crate::service) async fn take(
    service: &Service,
    tenant: Tenant,
    request: ExportLogsServiceRequest,
) -> Result<Outcome, Failure> {
    let mut intake = Intake::new(service, "otlp", tenant);
    for group in request.resource_logs {
        let resource = group.resource.unwrap_or_default().attributes;
        for logs in group.scope_logs {
            let scope = logs.scope.unwrap_or_default();
            for record in logs.log_records {
                intake.line += 1;
                let derived = intake.is_free();
                let entry = entry(record, &scope, &resource, &intake.defaults, derived);
                intake.entry(entry).await;
            }
        }
    }
    intake.finish_whole().await
}

fn entry(
    record: LogRecord,
    scope: &InstrumentationScope,
    resource: &[KeyValue],
    defaults: &Defaults,
    derived: bool,
) -> Entry {
    let times = [record.time_unix_nano, record.observed_time_unix_nano];
    let time = times.into_iter().filter(|time| *time > 0);
    let time = time
        .filter_map(|time| i64::try_from(time).ok())
        .map(Time)
        .next();
    let level = level(record.severity_number).or_else(|| record.severity_text.parse().ok());
    let mut entry = Entry {
        time: time.unwrap_or(defaults.arrival),
        level: level.unwrap_or_default(),
        ..Entry::default()
    };
    entry.scope.trace = id(&record.trace_id);
    entry.scope.span = id(&record.span_id);
    let said = record.severity_text.parse().ok();
    if !record.severity_text.is_empty() && said != Some(entry.level) {
        attach(
            &mut entry,
            "severity_text".into(),
            record.severity_text.into(),
        );
    }
    if !record.event_name.is_empty() {
        attach(&mut entry, "event.name".into(), record.event_name.into());
    }
    match json(record.body.and_then(|body| body.value), MAX_DEPTH) {
        Value::Null => {}
        Value::String(text) => entry.text = text,
        Value::Object(members) => structured(&mut entry, members),
        other => entry.text = other.to_string(),
    }
    for attribute in record.attributes {
        let value = attribute.value.and_then(|value| value.value);
        attach(&mut entry, attribute.key, json(value, MAX_DEPTH));
    }
    around(&mut entry, scope, resource, derived);
    if entry.scope.namespace.is_empty() {
        entry.scope.namespace.clone_from(&defaults.namespace);
    }
    entry
}

/// A body with members: one of them is the text, where it has the usual name.
fn structured(entry: &mut Entry, members: Map<String, Value>) {
    let names = ["msg", "message", "body", "text"];
    let text = names
        .iter()
        .find(|name| members.get(**name).is_some_and(Value::is_string));
    entry.text = match text {
        Some(name) => members[*name].as_str().unwrap_or_default().to_owned(),
        None => Value::Object(members.clone()).to_string(),
    };
    for (name, value) in members {
        if text != Some(&name.as_str()) {
            attach(entry, name, value);
        }
    }
}

/// What scope and resource say.
fn around(entry: &mut Entry, scope: &InstrumentationScope, resource: &[KeyValue], derived: bool) {
    for (name, value) in [
        ("otel.scope.name", &scope.name),
        ("otel.scope.version", &scope.version),
    ] {
        if !value.is_empty() {
            attach(entry, name.to_owned(), value.clone().into());
        }
    }
    for attribute in scope.attributes.iter().chain(resource) {
        let value = attribute.value.clone().and_then(|value| value.value);
        attach(entry, attribute.key.clone(), json(value, MAX_DEPTH));
    }
    let first = |names: [&str; 3]| {
        let found = names
            .iter()
            .filter_map(|name| entry.fields.get(*name)?.as_str());
        found.map(str::to_owned).find(|value| !value.is_empty())
    };
    let namespace = first(["service.namespace", "k8s.namespace.name", "service.name"]);
    let instance = first(["service.instance.id", "k8s.pod.name", "host.name"]);
    let kind = entry.fields.get("exception.type").and_then(Value::as_str);
    let message = entry
        .fields
        .get("exception.message")
        .and_then(Value::as_str);
    let error = match (kind, message) {
        (Some(kind), Some(message)) => Some(format!("{kind}: {message}")),
        (kind, message) => kind.or(message).map(str::to_owned),
    };
    let scope = &mut entry.scope;
    if scope.namespace.is_empty() && derived {
        scope.namespace = namespace.unwrap_or_default();
    }
    scope.instance = scope.instance.take().or(instance);
    entry.error = entry.error.take().or(error);
}

/// Four numbers a level: 1 to 4 trace, …, 21 to 24 fatal.
fn level(number: i32) -> Option<Level> {
    let code = u8::try_from(number.checked_sub(1)? / 4).ok()?;
    Level::from_code(code).filter(|_| number > 0)
}

fn id(bytes: &[u8]) -> Option<String> {
    let is_some = bytes.iter().any(|byte| *byte != 0);
    is_some.then(|| bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn json(value: Option<AnyValue>, depth: usize) -> Value {
    let Some(deeper) = depth.checked_sub(1) else {
        return "…".into();
    };
    match value {
        None => Value::Null,
        Some(AnyValue::StringValue(text)) => text.into(),
        Some(AnyValue::BoolValue(value)) => value.into(),
        Some(AnyValue::IntValue(value)) => value.into(),
        Some(AnyValue::DoubleValue(value)) => value.into(),
        Some(AnyValue::BytesValue(value)) => BASE64_STANDARD.encode(value).into(),
        Some(AnyValue::ArrayValue(list)) => {
            let items = list.values.into_iter();
            items.map(|item| json(item.value, deeper)).collect()
        }
        Some(AnyValue::KvlistValue(list)) => {
            let member = |pair: KeyValue| {
                let value = pair.value.and_then(|value| value.value);
                (pair.key, json(value, deeper))
            };
            Value::Object(list.values.into_iter().map(member).collect())
        }
        // A reference into a table of strings that log exports do not have.
        Some(AnyValue::StringValueStrindex(index)) => index.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Vec<Entry> {
        let request: ExportLogsServiceRequest = serde_json::from_str(text).expect("a request");
        let defaults = Defaults::at(Time(7));
        let group = request
            .resource_logs
            .into_iter()
            .next()
            .expect("a resource");
        let resource = group.resource.unwrap_or_default().attributes;
        let logs = group.scope_logs.into_iter().next().expect("a scope");
        let scope = logs.scope.unwrap_or_default();
        let records = logs.log_records.into_iter();
        records
            .map(|record| entry(record, &scope, &resource, &defaults, true))
            .collect()
    }

    #[test]
    fn everything_a_record_says_is_kept() {
        let entries = decoded(
            r#"{"resourceLogs":[{"resource":{"attributes":[
                {"key":"service.name","value":{"stringValue":"checkout"}},
                {"key":"service.instance.id","value":{"stringValue":"pod-1"}}]},
              "scopeLogs":[{"scope":{"name":"shop.cart"},"logRecords":[
                {"timeUnixNano":"1773478800000000001","severityNumber":17,"severityText":"ERROR",
                 "body":{"stringValue":"payment failed"},
                 "traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7",
                 "attributes":[{"key":"amount","value":{"doubleValue":1.5}},
                   {"key":"retries","value":{"intValue":"3"}},
                   {"key":"exception.type","value":{"stringValue":"IOError"}},
                   {"key":"exception.message","value":{"stringValue":"refused"}},
                   {"key":"tags","value":{"arrayValue":{"values":[{"stringValue":"a"}]}}}]},
                {"observedTimeUnixNano":"5","severityText":"odd","body":{"kvlistValue":{"values":[
                   {"key":"message","value":{"stringValue":"in a map"}},
                   {"key":"namespace","value":{"stringValue":"own"}}]}}}]}]}]}"#,
        );
        let [first, second] = entries.as_slice() else {
            panic!("two entries: {entries:?}");
        };
        assert_eq!(first.text, "payment failed");
        assert_eq!(first.time, Time(1_773_478_800_000_000_001));
        assert_eq!(first.level, Level::Error);
        assert_eq!(first.error.as_deref(), Some("IOError: refused"));
        let scope = &first.scope;
        assert_eq!(scope.namespace, "checkout");
        assert_eq!(scope.instance.as_deref(), Some("pod-1"));
        assert_eq!(
            scope.trace.as_deref(),
            Some("4bf92f3577b34da6a3ce929d0e0e4736")
        );
        assert_eq!(scope.span.as_deref(), Some("00f067aa0ba902b7"));
        assert_eq!(first.fields["amount"], 1.5);
        assert_eq!(first.fields["retries"], 3);
        assert_eq!(first.fields["tags"], serde_json::json!(["a"]));
        assert_eq!(first.fields["otel.scope.name"], "shop.cart");
        assert!(!first.fields.contains_key("severity_text"));
        assert_eq!(second.text, "in a map");
        assert_eq!(second.scope.namespace, "own");
        assert_eq!((second.time, second.level), (Time(5), Level::Info));
        assert_eq!(second.fields["severity_text"], "odd");
    }

    #[test]
    fn severities_are_six_levels() {
        let levels: Vec<_> = [0, 1, 4, 5, 9, 12, 13, 17, 21, 24, 25, -3]
            .map(level)
            .into();
        let (none, some) = (None, Some);
        let expected = [
            none,
            some(Level::Trace),
            some(Level::Trace),
            some(Level::Debug),
            some(Level::Info),
            some(Level::Info),
            some(Level::Warn),
            some(Level::Error),
            some(Level::Fatal),
            some(Level::Fatal),
            none,
            none,
        ];
        assert_eq!(levels, expected);
    }
}
