//! Entries as bytes: section 5 of the format's description. The only file that knows the event types.

use std::net::IpAddr;

use uuid::Uuid;

use super::codec::{Reader, Writer};
use super::entry::{Body, LogEntry, Method, Request};
use super::{Defect, HttpMethod, Lifecycle, LogLevel};

const REQUEST: u8 = 1;
const REQUEST_META: u8 = 2;
const RESPONSE: u8 = 3;
const RESPONSE_FINISHED: u8 = 4;
/// The event type of a program's entry is one of these and its level.
const LOG_OF_REQUEST: u8 = 10;
const LOG_OF_WORKER: u8 = 30;
const LOG_OF_MASTER: u8 = 50;
const WORKER_EXCEPTION: u8 = 26;
const WORKER_EXITED: u8 = 45;
const MASTER_EXCEPTION: u8 = 46;
const MASTER_PING: u8 = 47;

/// The event types of lifecycle events that are nothing but their head and a worker.
const LIFECYCLES: [(u8, Lifecycle); 12] = [
    (20, Lifecycle::WorkerStarted),
    (21, Lifecycle::WorkerGoingOnline),
    (22, Lifecycle::WorkerOnline),
    (23, Lifecycle::WorkerGoingOffline),
    (24, Lifecycle::WorkerOffline),
    (25, Lifecycle::WorkerDone),
    (27, Lifecycle::WorkerPing),
    (40, Lifecycle::StartingUp),
    (41, Lifecycle::StartingUpCompleted),
    (42, Lifecycle::ShuttingDown),
    (43, Lifecycle::ShuttingDownCompleted),
    (44, Lifecycle::WorkerSpawned),
];

/// The method is text.
const FLAG_METHOD_TEXT: u8 = 0x80;
/// The address is IPv6.
const FLAG_IPV6: u8 = 0x40;
/// Of a response: its error was expected. Of an exit: there is a code.
const FLAG_SET: u8 = 0x01;

/// Reads the next entry of a block.
pub(super) fn decode(reader: &mut Reader<'_>) -> Result<LogEntry, Defect> {
    let event_type = reader.uint8()?;
    let timestamp = reader.uint48()?;
    let nonce = reader.uint16()?;
    let worker_id = match event_type {
        1..=36 | 44 | 45 => Some(reader.dynamic_integer()?),
        _ => None,
    };
    let (level, body) = body(event_type, reader)?;
    Ok(LogEntry {
        timestamp,
        nonce,
        level,
        worker_id,
        body,
    })
}

fn body(event_type: u8, reader: &mut Reader<'_>) -> Result<(LogLevel, Body), Defect> {
    let body = match event_type {
        REQUEST => Body::Request(Box::new(request(reader)?)),
        REQUEST_META => Body::RequestMeta {
            request_id: uuid(reader)?,
            data: reader.string()?,
        },
        RESPONSE => return response(reader),
        RESPONSE_FINISHED => {
            let request_id = uuid(reader)?;
            let error = present(reader.string()?);
            let level = level_of(error.is_some());
            return Ok((level, Body::ResponseFinished { request_id, error }));
        }
        12..=16 | 32..=36 | 52..=56 => {
            let base = event_type / 20 * 20 + 10;
            let level = LogLevel::from_number(event_type - base);
            let level = level.ok_or(Defect::EventType(event_type))?;
            let request_id = (base == LOG_OF_REQUEST).then(|| uuid(reader));
            let request_id = request_id.transpose()?;
            let data = reader.string()?;
            return Ok((level, Body::Log { request_id, data }));
        }
        WORKER_EXCEPTION | MASTER_EXCEPTION => {
            let error = reader.string()?;
            return Ok((LogLevel::Critical, Body::UncaughtException { error }));
        }
        WORKER_EXITED => return exit(reader),
        MASTER_PING => {
            let worker_ids = reader.dynamic_integer_array()?;
            return Ok((LogLevel::Internal, Body::MasterPing { worker_ids }));
        }
        other => {
            let known = LIFECYCLES.iter().find(|(number, _)| *number == other);
            let (_, event) = known.ok_or(Defect::EventType(other))?;
            let level = match event {
                Lifecycle::WorkerPing => LogLevel::Internal,
                _ => LogLevel::Info,
            };
            return Ok((level, Body::Lifecycle(*event)));
        }
    };
    Ok((LogLevel::Info, body))
}

fn request(reader: &mut Reader<'_>) -> Result<Request, Defect> {
    let request_id = uuid(reader)?;
    let flags = reader.uint8()?;
    let ip_address = if flags & FLAG_IPV6 == 0 {
        IpAddr::from(reader.uint32()?.to_be_bytes())
    } else {
        let bytes: [u8; 16] = reader.bytes(16)?.try_into().map_err(|_| Defect::Short)?;
        IpAddr::from(bytes)
    };
    let method = if flags & FLAG_METHOD_TEXT == 0 {
        let number = reader.uint8()?;
        HttpMethod::from_number(number).map_or(Method::Number(number), Method::Known)
    } else {
        Method::Text(reader.string()?)
    };
    Ok(Request {
        request_id,
        http_version: (flags >> 3 & 7, flags & 7),
        ip_address,
        method,
        url: reader.string()?,
    })
}

fn response(reader: &mut Reader<'_>) -> Result<(LogLevel, Body), Defect> {
    let request_id = uuid(reader)?;
    let error = present(reader.string()?);
    let expected = reader.uint8()? & FLAG_SET != 0;
    let level = level_of(error.is_some() && !expected);
    let body = Body::Response {
        request_id,
        error,
        status_code: reader.dynamic_integer()?,
    };
    Ok((level, body))
}

fn exit(reader: &mut Reader<'_>) -> Result<(LogLevel, Body), Defect> {
    let has_code = reader.uint8()? & FLAG_SET != 0;
    let exit_code = has_code.then(|| reader.dynamic_integer()).transpose()?;
    let signal = present(reader.string()?);
    let level = match (exit_code, signal.as_deref()) {
        (Some(0), _) | (None, Some("SIGTERM" | "SIGINT")) => LogLevel::Info,
        _ => LogLevel::Warn,
    };
    Ok((level, Body::WorkerExited { exit_code, signal }))
}

fn uuid(reader: &mut Reader<'_>) -> Result<Uuid, Defect> {
    Uuid::from_slice(reader.bytes(16)?).map_err(|_| Defect::Short)
}

/// The empty string stands for none.
fn present(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn level_of(failed: bool) -> LogLevel {
    if failed {
        LogLevel::Error
    } else {
        LogLevel::Info
    }
}

/// The bytes of an entry. Its level is not among them: it follows from the rest, but for an error that was expected.
pub(super) fn encode(entry: &LogEntry) -> Result<Vec<u8>, Defect> {
    let mut writer = Writer::default();
    writer.uint8(event_type(entry)?);
    writer.uint48(entry.timestamp);
    writer.uint16(entry.nonce);
    if let Some(worker) = entry.worker_id {
        writer.dynamic_integer(worker);
    }
    match &entry.body {
        Body::Request(request) => encode_request(&mut writer, request)?,
        Body::RequestMeta { request_id, data } => {
            writer.bytes(request_id.as_bytes());
            writer.string(data)?;
        }
        Body::Response {
            request_id,
            error,
            status_code,
        } => {
            writer.bytes(request_id.as_bytes());
            writer.string(error.as_deref().unwrap_or_default())?;
            let expected = error.is_some() && entry.level != LogLevel::Error;
            writer.uint8(if expected { FLAG_SET } else { 0 });
            writer.dynamic_integer(*status_code);
        }
        Body::ResponseFinished { request_id, error } => {
            writer.bytes(request_id.as_bytes());
            writer.string(error.as_deref().unwrap_or_default())?;
        }
        Body::Log { request_id, data } => {
            if let Some(request_id) = request_id {
                writer.bytes(request_id.as_bytes());
            }
            writer.string(data)?;
        }
        Body::Lifecycle(_) => {}
        Body::WorkerExited { exit_code, signal } => {
            writer.uint8(if exit_code.is_some() { FLAG_SET } else { 0 });
            if let Some(code) = exit_code {
                writer.dynamic_integer(*code);
            }
            writer.string(signal.as_deref().unwrap_or_default())?;
        }
        Body::MasterPing { worker_ids } => writer.dynamic_integer_array(worker_ids)?,
        Body::UncaughtException { error } => writer.string(error)?,
    }
    Ok(writer.into_bytes())
}

fn encode_request(writer: &mut Writer, request: &Request) -> Result<(), Defect> {
    writer.bytes(request.request_id.as_bytes());
    let (major, minor) = request.http_version;
    let mut flags = (major & 7) << 3 | minor & 7;
    if request.ip_address.is_ipv6() {
        flags |= FLAG_IPV6;
    }
    if matches!(request.method, Method::Text(_)) {
        flags |= FLAG_METHOD_TEXT;
    }
    writer.uint8(flags);
    match request.ip_address {
        IpAddr::V4(address) => writer.bytes(&address.octets()),
        IpAddr::V6(address) => writer.bytes(&address.octets()),
    }
    match &request.method {
        Method::Known(method) => writer.uint8(method.number()),
        Method::Number(number) => writer.uint8(*number),
        Method::Text(name) => writer.string(name)?,
    }
    writer.string(&request.url)
}

/// The event type; an entry whose parts contradict one another (a worker's start without a worker) has none.
fn event_type(entry: &LogEntry) -> Result<u8, Defect> {
    let worker = entry.worker_id.is_some();
    let number = match &entry.body {
        Body::Request(_) if worker => REQUEST,
        Body::RequestMeta { .. } if worker => REQUEST_META,
        Body::Response { .. } if worker => RESPONSE,
        Body::ResponseFinished { .. } if worker => RESPONSE_FINISHED,
        Body::Log { request_id, .. } if entry.level != LogLevel::Internal => {
            let base = match (worker, request_id) {
                (true, Some(_)) => LOG_OF_REQUEST,
                (true, None) => LOG_OF_WORKER,
                (false, None) => LOG_OF_MASTER,
                (false, Some(_)) => return Err(Defect::EventType(LOG_OF_REQUEST)),
            };
            base + entry.level.number()
        }
        Body::Lifecycle(event) => {
            let known = LIFECYCLES.iter().find(|(_, known)| known == event);
            let (number, _) = known.ok_or(Defect::EventType(0))?;
            let about_worker = matches!(*number, 20..=27 | 44);
            if about_worker != worker {
                return Err(Defect::EventType(*number));
            }
            *number
        }
        Body::WorkerExited { .. } if worker => WORKER_EXITED,
        Body::MasterPing { .. } if !worker => MASTER_PING,
        Body::UncaughtException { .. } if worker => WORKER_EXCEPTION,
        Body::UncaughtException { .. } => MASTER_EXCEPTION,
        _ => return Err(Defect::EventType(0)),
    };
    Ok(number)
}
