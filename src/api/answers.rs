//! Answers of the service.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::query::Progress;

/// An answer that has nothing beside its data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Data<T> {
    /// The data.
    pub data: T,
}

/// An entry as it is written; what it does not have is left out, or null where Direktiv's clients want it so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Entry)]
pub struct EntryForm {
    /// Its position: the running number of its arrival, from 1.
    pub id: u64,
    /// RFC 3339, UTC, as many fraction digits as needed.
    pub time: String,
    /// `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR` or `FATAL`; of one namespace, `DEBUG` to `ERROR`.
    pub level: String,
    /// Its namespace.
    pub namespace: String,
    /// Its words.
    pub msg: String,
    /// Trace id.
    pub trace: Option<String>,
    /// Span id.
    pub span: Option<String>,
    /// The error it reports.
    pub error: Option<String>,
    /// Workflow: path, instance, state, status, branch, calledAs, callpath.
    #[schema(required = false)]
    pub workflow: Option<Map<String, Value>>,
    /// Activity: id.
    #[schema(required = false)]
    pub activity: Option<Map<String, Value>>,
    /// Gateway route: path.
    #[schema(required = false)]
    pub route: Option<Map<String, Value>>,
    /// The file, host or stream it was read from.
    #[schema(required = false)]
    pub source: Option<String>,
    /// Everything else that was sent.
    #[schema(required = false)]
    pub fields: Option<Map<String, Value>>,
}

/// An event of an answer of the type `text/event-stream`: what clients make of its lines (WHATWG HTML, 9.2.6).
#[derive(Clone, Debug, ToSchema)]
pub struct ServerSentEvent {
    /// What it is; `message` unless said.
    #[schema(required = false)]
    pub event: Option<String>,
    /// Where to go on after it.
    #[schema(required = false)]
    pub id: Option<String>,
    /// What it tells.
    #[schema(required = false)]
    pub data: Option<String>,
    /// Milliseconds after which to come again when the connection is lost.
    #[schema(required = false)]
    pub retry: Option<u64>,
}

/// A page of entries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ListAnswer<E = Value> {
    /// How to go on.
    pub meta: ListMeta,
    /// The entries, oldest first unless asked otherwise; their form is that of [`crate::entry::json`].
    pub data: Vec<E>,
}

/// How to go on from a page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ListMeta {
    /// What `before` takes next; null when nothing older exists.
    pub previous_page: Option<String>,
    /// The time the page starts from, UTC; null on an empty page.
    pub starting_from: Option<String>,
    /// Goes on in the direction of this page; null at the end.
    pub cursor: Option<String>,
    /// Goes on towards older entries.
    pub older: Option<String>,
    /// Goes on towards newer entries.
    pub newer: Option<String>,
    /// The newest position when the page was read.
    pub head: u64,
    /// Whether the scan stopped at its budget: go on by the cursor.
    pub partial: bool,
    /// What the scan looked at.
    pub progress: Progress,
}

/// What became of pushed entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IngestAnswer {
    /// Entries that are durable.
    pub accepted: u64,
    /// What was not taken, the first 1,000 of them.
    pub rejected: Vec<Rejection>,
}

/// A pushed entry that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rejection {
    /// Its line, or its place in the array, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// Any failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorAnswer {
    /// The failure.
    pub error: ErrorBody,
}

/// A failure in words for programs and for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// For programs.
    pub code: String,
    /// For people.
    pub message: String,
    /// Of the request, as in the header `X-Request-ID`: by it the service's own log tells more.
    #[serde(rename = "requestId", default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// What a service says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// Its version.
    pub version: String,
    /// Direktiv's clients ask; always false.
    pub is_enterprise: bool,
    /// Whether a token is needed.
    pub requires_auth: bool,
    /// `tailwater`; other services do not say.
    pub product: String,
    /// Entries there are; 0 where a token is required.
    pub entries: u64,
    /// The newest position; 0 where a token is required.
    pub head: u64,
    /// `good`, `full` or `failed: …`.
    pub health: String,
}

/// One entry; null when it is not kept.
pub type EntryAnswer = Data<Option<Value>>;
