//! The one that changes anything: takes work in groups, and answers when a group is safe.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::book::{Book, Changes, Received};
use super::registry::Registry;
use super::{CloudEvent, Error, Firing, Listener, Options};
use crate::base::Time;

/// Work that becomes safe together at the most.
const GROUP: usize = 256;
/// How often it is looked whether staged events are due, if nothing says when.
const ROUND: Duration = Duration::from_mins(1);
/// After which delayed events that could not be kept are tried again.
const RETRY: Duration = Duration::from_secs(2);
/// How often the history is pruned at the most, in events.
const PRUNE: u64 = 1_000;

/// How a piece of work ended.
type Answer<T> = oneshot::Sender<Result<T, Error>>;

/// Something to be done.
pub(super) enum Work {
    Broadcast {
        namespace: String,
        events: Vec<Arc<CloudEvent>>,
        /// Not before this.
        due: Option<Time>,
        answer: Answer<u64>,
    },
    /// An event of the history is offered once more.
    Replay {
        namespace: String,
        event: Arc<CloudEvent>,
        answer: Answer<u64>,
    },
    Put {
        listener: Box<Listener>,
        answer: Answer<()>,
    },
    Remove {
        namespace: String,
        id: Uuid,
        answer: Answer<()>,
    },
    Done {
        firing: String,
        failure: Option<String>,
        answer: Answer<()>,
    },
    Revive {
        firing: String,
        answer: Answer<()>,
    },
}

/// Answers once it is known whether a group is safe.
type Tell = Box<dyn FnOnce(Option<&Error>) + Send>;

/// What a group leaves to be told when it is safe.
#[derive(Default)]
struct Told {
    answers: Vec<Tell>,
    firings: Vec<Firing>,
}

impl Told {
    /// Answers when the group is safe, or that it is not.
    fn answer<T: Send + 'static>(&mut self, answer: Answer<T>, result: Result<T, Error>) {
        self.answers.push(Box::new(move |failed| {
            let result = match failed {
                Some(error) => Err(Error::Database(error.to_string())),
                None => result,
            };
            let _ = answer.send(result);
        }));
    }
}

/// Who waits for the firing of a listener.
pub(super) type Waiting = Arc<Mutex<HashMap<Uuid, oneshot::Sender<Firing>>>>;

/// The one that changes anything.
pub(super) struct Engine {
    pub book: Arc<Book>,
    pub registry: Arc<Mutex<Registry>>,
    pub options: Options,
    pub newest: watch::Sender<u64>,
    pub waiting: Waiting,
    pub firings: mpsc::UnboundedSender<Firing>,
    pub pruned: u64,
}

impl Engine {
    /// Works until it is stopped, or nobody has work any more.
    pub async fn run(mut self, mut work: mpsc::Receiver<Work>, stopping: CancellationToken) {
        let mut is_well = true;
        loop {
            let due = tokio::task::block_in_place(|| self.book.next_due());
            let has_due = matches!(due, Ok(Some(_)));
            let wait = match due {
                Ok(Some(due)) if is_well => due.since(Time::now()).min(ROUND),
                // What could not be kept is tried again, and not at once.
                Ok(Some(_)) => RETRY,
                Ok(None) => ROUND,
                Err(error) => {
                    tracing::warn!(%error, "delayed events are looked for again");
                    ROUND
                }
            };
            let first = tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(wait) => None,
                first = work.recv() => match first {
                    Some(first) => Some(first),
                    None => return,
                },
            };
            let mut group: Vec<Work> = first.into_iter().collect();
            while group.len() < GROUP
                && let Ok(more) = work.try_recv()
            {
                group.push(more);
            }
            if !group.is_empty() || has_due {
                is_well = tokio::task::block_in_place(|| self.group(group, Time::now()));
            }
        }
    }

    /// Does a group of work, all of it or nothing; whether it did.
    pub fn group(&mut self, group: Vec<Work>, now: Time) -> bool {
        let mut told = Told::default();
        let registry = Arc::clone(&self.registry);
        let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut newest = *self.newest.borrow();
        let done = self.change(&mut registry, group, now, &mut newest, &mut told);
        match &done {
            Ok(()) => registry.settle(),
            Err(error) => {
                tracing::error!(%error, "events are not taken");
                registry.undo();
            }
        }
        drop(registry);
        let failed = done.as_ref().err();
        for answer in told.answers {
            answer(failed);
        }
        if failed.is_some() {
            return false;
        }
        self.newest
            .send_if_modified(|known| std::mem::replace(known, newest) != newest);
        for firing in told.firings {
            let waiting = if firing.action.is_none() {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                waiting.remove(&firing.listener)
            } else {
                None
            };
            match waiting {
                Some(waiting) => drop(waiting.send(firing)),
                None => drop(self.firings.send(firing)),
            }
        }
        true
    }

    fn change(
        &mut self,
        registry: &mut Registry,
        group: Vec<Work>,
        now: Time,
        newest: &mut u64,
        told: &mut Told,
    ) -> Result<(), Error> {
        let mut changes = self.book.begin()?;
        for received in changes.due(now)? {
            let (namespace, event) = (received.namespace, received.event);
            take(
                registry,
                &mut changes,
                newest,
                (&namespace, event, now),
                told,
            )?;
        }
        for work in group {
            match work {
                Work::Broadcast {
                    namespace,
                    events,
                    due,
                    answer,
                } => {
                    if let Some(known) = changes.know(&namespace, &events)? {
                        let (id, origin) = (known.id().to_owned(), known.source().to_owned());
                        told.answer(answer, Err(Error::Duplicate { id, origin }));
                        continue;
                    }
                    let mut fired = 0;
                    for event in events {
                        if let Some(due) = due.filter(|due| *due > now) {
                            let received = Received {
                                number: 0,
                                namespace: namespace.clone(),
                                at: now,
                                event,
                            };
                            changes.stage(due, &received)?;
                        } else {
                            let of = (namespace.as_str(), event, now);
                            fired += take(registry, &mut changes, newest, of, told)?;
                        }
                    }
                    told.answer(answer, Ok(fired));
                }
                Work::Replay {
                    namespace,
                    event,
                    answer,
                } => {
                    let fired = registry.offer(&namespace, &event, now);
                    let count = fired.len() as u64;
                    keep(&mut changes, fired, told)?;
                    told.answer(answer, Ok(count));
                }
                Work::Put { listener, answer } => {
                    registry.put(*listener);
                    told.answer(answer, Ok(()));
                }
                Work::Remove {
                    namespace,
                    id,
                    answer,
                } => {
                    let is_its = |listener: &Listener| listener.namespace == namespace;
                    let is_there = registry.get(&id).is_some_and(is_its);
                    if is_there {
                        registry.remove(&id);
                    }
                    let result = is_there.then_some(()).ok_or(Error::NoListener(id));
                    told.answer(answer, result);
                }
                Work::Done {
                    firing,
                    failure,
                    answer,
                } => {
                    changes.done(&firing, failure.map(|reason| (reason, now)))?;
                    told.answer(answer, Ok(()));
                }
                Work::Revive { firing, answer } => {
                    let revived = changes.revive(&firing)?;
                    let result = revived
                        .is_some()
                        .then_some(())
                        .ok_or(Error::NoFiring(firing));
                    told.firings.extend(revived);
                    told.answer(answer, result);
                }
            }
        }
        for (id, listener) in registry.changes() {
            changes.listener(id, listener)?;
        }
        if *newest >= self.pruned + PRUNE {
            let oldest = now.earlier(self.options.history_age);
            changes.forget(self.options.history, oldest)?;
            self.pruned = *newest;
        }
        changes.commit()
    }
}

/// Takes an event into the history and offers it; how many listeners fired.
fn take(
    registry: &mut Registry,
    changes: &mut Changes,
    newest: &mut u64,
    (namespace, event, now): (&str, Arc<CloudEvent>, Time),
    told: &mut Told,
) -> Result<u64, Error> {
    *newest += 1;
    let received = Received {
        number: *newest,
        namespace: namespace.to_owned(),
        at: now,
        event,
    };
    changes.append(&received)?;
    let fired = registry.offer(namespace, &received.event, now);
    let count = fired.len() as u64;
    keep(changes, fired, told)?;
    Ok(count)
}

fn keep(changes: &mut Changes, fired: Vec<Firing>, told: &mut Told) -> Result<(), Error> {
    for firing in &fired {
        changes.fire(firing)?;
    }
    told.firings.extend(fired);
    Ok(())
}
