//! The wire contract of the service, shared by both ends: routes, parameters and answers. Types only.
//!
//! The shapes are a superset of Direktiv's platform logs API: its clients find what they expect and ignore the rest.

mod answers;
mod events;
mod kept;
mod params;

pub use answers::{
    Data, EntryAnswer, EntryForm, ErrorAnswer, ErrorBody, IngestAnswer, ListAnswer, ListMeta,
    Rejection, ServerSentEvent, Status,
};
pub use events::{
    ActionForm, BroadcastParams, DeadAnswer, EventAnswer, EventsAnswer, EventsMeta, EventsParams,
    FilterForm, FiringAnswer, HeldAnswer, ListenerAnswer, ListenerForm, ListenersAnswer,
    ListenersMeta, ListenersParams, WaitParams,
};
pub use kept::{
    BlobAnswer, BlobsAnswer, DeletedAnswer, KeysParams, LevelParams, LinkAnswer, OpenParams,
    PushedAnswer, StreamAnswer, StreamPushParams, StreamsAnswer, TailParams,
};
pub use params::{
    CompareParams, ContextParams, FacetsParams, HistogramParams, ListParams, PatternsParams,
    SubscribeParams, ValuesParams,
};

/// Paths of the service; `{…}` are parameters.
pub mod path {
    /// Whether the service is well.
    pub const HEALTH: &str = "/healthz";
    /// Whether it takes entries now: what a load balancer asks.
    pub const READY: &str = "/readyz";
    /// What monitoring collects.
    pub const METRICS: &str = "/metrics";
    /// The description of this API.
    pub const OPENAPI: &str = "/api/v2/openapi.json";
    /// Pipelines and what they did.
    pub const PIPELINES: &str = "/pipelines";
    /// What a pipeline did.
    pub const PIPELINE_STATUS: &str = "/{pipeline}/status";
    /// What comes out of a pipeline, as events.
    pub const PIPELINE_STREAM: &str = "/{pipeline}/stream";
    /// What goes into a pipeline.
    pub const PIPELINE_INGEST: &str = "/{pipeline}/ingest";
    /// First segments of the service's own routes, now and planned: no pipeline has such a name.
    const RESERVED: [&str; 18] = [
        "api",
        "healthz",
        "readyz",
        "metrics",
        "pipelines",
        "v1",
        "loki",
        "status",
        "stream",
        "ingest",
        "blobs",
        "streams",
        "events",
        "token",
        "blob",
        "info",
        "internal",
        "ci",
    ];

    /// Whether a pipeline of this name would hide another route, or be hidden by it.
    #[must_use]
    pub fn is_reserved(name: &str) -> bool {
        RESERVED.contains(&name)
    }

    /// A key as it stands in an address: its slashes stay.
    #[must_use]
    pub fn key(key: &str) -> String {
        const PLAIN: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
            .remove(b'-')
            .remove(b'.')
            .remove(b'_')
            .remove(b'~')
            .remove(b'/');
        percent_encoding::utf8_percent_encode(key, PLAIN).to_string()
    }

    /// Open live streams.
    pub const STREAMS: &str = "/api/v2/streams";
    /// One live stream: open, push, tail, close.
    pub const STREAM: &str = "/api/v2/streams/{*key}";
    /// Blobs.
    pub const BLOBS: &str = "/api/v2/blobs";
    /// One blob, or those below a prefix.
    pub const BLOB: &str = "/api/v2/blobs/{*key}";
    /// A live stream, as clients of the first Harness log service address it.
    pub const STEP_STREAM: &str = "/api/accounts/{account}/orgs/{org}/projects/{project}/builds/{build}/logs/{stage}/{step}/stream";
    /// Its blob.
    pub const STEP_BLOB: &str = "/api/accounts/{account}/orgs/{org}/projects/{project}/builds/{build}/logs/{stage}/{step}/blob";
    /// A link to store its blob.
    pub const STEP_UPLOAD: &str = "/api/accounts/{account}/orgs/{org}/projects/{project}/builds/{build}/logs/{stage}/{step}/blob/link/upload";
    /// A link to read its blob.
    pub const STEP_DOWNLOAD: &str = "/api/accounts/{account}/orgs/{org}/projects/{project}/builds/{build}/logs/{stage}/{step}/blob/link/download";
    /// Open live streams, for the same.
    pub const STEP_STREAMS: &str = "/ci/streams";
    /// A token of an account, as clients of the later Harness log service ask for it.
    pub const HARNESS_TOKEN: &str = "/token";
    /// A live stream, by `accountID` and `key`.
    pub const HARNESS_STREAM: &str = "/stream";
    /// Open live streams, for the same.
    pub const HARNESS_INFO: &str = "/stream/info";
    /// A blob, by `accountID` and `key`.
    pub const HARNESS_BLOB: &str = "/blob";
    /// Whether there is a blob below a prefix.
    pub const HARNESS_EXISTS: &str = "/blob/exists";
    /// A link to an archive of a prefix.
    pub const HARNESS_ARCHIVE: &str = "/blob/download";
    /// A link to store a blob.
    pub const HARNESS_UPLOAD: &str = "/blob/link/upload";
    /// A link to read a blob.
    pub const HARNESS_DOWNLOAD: &str = "/blob/link/download";
    /// Deleting all blobs below a prefix.
    pub const HARNESS_INTERNAL: &str = "/internal/blob";
    /// Whether streams and blobs can be reached.
    pub const HARNESS_READY: &str = "/ready/healthz";

    /// Events are taken.
    pub const BROADCAST: &str = "/api/v2/namespaces/{namespace}/events/broadcast";
    /// Events that were taken.
    pub const EVENTS: &str = "/api/v2/namespaces/{namespace}/events/history";
    /// Events as they are taken.
    pub const EVENTS_SUBSCRIBE: &str = "/api/v2/namespaces/{namespace}/events/history/subscribe";
    /// One event.
    pub const EVENT: &str = "/api/v2/namespaces/{namespace}/events/history/{event}";
    /// An event is offered to the listeners once more.
    pub const EVENT_REPLAY: &str = "/api/v2/namespaces/{namespace}/events/history/replay/{event}";
    /// What waits for events.
    pub const LISTENERS: &str = "/api/v2/namespaces/{namespace}/events/listeners";
    /// One of those.
    pub const LISTENER: &str = "/api/v2/namespaces/{namespace}/events/listeners/{listener}";
    /// Firings whose actions failed for good.
    pub const DEAD_LETTERS: &str = "/api/v2/namespaces/{namespace}/events/dead";
    /// One of those.
    pub const DEAD_LETTER: &str = "/api/v2/namespaces/{namespace}/events/dead/{firing}";
    /// Events of every namespace that were taken.
    pub const ALL_EVENTS: &str = "/api/v2/events/history";
    /// What waits for events, in every namespace.
    pub const ALL_LISTENERS: &str = "/api/v2/events/listeners";
    /// Firings of every namespace, as they come.
    pub const FIRINGS: &str = "/api/v2/events/firings";
    /// Waiting for events.
    pub const EVENTS_WAIT: &str = "/api/v2/namespaces/{namespace}/events/wait";

    /// Version and what it needs to be spoken to.
    pub const STATUS: &str = "/api/v2/status";
    /// Namespaces and what they hold.
    pub const NAMESPACES: &str = "/api/v2/namespaces";
    /// Entries of all namespaces: list and push.
    pub const LOGS: &str = "/api/v2/logs";
    /// Entries of all namespaces as they arrive.
    pub const SUBSCRIBE: &str = "/api/v2/logs/subscribe";
    /// Counts over time.
    pub const HISTOGRAM: &str = "/api/v2/logs/histogram";
    /// The most frequent values of a field.
    pub const FACETS: &str = "/api/v2/logs/facets";
    /// Lines of one shape.
    pub const PATTERNS: &str = "/api/v2/logs/patterns";
    /// What is different in a span.
    pub const COMPARE: &str = "/api/v2/logs/compare";
    /// Completions of field names and values.
    pub const VALUES: &str = "/api/v2/logs/values";
    /// One entry.
    pub const ENTRY: &str = "/api/v2/logs/{id}";
    /// What surrounds an entry.
    pub const CONTEXT: &str = "/api/v2/logs/{id}/context";
    /// Log records over OTLP/HTTP, protobuf or JSON.
    pub const OTLP: &str = "/v1/logs";
    /// Lines from Loki's senders, protobuf or JSON.
    pub const LOKI: &str = "/loki/api/v1/push";
    /// Documents from Elasticsearch's senders.
    pub const BULK: &str = "/_bulk";
    /// The same, with the index they are for.
    pub const BULK_INDEX: &str = "/{index}/_bulk";
    /// What Elasticsearch's senders ask first.
    pub const BULK_HELLO: &str = "/";
    /// Entries of one namespace: list and push.
    pub const NAMESPACE_LOGS: &str = "/api/v2/namespaces/{namespace}/logs";
    /// Entries of one namespace as they arrive.
    pub const NAMESPACE_SUBSCRIBE: &str = "/api/v2/namespaces/{namespace}/logs/subscribe";
    /// As [`HISTOGRAM`], of one namespace.
    pub const NAMESPACE_HISTOGRAM: &str = "/api/v2/namespaces/{namespace}/logs/histogram";
    /// As [`FACETS`], of one namespace.
    pub const NAMESPACE_FACETS: &str = "/api/v2/namespaces/{namespace}/logs/facets";
    /// As [`PATTERNS`], of one namespace.
    pub const NAMESPACE_PATTERNS: &str = "/api/v2/namespaces/{namespace}/logs/patterns";
    /// As [`COMPARE`], of one namespace.
    pub const NAMESPACE_COMPARE: &str = "/api/v2/namespaces/{namespace}/logs/compare";
    /// As [`VALUES`], of one namespace.
    pub const NAMESPACE_VALUES: &str = "/api/v2/namespaces/{namespace}/logs/values";
    /// As [`ENTRY`], of one namespace.
    pub const NAMESPACE_ENTRY: &str = "/api/v2/namespaces/{namespace}/logs/{id}";
    /// As [`CONTEXT`], of one namespace.
    pub const NAMESPACE_CONTEXT: &str = "/api/v2/namespaces/{namespace}/logs/{id}/context";
}

/// Entries in a page when the caller does not say.
pub const DEFAULT_LIMIT: usize = 200;
/// Entries in a page at the most.
pub const MAX_LIMIT: usize = 1_000;
