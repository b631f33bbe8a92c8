//! Direktiv's platform logs, of any generation.
//!
//! The first generation answers with `meta`, has ids, and pages by `before` only; the later ones have neither ids nor
//! `meta`. What each gets wrong is worked around here: ids that mute a stream, literal `notset`, pages without order.
//! What they cannot tell is lost for every client: rows of one time beyond a page, at the first.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest_eventsource::retry::Never;
use reqwest_eventsource::{Event, EventSource};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Client, Error};
use crate::base::Time;
use crate::entry::Entry;
use crate::entry::decode::{Defaults, from_object};

/// Rows of a page where its size can be said; as many as the first generation gives.
const PAGE: usize = 200;
/// Time for a page.
const LIST_TIMEOUT: Duration = Duration::from_mins(1);
/// Time without a byte after which a stream is given up. Direktiv sends no heartbeats, the first generation not even
/// headers before the first row.
pub const SILENCE: Duration = Duration::from_mins(10);
/// What a missing attribute is called by the later generations.
const NOT_SET: &str = "notset";

/// Which contract a Direktiv follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// v0.8: ids, `meta`, pages of 200.
    First,
    /// v0.9 and later: no ids, pages of any size.
    Later,
}

/// What Direktiv keeps apart: each has a list and a stream of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Track {
    /// The namespace's few coarse lines.
    Namespace,
    /// An instance and, but for the newest generation, its children.
    Instance(String),
    /// A gateway route.
    Route(String),
    /// A mirror or sync process.
    Activity(String),
}

impl Track {
    fn param(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Namespace => None,
            Self::Instance(id) => Some(("instance", id)),
            Self::Route(path) => Some(("route", path)),
            Self::Activity(id) => Some(("activity", id)),
        }
    }
}

/// The logs of a namespace of a Direktiv. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Direktiv {
    client: Client,
    namespace: String,
    generation: Generation,
}

/// A row, and by what it is known again: `id` where there is one, else everything that tells rows apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The entry.
    pub entry: Entry,
    /// Equal for the same row, however often it comes.
    pub identity: u64,
}

/// A page of rows, oldest first.
#[derive(Debug)]
pub struct DirektivPage {
    /// The rows.
    pub rows: Vec<Row>,
    /// From where older ones go on; `None` at the end.
    pub older: Option<Older>,
}

/// A place in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Older(String);

#[derive(Debug, Deserialize)]
struct Listed {
    meta: Option<Meta>,
    #[serde(default)]
    data: Option<Vec<Value>>,
}

#[derive(Debug, Deserialize)]
struct Meta {
    #[serde(rename = "previousPage")]
    previous_page: Option<String>,
}

impl Direktiv {
    /// The logs of a namespace; finds out the generation.
    ///
    /// # Errors
    /// It cannot be reached, refuses, or is no Direktiv.
    pub async fn probe(client: Client, namespace: &str) -> Result<Self, Error> {
        let mut direktiv = Self {
            client,
            namespace: namespace.to_owned(),
            generation: Generation::Later,
        };
        let listed = direktiv.list(&Track::Namespace, &[("last", "1")]).await?;
        if listed.meta.is_some() {
            direktiv.generation = Generation::First;
        }
        Ok(direktiv)
    }

    /// The names of its namespaces, where it tells them.
    ///
    /// # Errors
    /// As [`Direktiv::probe`].
    pub async fn namespaces(client: &Client) -> Result<Vec<String>, Error> {
        let answer: Value = client.get(crate::api::path::NAMESPACES, &()).await?;
        // The first generation calls the list `results`.
        let list = ["data", "results"]
            .into_iter()
            .find_map(|key| answer.get(key)?.as_array());
        let names = list.into_iter().flatten();
        let names = names.filter_map(|of| of.get("name")?.as_str().map(str::to_owned));
        Ok(names.collect())
    }

    /// Which contract it follows.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The address.
    #[must_use]
    pub fn name(&self) -> &str {
        self.client.name()
    }

    /// The newest rows of a track, or those before a place.
    ///
    /// # Errors
    /// As [`Direktiv::probe`].
    pub async fn page(&self, track: &Track, before: Option<&Older>) -> Result<DirektivPage, Error> {
        let size = PAGE.to_string();
        let mut params = Vec::new();
        params.extend(before.map(|Older(time)| ("before", time.as_str())));
        if self.generation == Generation::Later {
            params.push(("last", &size));
        }
        let listed = self.list(track, &params).await?;
        let mut rows: Vec<Row> = listed
            .data
            .unwrap_or_default()
            .into_iter()
            .filter_map(|value| self.row(value))
            .collect();
        rows.sort_by_key(|row| row.entry.time);
        let older = match self.generation {
            Generation::First => listed.meta.and_then(|meta| meta.previous_page),
            // One nanosecond later than the oldest: its like may have been cut off.
            Generation::Later if rows.len() >= PAGE => rows.first().map(|oldest| {
                let again = Time(oldest.entry.time.0.saturating_add(1));
                let only_one_time = rows.iter().all(|row| row.entry.time == oldest.entry.time);
                nine_digits(if only_one_time {
                    oldest.entry.time
                } else {
                    again
                })
            }),
            Generation::Later => None,
        };
        Ok(DirektivPage {
            older: older.filter(|_| !rows.is_empty()).map(Older),
            rows,
        })
    }

    async fn list(&self, track: &Track, params: &[(&str, &str)]) -> Result<Listed, Error> {
        let params: Vec<_> = track
            .param()
            .into_iter()
            .chain(params.iter().copied())
            .collect();
        let path = self.path(crate::api::path::NAMESPACE_LOGS);
        let listing = self.client.get(&path, &params);
        // The connection itself is patient, for the streams' sake.
        let listed = tokio::time::timeout(LIST_TIMEOUT, listing).await;
        listed.map_err(|_| Error::Unreachable {
            url: self.client.name().to_owned(),
            reason: format!("no answer within {} s", LIST_TIMEOUT.as_secs()),
        })?
    }

    fn path(&self, path: &str) -> String {
        path.replace(
            "{namespace}",
            &super::connection::url_segment(&self.namespace),
        )
    }

    /// Rows of a track as they arrive; of the later generations, those after a time.
    ///
    /// # Errors
    /// The request cannot be made.
    pub fn stream(&self, track: &Track, after: Option<Time>) -> Result<DirektivStream, Error> {
        let after = after
            .filter(|_| self.generation == Generation::Later)
            .map(nine_digits);
        let mut params: Vec<(&str, &str)> = track.param().into_iter().collect();
        params.extend(after.as_deref().map(|after| ("after", after)));
        let path = self.path(crate::api::path::NAMESPACE_SUBSCRIBE);
        let request = self.client.request(&path, &params);
        let mut source = EventSource::new(request).map_err(|error| Error::Unexpected {
            url: self.client.name().to_owned(),
            reason: error.to_string(),
        })?;
        // A retry of the library would send the last id, which mutes the first generation for ever.
        source.set_retry_policy(Box::new(Never));
        Ok(DirektivStream {
            source,
            direktiv: self.clone(),
        })
    }

    fn row(&self, value: Value) -> Option<Row> {
        let Value::Object(mut object) = value else {
            return None;
        };
        let id = object.get("id").and_then(Value::as_u64);
        unset(&mut object);
        let defaults = Defaults {
            namespace: self.namespace.clone(),
            ..Defaults::at(Time::default())
        };
        let entry = from_object(object, &defaults);
        let scope = &entry.scope;
        let told_apart = (entry.time, &entry.text, entry.level as u8, &scope.instance);
        let identity = match (self.generation, id) {
            (Generation::First, Some(id)) => id,
            (Generation::First, None) | (Generation::Later, _) => fingerprint(&told_apart),
        };
        Some(Row { entry, identity })
    }
}

/// `notset` and "" mean null.
fn unset(object: &mut Map<String, Value>) {
    for value in object.values_mut() {
        match value {
            Value::String(word) if word.is_empty() || word == NOT_SET => *value = Value::Null,
            Value::Object(nested) => unset(nested),
            _ => {}
        }
    }
}

fn fingerprint(of: &impl std::hash::Hash) -> u64 {
    use std::hash::BuildHasher;
    foldhash::quality::FixedState::default().hash_one(of)
}

/// The only form that every generation takes.
fn nine_digits(time: Time) -> String {
    time.timestamp()
        .strftime("%Y-%m-%dT%H:%M:%S.%9fZ")
        .to_string()
}

/// Rows as they arrive.
pub struct DirektivStream {
    source: EventSource,
    direktiv: Direktiv,
}

impl std::fmt::Debug for DirektivStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DirektivStream")
            .field("direktiv", &self.direktiv)
            .finish_non_exhaustive()
    }
}

/// What a stream tells.
#[derive(Debug)]
pub enum DirektivEvent {
    /// The headers have come. The first generation sends none before its first row.
    Connected,
    /// A row.
    Row(Box<Row>),
    /// The connection ended.
    Lost(Error),
}

impl DirektivStream {
    /// Waits for what comes next; after [`DirektivEvent::Lost`] nothing does. Safe to drop and call again.
    pub async fn next(&mut self) -> DirektivEvent {
        loop {
            match self.source.next().await {
                Some(Ok(Event::Open)) => return DirektivEvent::Connected,
                Some(Ok(Event::Message(message))) => {
                    let value = serde_json::from_str(&message.data).ok();
                    if let Some(row) = value.and_then(|value| self.direktiv.row(value)) {
                        return DirektivEvent::Row(Box::new(row));
                    }
                }
                Some(Err(error)) => {
                    let error = super::feed::explain(&self.direktiv.client, error).await;
                    return DirektivEvent::Lost(error);
                }
                None => {
                    return DirektivEvent::Lost(Error::Unreachable {
                        url: self.direktiv.client.name().to_owned(),
                        reason: "the stream ended".to_owned(),
                    });
                }
            }
        }
    }
}
