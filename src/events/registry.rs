//! Listeners by namespace and type, and what events make of them.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::{CloudEvent, Error, Firing, Listener};
use crate::base::Time;

/// All listeners.
#[derive(Debug, Default)]
pub(super) struct Registry {
    listeners: HashMap<Uuid, Listener>,
    /// Who listens, by namespace and type, oldest first.
    index: HashMap<String, HashMap<String, Vec<Uuid>>>,
    /// As they were before the changes that are not safe yet.
    before: HashMap<Uuid, Option<Listener>>,
}

impl Registry {
    /// Listeners as they are kept.
    pub fn of(listeners: Vec<Listener>) -> Self {
        let mut registry = Self::default();
        for listener in listeners {
            registry.put(listener);
        }
        registry.settle();
        registry
    }

    /// A listener of a namespace that has not ended.
    pub fn get(&self, namespace: &str, id: Uuid) -> Result<&Listener, Error> {
        let found = self.listeners.get(&id);
        let is_its = |listener: &&Listener| listener.namespace == namespace && !listener.is_over;
        found.filter(is_its).ok_or(Error::NoListener(id))
    }

    pub fn all(&self) -> impl Iterator<Item = &Listener> {
        self.listeners.values()
    }

    /// Adds a listener, or changes one.
    pub fn put(&mut self, listener: Listener) {
        let before = self.take(&listener.id);
        self.before.entry(listener.id).or_insert(before);
        self.add(listener);
    }

    /// Takes a listener away.
    pub fn remove(&mut self, id: &Uuid) {
        let before = self.take(id);
        self.before.entry(*id).or_insert(before);
    }

    fn add(&mut self, listener: Listener) {
        let types = self.index.entry(listener.namespace.clone()).or_default();
        for kind in &listener.types {
            let ids = types.entry(kind.clone()).or_default();
            let listeners = &self.listeners;
            let made = |id: &Uuid| listeners.get(id).map(|other| (other.created, other.id));
            let at = ids.partition_point(|id| made(id) < Some((listener.created, listener.id)));
            ids.insert(at, listener.id);
        }
        self.listeners.insert(listener.id, listener);
    }

    fn take(&mut self, id: &Uuid) -> Option<Listener> {
        let listener = self.listeners.remove(id)?;
        let Some(types) = self.index.get_mut(&listener.namespace) else {
            return Some(listener);
        };
        for kind in &listener.types {
            if let Some(ids) = types.get_mut(kind) {
                ids.retain(|other| other != id);
                if ids.is_empty() {
                    types.remove(kind);
                }
            }
        }
        if types.is_empty() {
            self.index.remove(&listener.namespace);
        }
        Some(listener)
    }

    /// Offers an event to all who listen for its type, oldest first.
    pub fn offer(&mut self, namespace: &str, event: &Arc<CloudEvent>, now: Time) -> Vec<Firing> {
        let ids = self
            .index
            .get(namespace)
            .and_then(|types| types.get(event.kind()))
            .cloned()
            .unwrap_or_default();
        let mut firings = Vec::new();
        for id in ids {
            let Some(listener) = self.listeners.get_mut(&id) else {
                continue;
            };
            if !listener.is_for(event) {
                continue;
            }
            let before = self.before.entry(id);
            before.or_insert_with(|| Some(listener.clone()));
            if let Some(events) = listener.offer(event, now) {
                firings.push(Firing {
                    id: format!("{id}-{}", listener.fired),
                    listener: id,
                    namespace: namespace.to_owned(),
                    action: listener.action.clone(),
                    events,
                    at: now.0,
                });
            }
        }
        firings
    }

    /// What has changed since the last settling: listeners as they are now; nothing for those that are gone.
    pub fn changes(&self) -> Vec<(Uuid, Option<&Listener>)> {
        let changed = self.before.keys();
        changed.map(|id| (*id, self.listeners.get(id))).collect()
    }

    /// The changes are safe.
    pub fn settle(&mut self) {
        for id in std::mem::take(&mut self.before).into_keys() {
            if self.listeners.get(&id).is_some_and(|now| now.is_over) {
                self.take(&id);
            }
        }
    }

    /// The changes are not: all is as it was.
    pub fn undo(&mut self) {
        for (id, listener) in std::mem::take(&mut self.before) {
            self.take(&id);
            if let Some(listener) = listener {
                self.add(listener);
            }
        }
    }
}
