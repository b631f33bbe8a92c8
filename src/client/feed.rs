//! Live entries over server-sent events, with resume.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest_eventsource::retry::Never;
use reqwest_eventsource::{Event, EventSource};
use serde_json::Value;

use super::tailwater::entries_of;
use super::{Client, Error};
use crate::api;
use crate::base::Backoff;
use crate::entry::{Entry, Position};
use crate::query::FollowRequest;

/// First and longest wait before connecting again.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(8));
/// Entries handed over at once.
const BATCH: usize = 1_024;

/// Follows a service. Keeps the position of the last entry; every connection resumes after it.
pub struct Feed {
    client: Client,
    params: api::SubscribeParams,
    at: Position,
    source: Option<EventSource>,
    backoff: Backoff,
    wait: Option<Duration>,
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed")
            .field("client", &self.client)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// What a feed tells.
#[derive(Debug)]
pub enum FeedEvent {
    /// Entries arrived, by position; everything up to the position was seen.
    Entries(Vec<Entry>, Position),
    /// The connection stands.
    Connected,
    /// The connection is lost; another is tried after the wait.
    Lost(Error, Duration),
}

impl Client {
    /// Follows what arrives after a position.
    #[must_use]
    pub fn follow(&self, request: &FollowRequest) -> Feed {
        let list = api::ListParams {
            query: Some(request.query.to_string()).filter(|text| !text.is_empty()),
            full: Some("true".into()),
            ..api::ListParams::default()
        };
        Feed {
            client: self.clone(),
            params: api::SubscribeParams {
                list,
                last_event_id: None,
            },
            at: request.after,
            source: None,
            backoff: Backoff::new(RETRY.0, RETRY.1),
            wait: None,
        }
    }
}

impl Feed {
    /// Waits for what comes next. Never ends: a lost connection is told and tried again. Safe to drop and call again.
    pub async fn next(&mut self) -> FeedEvent {
        loop {
            if let Some(wait) = self.wait {
                tokio::time::sleep(wait).await;
                self.wait = None;
            }
            let source = match &mut self.source {
                Some(source) => source,
                none => match connect(&self.client, &mut self.params, self.at) {
                    Ok(source) => none.insert(source),
                    Err(error) => return self.lost(error),
                },
            };
            match source.next().await {
                Some(Ok(Event::Open)) => {
                    self.backoff.reset();
                    return FeedEvent::Connected;
                }
                Some(Ok(Event::Message(message))) => {
                    let mut data = vec![message.data];
                    // What has come already is handed over together.
                    while data.len() < BATCH {
                        match futures_util::FutureExt::now_or_never(source.next()) {
                            Some(Some(Ok(Event::Message(message)))) => data.push(message.data),
                            Some(Some(Ok(Event::Open))) => {}
                            Some(Some(Err(_)) | None) => {
                                // Reported when the connection that follows fails or stands.
                                self.source = None;
                                break;
                            }
                            None => break,
                        }
                    }
                    let entries = self.unseen(&data);
                    if let Some(last) = entries.last() {
                        self.at = last.position;
                        return FeedEvent::Entries(entries, self.at);
                    }
                }
                Some(Err(error)) => {
                    let error = explain(&self.client, error).await;
                    return self.lost(error);
                }
                None => {
                    let reason = "the stream ended".to_owned();
                    let error = Error::Unreachable {
                        url: self.client.name().to_owned(),
                        reason,
                    };
                    return self.lost(error);
                }
            }
        }
    }

    fn lost(&mut self, error: Error) -> FeedEvent {
        self.source = None;
        let wait = self.backoff.delay();
        self.wait = Some(wait);
        FeedEvent::Lost(error, wait)
    }

    /// Entries above the last position, in order; a proxy that repeats itself doubles nothing.
    fn unseen(&self, data: &[String]) -> Vec<Entry> {
        let values: Vec<Value> = data
            .iter()
            .filter_map(|text| serde_json::from_str(text).ok())
            .collect();
        let mut at = self.at;
        let mut entries = entries_of(values);
        entries.retain(|entry| {
            let fresh = entry.position > at;
            at = at.max(entry.position);
            fresh
        });
        entries
    }
}

fn connect(
    client: &Client,
    params: &mut api::SubscribeParams,
    at: Position,
) -> Result<EventSource, Error> {
    params.last_event_id = Some(at.to_string());
    let request = client.request(&client.of_ours(api::path::SUBSCRIBE), &*params);
    let mut source = EventSource::new(request).map_err(|error| Error::Unexpected {
        url: client.name().to_owned(),
        reason: error.to_string(),
    })?;
    source.set_retry_policy(Box::new(Never));
    Ok(source)
}

pub(super) async fn explain(client: &Client, error: reqwest_eventsource::Error) -> Error {
    let url = client.name().to_owned();
    match error {
        reqwest_eventsource::Error::InvalidStatusCode(status, response) => {
            let body = response.text().await.unwrap_or_default();
            let message = serde_json::from_str::<api::ErrorAnswer>(&body)
                .map_or(body, |answer| answer.error.message);
            Error::Refused {
                url,
                status: status.as_u16(),
                code: String::new(),
                message,
                retry_after: None,
            }
        }
        reqwest_eventsource::Error::StreamEnded => Error::Unreachable {
            url,
            reason: "the stream ended".to_owned(),
        },
        reqwest_eventsource::Error::InvalidContentType(..) => Error::Unexpected {
            url,
            reason: "expected an event stream".to_owned(),
        },
        error => Error::of(&url, &error),
    }
}
