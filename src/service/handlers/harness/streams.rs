//! Streams.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::{HarnessParams, Headers, KeyOf, ParamsOf, done, is_true};
use crate::api::{ErrorAnswer, ServerSentEvent};
use crate::base::Time;
use crate::blobs::{Key, Prefix};
use crate::service::Service;
use crate::service::access::Caller;
use crate::service::error::Failure;
use crate::service::handlers::streams::take;
use crate::service::tailing::{self, Reading};
use crate::streams::{Error, Opening, Overwrite, StreamState, TailRequest};

/// The longest time that a client of the original may ask for.
const MAX_TIMEOUT_SECONDS: u64 = 86_400;
/// Streams listed or closed together.
const PAGE: usize = 500;
/// Streams that one answer lists.
const MAX_LISTED: usize = 10_000;

/// Opens a stream; one that is open stays as it is.
#[utoipa::path(post, path = crate::api::path::STEP_STREAM, tag = "harness",
    params(("account" = String, Path), ("org" = String, Path), ("project" = String, Path), ("build" = String, Path), ("stage" = String, Path), ("step" = String, Path)),
    responses((status = 204, description = "It is open"), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn step_open(
    State(service): State<Service>,
    Extension(key): KeyOf,
) -> Result<StatusCode, Failure> {
    opened(&service, &key, None).await
}

/// Opens a stream; one that is open stays as it is.
#[utoipa::path(post, path = crate::api::path::HARNESS_STREAM, tag = "harness", params(HarnessParams),
    responses((status = 204, description = "It is open"), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn open(
    State(service): State<Service>,
    Extension(key): KeyOf,
    params: ParamsOf,
) -> Result<StatusCode, Failure> {
    let seconds = |text: &str| {
        let seconds = text.parse::<u64>().map_err(|_| {
            let expected = "a whole number of seconds from 0";
            Failure::invalid(format!(
                "timeout_seconds: expected {expected}, found {text:?}"
            ))
        })?;
        Ok::<_, Failure>(Duration::from_secs(seconds.clamp(1, MAX_TIMEOUT_SECONDS)))
    };
    let ttl = params.timeout_seconds.as_deref().map(seconds).transpose()?;
    opened(&service, &key, ttl).await
}

async fn opened(
    service: &Service,
    key: &Key,
    ttl: Option<Duration>,
) -> Result<StatusCode, Failure> {
    let opening = Opening { ttl, again: true };
    service.streams()?.begin(key, opening).await?;
    Ok(done())
}

/// Appends an array of lines.
#[utoipa::path(put, path = crate::api::path::STEP_STREAM, tag = "harness", request_body = Vec<Value>,
    params(("account" = String, Path), ("org" = String, Path), ("project" = String, Path), ("build" = String, Path), ("stage" = String, Path), ("step" = String, Path)),
    responses((status = 204, description = "Taken"), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn step_push(
    State(service): State<Service>,
    Extension(key): KeyOf,
    headers: Headers,
    body: Body,
) -> Result<StatusCode, Failure> {
    take(&service, &key, &headers, body, None).await?;
    Ok(done())
}

/// Appends an array of lines.
#[utoipa::path(put, path = crate::api::path::HARNESS_STREAM, tag = "harness", request_body = Vec<Value>, params(HarnessParams),
    responses((status = 204, description = "Taken"), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn push(
    service: State<Service>,
    key: KeyOf,
    headers: Headers,
    body: Body,
) -> Result<StatusCode, Failure> {
    step_push(service, key, headers, body).await
}

/// Reads a stream; one that there is not ends at once.
#[utoipa::path(get, path = crate::api::path::STEP_STREAM, tag = "harness",
    params(("account" = String, Path), ("org" = String, Path), ("project" = String, Path), ("build" = String, Path), ("stage" = String, Path), ("step" = String, Path)),
    responses((status = 200, description = "Lines as events, then an event error with the data eof", content_type = "text/event-stream", body = ServerSentEvent), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn step_tail(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Extension(key): KeyOf,
    headers: Headers,
) -> Result<Response, Failure> {
    let reading = Reading::harness(&headers);
    let request: TailRequest = reading.request;
    match service.streams()?.tail(&key, request).await {
        Ok(tail) => Ok(tailing::answer(service, caller, &key, tail, reading)),
        Err(Error::NotOpen(_)) => Ok(tailing::nothing()),
        Err(error) => Err(error.into()),
    }
}

/// Reads a stream; one that there is not ends at once.
#[utoipa::path(get, path = crate::api::path::HARNESS_STREAM, tag = "harness", params(HarnessParams),
    responses((status = 200, description = "Lines as events, then an event error with the data eof", content_type = "text/event-stream", body = ServerSentEvent), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn tail(
    service: State<Service>,
    caller: Extension<Caller>,
    key: KeyOf,
    headers: Headers,
) -> Result<Response, Failure> {
    step_tail(service, caller, key, headers).await
}

/// Closes a stream; its lines are a blob, unless one was stored while it was open.
#[utoipa::path(delete, path = crate::api::path::STEP_STREAM, tag = "harness",
    params(("account" = String, Path), ("org" = String, Path), ("project" = String, Path), ("build" = String, Path), ("stage" = String, Path), ("step" = String, Path)),
    responses((status = 204, description = "Closed"), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn step_close(
    State(service): State<Service>,
    Extension(key): KeyOf,
) -> Result<StatusCode, Failure> {
    service.streams()?.close(&key, Overwrite::Older).await?;
    Ok(done())
}

/// Closes a stream, several, or all below a prefix.
#[utoipa::path(delete, path = crate::api::path::HARNESS_STREAM, tag = "harness", params(HarnessParams),
    responses((status = 204, description = "Closed"), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn close(
    State(service): State<Service>,
    Extension(key): KeyOf,
    params: ParamsOf,
) -> Result<StatusCode, Failure> {
    let streams = service.streams()?;
    let overwrite = if is_true(params.snapshot.as_deref()) {
        Overwrite::Always
    } else {
        Overwrite::Older
    };
    if let Some(list) = &params.key_list {
        for name in list.split(',').filter(|name| !name.is_empty()) {
            let name = name.trim().trim_start_matches('/');
            let key = Key::parse(&format!("{}/{name}", params.account));
            let key = key.map_err(|error| Failure::invalid(format!("keyList: {error}")))?;
            streams.close(&key, overwrite).await?;
        }
        return Ok(done());
    }
    if !is_true(params.prefix.as_deref()) {
        streams.close(&key, overwrite).await?;
        return Ok(done());
    }
    let prefix = Prefix::from(key);
    let mut after = None;
    loop {
        let page = streams.list(&prefix, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(done());
        };
        after = Some(last.key.clone());
        for state in page {
            match streams.close(&state.key, overwrite).await {
                // Another was faster.
                Ok(_) | Err(Error::NotOpen(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Open streams that the token may read.
#[utoipa::path(get, path = crate::api::path::STEP_STREAMS, tag = "harness",
    responses((status = 200, description = "By their names: size and subscribers", body = Value), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn step_streams(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, Failure> {
    let streams = open_streams(&service, &caller, Prefix::default()).await?;
    let told = |state: StreamState| {
        let size = (state.last + 1).saturating_sub(state.first);
        let told = json!({"size": size, "subscribers": state.subscribers});
        (format!("/{}", state.key), told)
    };
    let streams: BTreeMap<String, Value> = streams.into_iter().map(told).collect();
    Ok(Json(json!({"streams": streams})))
}

/// Open streams that the token may read.
#[utoipa::path(get, path = crate::api::path::HARNESS_INFO, tag = "harness", params(HarnessParams),
    responses((status = 200, description = "By their names: size, subscribers and ttl", body = Value), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn info(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    params: ParamsOf,
) -> Result<Json<Value>, Failure> {
    let prefix = Prefix::parse(&params.account);
    let prefix = prefix.map_err(|error| Failure::invalid(format!("accountID: {error}")))?;
    let now = Time::now();
    let streams = open_streams(&service, &caller, prefix).await?;
    let told = |state: StreamState| {
        let size = (state.last + 1).saturating_sub(state.first);
        let left = state.written.later(state.ttl).since(now).as_secs();
        let told =
            json!({"size": size, "subscribers": state.subscribers, "ttl": format!("{left}s")});
        (state.key.to_string(), told)
    };
    let streams: BTreeMap<String, Value> = streams.into_iter().map(told).collect();
    Ok(Json(json!({"streams": streams})))
}

async fn open_streams(
    service: &Service,
    caller: &Caller,
    prefix: Prefix,
) -> Result<Vec<StreamState>, Failure> {
    let prefix = caller.listing(prefix)?;
    Ok(service.streams()?.list(&prefix, None, MAX_LISTED).await?)
}
