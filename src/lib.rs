//! Tailwater: a terminal log explorer with its log service built in.
//!
//! An on-call engineer opens it over SSH in the middle of an incident and reads the right lines within seconds: the newest
//! page at once, older pages as they scroll, live entries as they arrive, narrowed by namespace, level, trace or text. The
//! same program is the service that collects those logs.
//!
//! # How it flows
//!
//! ```text
//!  files, stdin, HTTP, OTLP, Loki, _bulk --decode--> Entry --store::Appender--> write-ahead log, memtable, segments
//!                                                                                |
//!                                        Page, Feed, Histogram, Facets <--Query--+
//!                                    |
//!                  Backend: the embedded log, a directory of binary logs, a service through the client, or a Direktiv
//!                   |                |                      |
//!               explorer      query, tail (cli)      service (HTTP, SSE) <--client-- another tailwater
//! ```
//!
//! Beside it, what a service moves: files, ports, journals --[`pipelines`]--> the embedded log, streams, files, services.
//!
//! # The rooms, in the order of their layers
//!
//! - [`base`]: time as a value, backoff, units; nothing of ours.
//! - `spool`: a bounded log of payloads on disk, read by position.
//! - [`entry`]: one log record; bytes to entries ([`entry::decode`]) and back ([`entry::json`]); text made safe to show.
//! - [`query`]: the query language, the matcher, requests and answers.
//! - [`store`]: the embedded log.
//! - `files`: plain log files, explored where they lie; compressed ones; an index of their blocks.
//! - [`logdir`]: directories of binary logs, as super-server-logs writes them.
//! - [`api`]: the wire contract, types only.
//! - [`client`]: every outgoing HTTP call.
//! - [`blobs`]: large values by name, on a local disk or in S3.
//! - [`streams`]: live streams of lines, in memory and on disk, or in Redis.
//! - [`events`]: `CloudEvents`, and listeners that fire on them.
//! - [`pipelines`]: sources, filters and sinks, without loss.
//! - `backend`: the narrow waist: whatever can be explored answers the same questions, alone or several at once.
//! - `service`: the HTTP service: who may come in, what senders push, pages, counts and live entries.
//! - `explorer`: the terminal program.
//! - `config`: file, environment and flags to settings.
//! - [`cli`]: the command line, which wires the rooms together.
//!
//! # Invariants
//!
//! - The log is the queue: everything enters by one door and gets a running position; whoever follows holds a position.
//!   Nothing is buffered per follower, so there is no gap and no double.
//! - Entry, query, and the explorer's state, update and view know no clock, socket, disk or terminal: time arrives as a
//!   value. A test reads the sources and checks this, and who imports whom.
//! - Log text is hostile: it is made visible once, where it enters the screen ([`entry::visible`]); copies keep the bytes.
//! - What a request asks for is within what its caller may see, by the exact name of the namespace; decided in one place.
//! - Every queue, page, line, window, body, retry and wait has a bound, and a reason for it.
//! - Nothing panics on input. An error says what was expected, what was found and where.

pub mod base;
pub(crate) mod spool;

pub mod entry;
pub mod query;

pub mod store;

pub mod files;

pub mod logdir;

pub mod api;
pub mod client;

pub mod blobs;
pub mod streams;

pub mod events;

pub mod pipelines;

pub(crate) mod backend;

pub(crate) mod service;

pub(crate) mod explorer;

pub(crate) mod config;

pub mod cli;
