//! Both generations of the Harness log service, for clients that speak to it: the first addresses a step by six
//! identifiers in the path, the later one by `accountID` and `key`.
//!
//! Answers that succeed are those of the original. Where it loses or hides something, ours is as on the native routes:
//! nothing is wiped by opening, every line is sent before the end, prefixes end where segments do.

mod blobs;
mod streams;

// With what describes them.
pub(in crate::service) use blobs::*;
pub(in crate::service) use streams::*;

use axum::extract::{Query as Params, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;

use crate::api::ErrorAnswer;
use crate::base::Time;
use crate::blobs::Key;
use crate::service::Service;
use crate::service::access::{Caller, seconds};
use crate::service::error::{Failure, Reason};

/// A token is worth something for two days, as the original's.
const TOKEN_SECONDS: u64 = 48 * 3_600;
/// A link for an hour.
const LINK_SECONDS: u64 = 3_600;

/// Parameters of the later generation. Those of a body never count.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(in crate::service) struct HarnessParams {
    /// The account.
    #[serde(rename = "accountID")]
    #[param(rename = "accountID")]
    account: String,
    /// The name within the account.
    key: String,
    /// Opening: after so long without a line it is closed; a day at the most.
    timeout_seconds: Option<String>,
    /// Closing: `true`: everything below the key.
    prefix: Option<String>,
    /// Closing: the lines take the place of a blob of the name.
    snapshot: Option<String>,
    /// Closing: keys, with commas between them.
    #[serde(rename = "keyList")]
    #[param(rename = "keyList")]
    key_list: Option<String>,
}

/// A token of an account, for clients that ask for one.
#[utoipa::path(
    get,
    path = crate::api::path::HARNESS_TOKEN,
    tag = "harness",
    params(("accountID" = String, Query, description = "The account")),
    responses((status = 200, description = "A token in the form of the original, for two days", content_type = "text/plain", body = String), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer))
)]
pub(in crate::service) async fn token(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Extension(account): Extension<Key>,
) -> Result<String, Failure> {
    if !caller.may_hand_on(&account) {
        let message = format!("the token does not allow to hand on the account {account}");
        return Err(Failure::token_denied(message));
    }
    let expires = seconds(Time::now()) + TOKEN_SECONDS;
    Ok(service.secret.token(account.as_str(), expires))
}

/// Whether streams and blobs can be reached.
#[utoipa::path(
    get,
    path = crate::api::path::HARNESS_READY,
    tag = "harness",
    responses((status = 200, description = "OK", content_type = "text/plain", body = String), (status = "5XX", description = "What cannot be reached", body = ErrorAnswer))
)]
pub(in crate::service) async fn ready(State(service): State<Service>) -> Result<String, Failure> {
    service.streams()?.ping().await?;
    service.blobs()?.ping().await?;
    Ok("OK".to_owned())
}

/// Failures in the form that both generations' clients look for, and in ours.
pub(in crate::service) async fn told(response: Response) -> Response {
    let Some(Reason(error)) = response.extensions().get().cloned() else {
        return response;
    };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let reason = &error.message;
    let body = json!({"error_msg": reason, "message": reason, "string": reason, "error": error});
    let mut told = Json(body).into_response();
    *told.status_mut() = parts.status;
    for (name, value) in &parts.headers {
        told.headers_mut().insert(name, value.clone());
    }
    told
}

/// A link as the original tells it: how long it lasts in nanoseconds.
fn link(link: &str) -> Json<serde_json::Value> {
    Json(json!({"link": link, "expires": LINK_SECONDS * 1_000_000_000}))
}

fn done() -> StatusCode {
    StatusCode::NO_CONTENT
}

fn is_true(text: Option<&str>) -> bool {
    text == Some("true")
}

/// What handlers of both generations are given.
type KeyOf = Extension<Key>;
type ParamsOf = Params<HarnessParams>;
type Headers = HeaderMap;
