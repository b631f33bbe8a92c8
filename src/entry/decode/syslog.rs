//! Syslog lines: RFC 5424 and RFC 3164.

use jiff::Timestamp;
use serde_json::Value;
use syslog_loose::{Message, ProcId, SyslogFacility, SyslogSeverity, Variant, decompose_pri};

use super::{Decoder, Defaults, Form};
use crate::base::{Time, UTC};
use crate::entry::{Entry, Level, Scope};

/// A line that begins with its priority, `<34>`; any other is none.
pub fn prioritised(text: &str, defaults: &Defaults) -> Option<(Entry, Form)> {
    priority(text).and_then(|_| parse(text, defaults))
}

/// The priority that a line begins with, and what comes after it.
fn priority(text: &str) -> Option<(u8, &str)> {
    let (digits, rest) = text.strip_prefix('<')?.split_once('>')?;
    let priority = digits.parse().ok().filter(|_| digits.len() <= 3)?;
    Some((priority, rest))
}

/// A syslog line, with or without its priority.
pub fn parse(text: &str, defaults: &Defaults) -> Option<(Entry, Form)> {
    use chrono::{FixedOffset, Offset, Utc};
    let now = defaults.arrival.timestamp();
    let now = now.to_zoned(jiff::tz::TimeZone::UTC);
    let (year, month) = (i32::from(now.year()), u32::from(now.month().unsigned_abs()));
    // A message of December that arrives in January is of last year.
    let year_of =
        |(at, ..): (u32, u32, u32, u32, u32)| if at > month + 1 { year - 1 } else { year };
    let utc: FixedOffset = Utc.fix();
    // A message may have lines; the form of the first tells all.
    let (text, more) = text.split_once('\n').unwrap_or((text, ""));
    let read =
        syslog_loose::parse_message_with_year_exact_tz(text, year_of, Some(utc), Variant::Either);
    let message = match (read, priority(text)) {
        (Ok(message), _) if message.timestamp.is_some() || message.severity.is_some() => message,
        // Nothing but a priority before the words: a relay has to take that, too.
        (_, Some((priority, rest))) => bare(priority, rest),
        _ => return None,
    };
    // `Mar 14 09:00:00` names no zone: it was read as if it were of UTC.
    let head = priority(text).map_or(text, |(_, rest)| rest);
    let is_zoned = !head.starts_with(|first: char| first.is_ascii_alphabetic());
    let mut entry = entry(message, is_zoned, defaults);
    if !more.is_empty() {
        entry.text.push('\n');
        entry.text.push_str(more);
    }
    Some((entry, Form::Timed))
}

fn bare(priority: u8, text: &str) -> Message<&str> {
    let (facility, severity) = decompose_pri(priority);
    Message {
        protocol: syslog_loose::Protocol::RFC3164,
        facility,
        severity,
        timestamp: None,
        hostname: None,
        appname: None,
        procid: None,
        msgid: None,
        structured_data: Vec::new(),
        msg: text,
    }
}

fn entry(message: Message<&str>, is_zoned: bool, defaults: &Defaults) -> Entry {
    let sent = message.timestamp.and_then(|time| {
        let nanoseconds = i32::try_from(time.timestamp_subsec_nanos()).ok()?;
        let sent = Timestamp::new(time.timestamp(), nanoseconds).ok()?;
        let sent = Time::from_timestamp(sent)?;
        if is_zoned {
            Some(sent)
        } else {
            defaults.zone.at(UTC.civil(sent))
        }
    });
    let defaults = Defaults {
        arrival: sent.unwrap_or(defaults.arrival),
        ..defaults.clone()
    };
    let text = message.msg.trim_start_matches('\u{feff}');
    let text = text.strip_prefix("@cee:").unwrap_or(text).trim_start();
    let is_object = text.starts_with('{');
    let mut entry = if is_object {
        Decoder::Json.line(text.as_bytes(), &defaults).0
    } else {
        Entry {
            time: defaults.arrival,
            text: text.to_owned(),
            source: defaults.source.clone(),
            scope: Scope {
                namespace: defaults.namespace.clone(),
                ..Scope::default()
            },
            ..Entry::default()
        }
    };
    if let Some(severity) = message.severity.filter(|_| entry.level == Level::default()) {
        entry.level = level(severity);
    }
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            entry.fields.entry(name).or_insert(value);
        }
    };
    put("facility", message.facility.map(facility));
    put("host", message.hostname.map(Value::from));
    put("app", message.appname.map(Value::from));
    put(
        "pid",
        message.procid.map(|id| match id {
            ProcId::PID(id) => id.into(),
            ProcId::Name(name) => name.into(),
        }),
    );
    put("msgid", message.msgid.map(Value::from));
    for element in &message.structured_data {
        for (name, value) in element.params() {
            put(&format!("{}.{name}", element.id), Some(value.into()));
        }
    }
    entry
}

fn facility(facility: SyslogFacility) -> Value {
    facility.as_str().into()
}

fn level(severity: SyslogSeverity) -> Level {
    match severity {
        SyslogSeverity::SEV_EMERG | SyslogSeverity::SEV_ALERT | SyslogSeverity::SEV_CRIT => {
            Level::Fatal
        }
        SyslogSeverity::SEV_ERR => Level::Error,
        SyslogSeverity::SEV_WARNING => Level::Warn,
        SyslogSeverity::SEV_NOTICE | SyslogSeverity::SEV_INFO => Level::Info,
        SyslogSeverity::SEV_DEBUG => Level::Debug,
    }
}
