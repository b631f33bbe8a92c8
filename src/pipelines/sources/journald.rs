//! The journal of systemd, through `journalctl`; its cursor is the checkpoint.
//!
//! Source of the fields: systemd.journal-fields(7).

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

use super::outlet::Outlet;
use crate::base::{Backoff, Time};
use crate::entry::decode::words;
use crate::entry::{Entry, Level, bytes};
use crate::pipelines::options::{JournaldOptions, Start};
use crate::pipelines::record::Record;

/// First and longest wait before `journalctl` is started again.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));
/// Entries given together, if they are there.
const BATCH: usize = 1_024;
/// Fields that say what is said elsewhere, or what nobody asks for.
const LEFT_OUT: [&str; 9] = [
    "__REALTIME_TIMESTAMP",
    "__MONOTONIC_TIMESTAMP",
    "__CURSOR",
    "__SEQNUM",
    "__SEQNUM_ID",
    "_SOURCE_REALTIME_TIMESTAMP",
    "_BOOT_ID",
    "_MACHINE_ID",
    "_RUNTIME_SCOPE",
];

/// Reads until told to stop.
pub(super) async fn run(options: JournaldOptions, outlet: Outlet) {
    let saved = outlet.places().and_then(|places| places.get("").cloned());
    let mut cursor = saved.and_then(|cursor| cursor.as_str().map(str::to_owned));
    let mut backoff = Backoff::new(RETRY.0, RETRY.1);
    while !outlet.stopping.is_cancelled() {
        let before = cursor.clone();
        let ended = tokio::select! {
            ended = once(&options, &outlet, &mut cursor) => ended,
            () = outlet.stopping.cancelled() => return,
        };
        outlet.figures.trouble(ended);
        if cursor != before {
            backoff.reset();
        }
        tokio::select! {
            () = tokio::time::sleep(backoff.delay()) => {}
            () = outlet.stopping.cancelled() => return,
        }
    }
}

async fn once(options: &JournaldOptions, outlet: &Outlet, cursor: &mut Option<String>) -> String {
    let program = &options.program;
    let mut command = Command::new(program);
    command.args(["-o", "json", "-f", "--no-pager"]);
    match (&cursor, options.start) {
        (Some(cursor), _) => command.arg(format!("--after-cursor={cursor}")).arg("-nall"),
        (None, Start::Beginning) => command.arg("-nall"),
        (None, Start::End) => command.arg("-n0"),
    };
    for unit in &options.units {
        command.args(["-u", unit]);
    }
    let spawned = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => return format!("{program} cannot be started: {error}"),
    };
    let Some(out) = child.stdout.take() else {
        return format!("{program} gives nothing");
    };
    let mut lines = BufReader::with_capacity(256 << 10, out);
    let mut line = Vec::new();
    let mut records = Vec::new();
    loop {
        line.clear();
        match lines.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => break,
            Ok(count) => outlet.figures.moved(count),
        }
        match record(&line, outlet) {
            Some((record, at)) => {
                records.push(record);
                *cursor = at.or(cursor.take());
            }
            None => outlet.invalid(1),
        }
        let has_line = memchr::memchr(b'\n', lines.buffer()).is_some();
        if !has_line || records.len() >= BATCH {
            let at = cursor.as_ref().map(|cursor| cursor.as_str().into());
            let mark = outlet.mark("", at);
            outlet.give(std::mem::take(&mut records), vec![mark]).await;
            outlet.figures.well();
        }
    }
    let mut said = String::new();
    if let Some(error) = child.stderr.take() {
        let _ = error.take(1_024).read_to_string(&mut said).await;
    }
    let status = child.wait().await;
    let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
    format!("{program} ended: {status} {}", said.trim())
}

/// An entry of the journal, and its cursor.
fn record(line: &[u8], outlet: &Outlet) -> Option<(Record, Option<String>)> {
    let text = bytes::decode(line);
    let mut fields: Map<String, Value> = serde_json::from_str(&text).ok()?;
    let cursor = fields
        .get("__CURSOR")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let number = |name: &str| -> Option<i64> { fields.get(name)?.as_str()?.parse().ok() };
    let microseconds = number("_SOURCE_REALTIME_TIMESTAMP").or(number("__REALTIME_TIMESTAMP"));
    let level = match number("PRIORITY") {
        Some(0..=2) => Level::Fatal,
        Some(3) => Level::Error,
        Some(4) => Level::Warn,
        Some(7) => Level::Debug,
        _ => Level::Info,
    };
    let message = fields.remove("MESSAGE").map(words).unwrap_or_default();
    let unit = ["_SYSTEMD_UNIT", "SYSLOG_IDENTIFIER", "_COMM"];
    let source = unit
        .iter()
        .find_map(|name| fields.get(*name)?.as_str())
        .unwrap_or("journal")
        .to_owned();
    let mut defaults = outlet.defaults(source);
    if let Some(time) = microseconds.and_then(|time| time.checked_mul(1_000)) {
        defaults.arrival = Time(time);
    }
    let (mut entry, _) = if message.trim_start().starts_with('{') {
        outlet.form.decoder.line(message.as_bytes(), &defaults)
    } else {
        let mut entry = Entry {
            time: defaults.arrival,
            text: message.clone(),
            source: defaults.source.clone(),
            ..Entry::default()
        };
        entry.scope.namespace.clone_from(&defaults.namespace);
        (entry, crate::entry::decode::Form::Plain)
    };
    if entry.level == Level::default() {
        entry.level = level;
    }
    for (name, value) in fields {
        if LEFT_OUT.contains(&name.as_str()) || name == "PRIORITY" {
            continue;
        }
        let name = name.trim_start_matches('_').to_ascii_lowercase();
        let value = words(value).into();
        entry.fields.entry(name).or_insert(value);
    }
    Some((outlet.record(entry, &message), cursor))
}
