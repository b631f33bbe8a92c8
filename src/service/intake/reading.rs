//! Bodies to entries: lines as they come, or a body as a whole.

use axum::body::{Body, Bytes};
use serde_json::Value;
use tokio_stream::StreamExt;

use super::Intake;
use super::budget::Share;
use crate::entry::bytes;
use crate::entry::decode::{Lines, Pairs, from_object};
use crate::service::Service;
use crate::service::error::Failure;

/// A body may have so many bytes, decompressed.
const MAX_BODY_BYTES: usize = 256 << 20;
/// A line may have so many.
const MAX_LINE_BYTES: usize = 4 << 20;
/// A body that is read whole may have so many: an array, a pretty-printed object, protobuf.
const MAX_WHOLE_BYTES: usize = 64 << 20;

/// An export of OpenTelemetry may have so many: decoded it is many times as large.
pub(in crate::service) const MAX_EXPORT_BYTES: usize = 16 << 20;

/// Reads a body whole; its share of the budget is held as long as it is.
pub(in crate::service) async fn whole(
    service: &Service,
    body: Body,
) -> Result<(Vec<u8>, Share), Failure> {
    whole_within(service, body, MAX_WHOLE_BYTES).await
}

/// The same of a body that may have so many bytes.
pub(in crate::service) async fn whole_within(
    service: &Service,
    body: Body,
    most: usize,
) -> Result<(Vec<u8>, Share), Failure> {
    let (mut stream, mut all, mut share) = (body.into_data_stream(), Vec::new(), Share::default());
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| Failure::body_broken(innermost(&error)))?;
        all.extend_from_slice(&chunk);
        if all.len() > most {
            let message = format!("the body is longer than {most} bytes");
            return Err(Failure::too_large(message));
        }
        service.budget.read(&mut share, all.len())?;
    }
    Ok((all, share))
}

/// Text, a line an entry; what continues an entry (a stack trace) is joined to it.
pub(in crate::service) async fn read_text(
    service: &Service,
    body: Body,
    intake: &mut Intake<'_>,
) -> Result<(), Failure> {
    let mut lines = Lines::default();
    let mut chunks = Chunks::new(service, body);
    while let Some(chunk) = chunks.lines(intake, false).await? {
        for line in lines_of(&chunk) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if let Some(entry) = lines.push(line, &intake.defaults) {
                intake.line += 1;
                intake.entry(entry).await;
            }
            if intake.is_over() {
                return Ok(());
            }
        }
    }
    if let Some(entry) = lines.finish() {
        intake.line += 1;
        intake.entry(entry).await;
    }
    Ok(())
}

/// JSON, an object a line; a body that is an array or one pretty-printed object is read whole.
pub(in crate::service) async fn read_lines(
    service: &Service,
    body: Body,
    intake: &mut Intake<'_>,
) -> Result<(), Failure> {
    let mut chunks = Chunks::new(service, body);
    while let Some(chunk) = chunks.lines(intake, true).await? {
        if chunks.is_whole == Some(true) {
            from_whole(intake, &chunk).await;
            continue;
        }
        for line in lines_of(&chunk) {
            from_line(intake, line).await;
            if intake.is_over() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The lines of a piece of a body. What follows its last newline is no line.
fn lines_of(chunk: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ended = chunk.strip_suffix(b"\n").unwrap_or(chunk);
    ended.split(|byte| *byte == b'\n')
}

/// A body in pieces that end where lines end.
struct Chunks<'s> {
    service: &'s Service,
    stream: axum::body::BodyDataStream,
    total: usize,
    rest: Vec<u8>,
    share: Share,
    /// Whether the body is one value; known once its first line is.
    is_whole: Option<bool>,
    ended: bool,
}

impl<'s> Chunks<'s> {
    fn new(service: &'s Service, body: Body) -> Self {
        Self {
            service,
            stream: body.into_data_stream(),
            total: 0,
            rest: Vec::new(),
            share: Share::default(),
            is_whole: None,
            ended: false,
        }
    }

    /// The next whole lines, or, where `values` are looked for and the body is one, all of it.
    async fn lines(
        &mut self,
        intake: &mut Intake<'_>,
        values: bool,
    ) -> Result<Option<Vec<u8>>, Failure> {
        while let Some(chunk) = self.chunk(intake).await? {
            self.rest.extend_from_slice(&chunk);
            self.service.budget.read(&mut self.share, self.rest.len())?;
            let begins_list = || {
                let first = self.rest.iter().find(|byte| !byte.is_ascii_whitespace());
                first.map(|byte| values && *byte == b'[')
            };
            self.is_whole = self.is_whole.or_else(begins_list);
            if self.is_whole == Some(true) {
                self.check(MAX_WHOLE_BYTES, || {
                    format!("an array may have {MAX_WHOLE_BYTES} bytes; send lines instead")
                })?;
                continue;
            }
            let Some(end) = memchr::memrchr(b'\n', &self.rest) else {
                let line = intake.line + 1;
                self.check(MAX_LINE_BYTES, || {
                    format!("line {line} is longer than {MAX_LINE_BYTES} bytes")
                })?;
                continue;
            };
            if values && intake.line == 0 && starts_pretty(&self.rest[..end]) {
                self.is_whole = Some(true);
                continue;
            }
            let tail = self.rest.split_off(end + 1);
            return Ok(Some(std::mem::replace(&mut self.rest, tail)));
        }
        let rest = std::mem::take(&mut self.rest);
        Ok(Some(rest).filter(|rest| !rest.is_empty()))
    }

    async fn chunk(&mut self, intake: &mut Intake<'_>) -> Result<Option<Bytes>, Failure> {
        if self.ended {
            return Ok(None);
        }
        match self.stream.next().await {
            Some(Ok(chunk)) => {
                self.total += chunk.len();
                if self.total > MAX_BODY_BYTES {
                    let message = format!("the body is longer than {MAX_BODY_BYTES} bytes");
                    return Err(Failure::too_large(message));
                }
                Ok(Some(chunk))
            }
            // The sender vanished, or what it sent cannot be decompressed: whole lines are taken, the broken one is not.
            Some(Err(error)) => {
                self.ended = true;
                self.rest.clear();
                intake.line += 1;
                intake.reject(format!("the body ends here: {}", innermost(&error)));
                Ok(None)
            }
            None => {
                self.ended = true;
                Ok(None)
            }
        }
    }

    fn check(&self, most: usize, message: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.rest.len() > most {
            return Err(Failure::too_large(message()));
        }
        Ok(())
    }
}

/// Whether the first line opens an object that it does not close.
fn starts_pretty(lines: &[u8]) -> bool {
    let first = lines
        .split(|byte| *byte == b'\n')
        .find(|line| !line.trim_ascii().is_empty())
        .unwrap_or_default();
    first.trim_ascii().starts_with(b"{")
        && serde_json::from_slice::<serde::de::IgnoredAny>(first).is_err_and(|error| error.is_eof())
}

async fn from_line(intake: &mut Intake<'_>, line: &[u8]) {
    intake.line += 1;
    if line.trim_ascii().is_empty() {
        return;
    }
    if line.len() > MAX_LINE_BYTES {
        return intake.reject(format!("the line is longer than {MAX_LINE_BYTES} bytes"));
    }
    match serde_json::from_str::<Pairs>(&bytes::decode(line)) {
        Ok(object) => intake.entry(from_object(object, &intake.defaults)).await,
        Err(error) => intake.reject(format!("expected a JSON object: {error}")),
    }
}

async fn from_whole(intake: &mut Intake<'_>, body: &[u8]) {
    match serde_json::from_str(&bytes::decode(body)) {
        Ok(Value::Array(items)) => {
            for item in items {
                intake.line += 1;
                from_value(intake, item).await;
            }
        }
        Ok(value) => {
            intake.line = 1;
            from_value(intake, value).await;
        }
        Err(error) => {
            intake.line = error.line() as u64;
            intake.reject(format!("expected JSON: {error}"));
        }
    }
}

async fn from_value(intake: &mut Intake<'_>, value: Value) {
    match value {
        Value::Object(object) => intake.entry(from_object(object, &intake.defaults)).await,
        other => intake.reject(format!("expected a JSON object, found {}", kind(&other))),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.last().map(ToString::to_string).unwrap_or_default()
}
