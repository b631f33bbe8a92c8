//! What a service has beside its log: pipelines, streams, blobs, events.

use std::path::Path;

use futures_util::StreamExt;

use super::Performer;
use crate::base::units::print_size;
use crate::explorer::effect::Effect;
use crate::explorer::message::Message;

impl Performer {
    /// Starts an effect of what lies beside the log.
    pub(super) fn ask_services(&self, effect: Effect) {
        match effect {
            Effect::Pipelines => self.pipelines(),
            Effect::Streams => self.streams(),
            Effect::Blobs { prefix, after } => self.blobs(prefix, after),
            Effect::EventHistory { before } => self.event_history(before),
            Effect::Listeners => self.listeners(),
            Effect::Firings => self.firings(),
            Effect::Save { key, path } => self.save(key, path),
            _ => {}
        }
    }

    fn pipelines(&self) {
        let (services, messages) = (self.services.clone(), self.messages.clone());
        tokio::spawn(async move {
            let answer = services.pipelines().await;
            let answer = answer.map_err(|error| error.explained());
            let _ = messages.send(Message::Pipelines(answer));
        });
    }

    fn streams(&self) {
        let (services, messages) = (self.services.clone(), self.messages.clone());
        tokio::spawn(async move {
            let answer = services.streams().await;
            let answer = answer.map_err(|error| error.explained());
            let _ = messages.send(Message::Streams(answer));
        });
    }

    fn blobs(&self, prefix: String, after: Option<String>) {
        let (services, messages) = (self.services.clone(), self.messages.clone());
        tokio::spawn(async move {
            let answer = services.blobs(&prefix, after.as_deref()).await;
            let answer = answer.map_err(|error| error.explained());
            let _ = messages.send(Message::Blobs {
                prefix,
                after,
                answer,
            });
        });
    }

    fn event_history(&self, before: Option<String>) {
        let (services, messages) = (self.services.clone(), self.messages.clone());
        tokio::spawn(async move {
            let answer = services.event_history(before.as_deref()).await;
            let answer = answer.map_err(|error| error.explained());
            let _ = messages.send(Message::EventHistory { before, answer });
        });
    }

    fn listeners(&self) {
        let (services, messages) = (self.services.clone(), self.messages.clone());
        tokio::spawn(async move {
            let answer = services.listeners().await;
            let answer = answer.map_err(|error| error.explained());
            let _ = messages.send(Message::Listeners(answer));
        });
    }

    fn firings(&self) {
        let (mut firings, messages) = (self.services.firings(), self.messages.clone());
        tokio::spawn(async move {
            while let Some(firing) = firings.next().await {
                if messages.send(Message::Fired(Box::new(firing))).is_err() {
                    return;
                }
            }
        });
    }

    fn save(&self, key: String, path: String) {
        let (services, messages) = (self.services.clone(), self.messages.clone());
        tokio::spawn(async move {
            let saved = services.save_blob(&key, Path::new(&path)).await;
            let told = saved
                .map(|bytes| format!("{key} is saved as {path}, {}", print_size(bytes)))
                .map_err(|error| error.explained());
            let _ = messages.send(Message::Done(told));
        });
    }
}
