//! Events of a service, and waiting for them.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use reqwest_eventsource::retry::Never;
use reqwest_eventsource::{Event, EventSource};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{Client, Error};
use crate::api::path::{self, key as escaped};
use crate::api::{
    BroadcastParams, Data, DeadAnswer, EventsAnswer, EventsParams, FiringAnswer, ListenerAnswer,
    ListenerForm, ListenersAnswer, ListenersParams,
};
use crate::base::Backoff;

/// First and longest wait before connecting again.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(8));
/// Firings that may wait to be taken in.
const FIRINGS: usize = 16;

impl Client {
    /// Firings of every namespace from now on, as they come. A lost connection is made again; it ends where there can be
    /// none.
    #[must_use]
    pub fn firings(&self) -> BoxStream<'static, FiringAnswer> {
        let (sender, receiver) = mpsc::channel(FIRINGS);
        let client = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = sender.closed() => {}
                () = client.tell_firings(&sender) => {}
            }
        });
        ReceiverStream::new(receiver).boxed()
    }

    async fn tell_firings(&self, sender: &mpsc::Sender<FiringAnswer>) {
        let mut backoff = Backoff::new(RETRY.0, RETRY.1);
        let mut last = String::new();
        loop {
            let mut request = self.asking(Method::GET, path::FIRINGS);
            if !last.is_empty() {
                request = request.header("last-event-id", &last);
            }
            let Ok(mut source) = EventSource::new(request) else {
                return;
            };
            source.set_retry_policy(Box::new(Never));
            while let Some(event) = source.next().await {
                match event {
                    Ok(Event::Open) => backoff.reset(),
                    Ok(Event::Message(message)) => {
                        last = message.id;
                        let Ok(firing) = serde_json::from_str(&message.data) else {
                            continue;
                        };
                        if sender.send(firing).await.is_err() {
                            return;
                        }
                    }
                    Err(reqwest_eventsource::Error::StreamEnded) => break,
                    Err(error) => {
                        // An older service has no firings, and a token may not be for them.
                        if !super::feed::explain(self, error).await.is_passing() {
                            return;
                        }
                        break;
                    }
                }
            }
            tokio::time::sleep(backoff.delay()).await;
        }
    }

    fn events(&self, method: Method, path: &str, namespace: &str) -> reqwest::RequestBuilder {
        self.asking(method, &path.replace("{namespace}", &escaped(namespace)))
    }

    /// Sends events, all of them or none.
    ///
    /// # Errors
    /// One is refused, or nobody answers.
    pub async fn broadcast(
        &self,
        namespace: &str,
        events: &[Value],
        params: &BroadcastParams,
    ) -> Result<(), Error> {
        let body = serde_json::to_vec(events).unwrap_or_default();
        let request = self.events(Method::POST, path::BROADCAST, namespace);
        let request = request
            .query(params)
            .header(CONTENT_TYPE, "application/cloudevents-batch+json");
        self.send(request.body(body)).await.map(|_| ())
    }

    /// A page of events, newest first; of one namespace or all.
    ///
    /// # Errors
    /// It is refused, or nobody answers.
    pub async fn event_history(
        &self,
        namespace: Option<&str>,
        params: &EventsParams,
    ) -> Result<EventsAnswer, Error> {
        let request = match namespace {
            Some(namespace) => self.events(Method::GET, path::EVENTS, namespace),
            None => self.asking(Method::GET, path::ALL_EVENTS),
        };
        self.ask(request.query(params)).await
    }

    /// Offers an event once more.
    ///
    /// # Errors
    /// There is none, or nobody answers.
    pub async fn replay_event(&self, namespace: &str, id: &str) -> Result<(), Error> {
        let path = path::EVENT_REPLAY.replace("{event}", &escaped(id));
        let request = self.events(Method::POST, &path, namespace);
        self.send(request).await.map(|_| ())
    }

    /// Firings whose actions failed for good.
    ///
    /// # Errors
    /// It is refused, or nobody answers.
    pub async fn dead_letters(&self, namespace: &str) -> Result<Vec<DeadAnswer>, Error> {
        let request = self.events(Method::GET, path::DEAD_LETTERS, namespace);
        let answer: Data<Vec<DeadAnswer>> = self.ask(request).await?;
        Ok(answer.data)
    }

    /// Takes a dead letter away: its action is tried again, or it is forgotten.
    ///
    /// # Errors
    /// There is none, or nobody answers.
    pub async fn bury(&self, namespace: &str, firing: &str, again: bool) -> Result<(), Error> {
        let method = if again { Method::POST } else { Method::DELETE };
        let path = path::DEAD_LETTER.replace("{firing}", &escaped(firing));
        self.send(self.events(method, &path, namespace))
            .await
            .map(|_| ())
    }

    /// A page of listeners; of one namespace or all.
    ///
    /// # Errors
    /// It is refused, or nobody answers.
    pub async fn listeners(
        &self,
        namespace: Option<&str>,
        params: &ListenersParams,
    ) -> Result<ListenersAnswer, Error> {
        let request = match namespace {
            Some(namespace) => self.events(Method::GET, path::LISTENERS, namespace),
            None => self.asking(Method::GET, path::ALL_LISTENERS),
        };
        self.ask(request.query(params)).await
    }

    /// Makes a listener.
    ///
    /// # Errors
    /// It is refused, or nobody answers.
    pub async fn listen(
        &self,
        namespace: &str,
        form: &ListenerForm,
    ) -> Result<ListenerAnswer, Error> {
        let request = self.events(Method::POST, path::LISTENERS, namespace);
        self.ask(request.json(form)).await
    }

    /// Takes a listener away.
    ///
    /// # Errors
    /// There is none, or nobody answers.
    pub async fn remove_listener(&self, namespace: &str, id: &str) -> Result<(), Error> {
        let path = path::LISTENER.replace("{listener}", &escaped(id));
        let request = self.events(Method::DELETE, &path, namespace);
        self.send(request).await.map(|_| ())
    }

    /// Waits for events: each parameter is a name and a value, as the address has them. A lost connection is made again,
    /// and nothing is missed meanwhile.
    ///
    /// # Errors
    /// It is refused.
    pub async fn wait_for_events(
        &self,
        namespace: &str,
        params: &[(String, String)],
        armed: impl Fn(),
    ) -> Result<Vec<Value>, Error> {
        let mut params = params.to_vec();
        let mut backoff = Backoff::new(RETRY.0, RETRY.1);
        loop {
            let request = self.events(Method::GET, path::EVENTS_WAIT, namespace);
            let source = EventSource::new(request.query(&params));
            let mut source = source.map_err(|error| Error::Unexpected {
                url: self.name().to_owned(),
                reason: error.to_string(),
            })?;
            source.set_retry_policy(Box::new(Never));
            while let Some(event) = source.next().await {
                match event {
                    Ok(Event::Open) => {}
                    Ok(Event::Message(message)) if message.event == "armed" => {
                        backoff.reset();
                        let told: Value = serde_json::from_str(&message.data).unwrap_or_default();
                        // Connected again, the same listener is waited for.
                        if let Some(id) = told["listener"].as_str() {
                            params = vec![("listener".to_owned(), id.to_owned())];
                        }
                        armed();
                    }
                    Ok(Event::Message(message)) if message.event == "fired" => {
                        let events = serde_json::from_str(&message.data);
                        return events.map_err(|error| Error::Unexpected {
                            url: self.name().to_owned(),
                            reason: error.to_string(),
                        });
                    }
                    Ok(Event::Message(_)) => {}
                    Err(reqwest_eventsource::Error::StreamEnded) => break,
                    Err(error) => {
                        let error = super::feed::explain(self, error).await;
                        if !error.is_passing() {
                            return Err(error);
                        }
                        break;
                    }
                }
            }
            tokio::time::sleep(backoff.delay()).await;
        }
    }
}
