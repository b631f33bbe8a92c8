//! One verb a file: extract, ask a room, wrap the answer.

pub(super) mod blobs;
pub(super) mod bulk;
pub(super) mod compare;
pub(super) mod context;
pub(super) mod entry;
pub(super) mod events;
pub(super) mod facets;
pub(super) mod harness;
pub(super) mod health;
pub(super) mod histogram;
pub(super) mod links;
pub(super) mod list;
pub(super) mod listeners;
pub(super) mod loki;
pub(super) mod metrics;
pub(super) mod namespaces;
pub(super) mod otlp;
pub(super) mod patterns;
pub(super) mod pipelines;
pub(super) mod push;
pub(super) mod status;
pub(super) mod streams;
pub(super) mod subscribe;
pub(super) mod values;
