//! A group of work: changes that become safe together, and what is told when they are.

use std::sync::Arc;

use super::book::{Changes, Received};
use super::engine::{Answer, Work};
use super::registry::Registry;
use super::{Action, CloudEvent, Error, Firing};
use crate::base::Time;

/// Answers once it is known whether a group is safe.
type Tell = Box<dyn FnOnce(Option<&Error>) + Send>;

/// What a group leaves to be told when it is safe.
#[derive(Default)]
pub(super) struct Told {
    answers: Vec<Tell>,
    pub firings: Vec<Firing>,
}

impl Told {
    /// Answers when the group is safe, or that it is not.
    fn answer<T: Send + 'static>(&mut self, answer: Answer<T>, result: Result<T, Error>) {
        self.answers.push(Box::new(move |failed| {
            let result = match failed {
                Some(Error::Database(reason)) => Err(Error::Database(reason.clone())),
                Some(error) => Err(Error::Database(error.to_string())),
                None => result,
            };
            let _ = answer.send(result);
        }));
    }

    /// Answers everybody: the group is safe, or has failed.
    pub fn answer_all(&mut self, failed: Option<&Error>) {
        for answer in std::mem::take(&mut self.answers) {
            answer(failed);
        }
    }
}

/// A group under way.
pub(super) struct Group<'e> {
    pub changes: Changes<'e>,
    pub registry: &'e mut Registry,
    /// The number of the newest event.
    pub newest: u64,
    pub told: &'e mut Told,
    pub now: Time,
}

impl Group<'_> {
    pub fn work(&mut self, work: Work) -> Result<(), Error> {
        match work {
            Work::Broadcast {
                namespace,
                events,
                due,
                answer,
            } => {
                let taken = self.broadcast(&namespace, events, due)?;
                self.told.answer(answer, taken);
            }
            Work::Replay {
                namespace,
                event,
                answer,
            } => {
                let fired = self.registry.offer(&namespace, &event, self.now);
                let count = self.keep(fired)?;
                self.told.answer(answer, Ok(count));
            }
            Work::Put { listener, answer } => {
                self.registry.put(*listener);
                self.told.answer(answer, Ok(()));
            }
            Work::Change { id, into, answer } => {
                let before = self.registry.get(&into.namespace, id);
                let result = before.map(|before| before.changed(*into));
                if let Ok(listener) = &result {
                    self.registry.put(listener.clone());
                }
                self.told.answer(answer, result);
            }
            Work::Remove {
                namespace,
                id,
                answer,
            } => {
                let result = self.registry.get(&namespace, id).map(|_| ());
                if result.is_ok() {
                    self.registry.remove(&id);
                }
                self.told.answer(answer, result);
            }
            Work::Done {
                firing,
                failure,
                answer,
            } => {
                let failure = failure.map(|reason| (reason, self.now));
                self.changes.done(&firing, failure)?;
                self.told.answer(answer, Ok(()));
            }
            Work::Bury {
                namespace,
                firing,
                again,
                answer,
            } => {
                let buried = self.changes.bury(&namespace, &firing)?;
                let is_there = buried.is_some();
                if again {
                    self.keep(buried.into_iter().collect())?;
                }
                let result = is_there.then_some(()).ok_or(Error::NoFiring(firing));
                self.told.answer(answer, result);
            }
            Work::Note { events, at, answer } => {
                for (namespace, event) in events {
                    // After a crash entries may be looked at again.
                    let one = std::slice::from_ref(&event);
                    if self.changes.known(&namespace, one)?.is_none() {
                        self.take(&namespace, event)?;
                    }
                }
                self.changes.mark(at)?;
                self.told.answer(answer, Ok(()));
            }
        }
        Ok(())
    }

    /// Takes a batch, or says which of it was taken before; how many listeners fired.
    fn broadcast(
        &mut self,
        namespace: &str,
        events: Vec<Arc<CloudEvent>>,
        due: Option<Time>,
    ) -> Result<Result<u64, Error>, Error> {
        if let Some(known) = self.changes.known(namespace, &events)? {
            let (id, origin) = (known.id().to_owned(), known.source().to_owned());
            return Ok(Err(Error::Duplicate { id, origin }));
        }
        let due = due.filter(|due| *due > self.now);
        let mut fired = 0;
        for event in events {
            match due {
                Some(due) => {
                    let received = self.received(0, namespace, event);
                    self.changes.stage(due, &received)?;
                }
                None => fired += self.take(namespace, event)?,
            }
        }
        Ok(Ok(fired))
    }

    /// Takes the events that were delayed until now.
    pub fn take_what_is_due(&mut self) -> Result<(), Error> {
        for received in self.changes.due(self.now)? {
            self.take(&received.namespace, received.event)?;
        }
        Ok(())
    }

    fn received(&self, number: u64, namespace: &str, event: Arc<CloudEvent>) -> Received {
        Received {
            number,
            namespace: namespace.to_owned(),
            at: self.now,
            event,
        }
    }

    /// Takes an event into the history and offers it; how many listeners fired.
    fn take(&mut self, namespace: &str, event: Arc<CloudEvent>) -> Result<u64, Error> {
        self.newest += 1;
        let received = self.received(self.newest, namespace, event);
        self.changes.append(&received)?;
        let fired = self.registry.offer(namespace, &received.event, self.now);
        self.keep(fired)
    }

    /// Keeps firings until they are done; how many there are.
    fn keep(&mut self, fired: Vec<Firing>) -> Result<u64, Error> {
        // What is only told is told now, or to nobody.
        let is_done_later = |firing: &&Firing| !matches!(firing.action, Some(Action::View { .. }));
        for firing in fired.iter().filter(is_done_later) {
            self.changes.fire(firing)?;
        }
        let count = fired.len() as u64;
        self.told.firings.extend(fired);
        Ok(count)
    }

    /// Keeps the listeners that have changed.
    pub fn finish(mut self) -> Result<(), Error> {
        for (id, listener) in self.registry.changes() {
            self.changes.listener(id, listener)?;
        }
        Ok(())
    }
}
