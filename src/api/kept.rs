//! Parameters and answers of blobs and live streams.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How a stream is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct OpenParams {
    /// After so long without a line it is closed: `30s`, `5h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<String>,
    /// `true`: a stream that was closed begins anew, and goes on with its numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<String>,
}

/// How lines are pushed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct StreamPushParams {
    /// The name of this push, up to 128 bytes: when it is sent again it is answered as before, and not taken again. The
    /// header `Idempotency-Key` says the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
}

/// How a stream is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct TailParams {
    /// The number of the first line to send. The header `Last-Event-ID` goes before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// So many of the newest lines first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail: Option<String>,
    /// Only lines of this time and later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Only lines of this level and more severe ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Only lines that this question finds, in the query language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// `false`: lines that are to come are not waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow: Option<String>,
    /// `sse`, `json` (an object a line) or `text`; else what `Accept` says, else `sse`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Only how the stream stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<String>,
}

/// A page of names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct KeysParams {
    /// Only names that are this or begin with it and a slash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Names in the page, 1 to 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// A place given by an earlier answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// How blobs are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct LevelParams {
    /// `/`: only what lies directly below the prefix; names that go on are given as folders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
}

/// How a stream stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Stream)]
pub struct StreamAnswer {
    /// Its name.
    pub key: String,
    /// `open`, `closed` or `expired`.
    pub state: String,
    /// When it was opened, RFC 3339.
    pub opened: String,
    /// When the last line came, or it was opened.
    pub written: String,
    /// When it is closed unless a line comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<String>,
    /// The number of the oldest line that there is.
    pub first: u64,
    /// The number of the newest line; one less than the first when there is none.
    pub last: u64,
    /// Bytes that it takes.
    pub bytes: u64,
    /// Lines a second, lately.
    pub rate: f64,
    /// Who reads along.
    pub subscribers: u64,
}

/// Open streams.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StreamsAnswer {
    /// In the order of their names.
    pub streams: Vec<StreamAnswer>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What became of a push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PushedAnswer {
    /// Lines that were taken.
    pub accepted: u64,
    /// The number of the first of them.
    pub first: u64,
    /// The number of the last of them; one less than the first when there were none.
    pub last: u64,
    /// Whether they had been taken before.
    pub repeated: bool,
}

/// What is known of a blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Blob)]
pub struct BlobAnswer {
    /// Its name.
    pub key: String,
    /// Its bytes.
    pub size: u64,
    /// Its SHA-256, hexadecimal, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Its type, as it was sent.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// When it was stored, RFC 3339.
    pub modified: String,
}

/// Blobs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlobsAnswer {
    /// In the order of their names.
    pub blobs: Vec<BlobAnswer>,
    /// With a delimiter: names that go on below, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<String>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A link that needs no token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkAnswer {
    /// The address.
    pub link: String,
    /// The method that it is for.
    pub method: String,
    /// Until when it is worth something, RFC 3339.
    pub expires: String,
}

/// How many blobs were deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeletedAnswer {
    /// How many.
    pub deleted: u64,
}
