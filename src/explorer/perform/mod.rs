//! Does what `update` asked for: the only part that waits.

mod export;
mod insight;
mod services;
mod tasks;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::effect::Effect;
use super::message::Message;
use super::request::{At, Number};
use super::sharing::Disguise;
use super::state::Shown;
use crate::backend::{Backend, Copied, Services};
use crate::entry::Position;
use crate::query::{Cursor, FacetsRequest, FollowRequest, ValuesRequest};
use tasks::Asked;

/// Values asked for of a field.
const FACET_LIMIT: usize = 100;
/// Live entries that wait to be shown: beyond them the feed is not read, and it loses nothing.
const LIVE_QUEUE: usize = 4;

/// Carries effects out and sends their messages.
#[derive(Debug)]
pub(super) struct Performer {
    /// What is explored.
    log: Backend,
    /// What is shown of it: the log, a stream, a blob.
    backend: Backend,
    services: Services,
    messages: UnboundedSender<Message>,
    /// Under way, by kind: a newer one ends the older.
    load: Running,
    /// The page that is loaded has an answer, in part or whole, or none will come: counts wait for that.
    answered: CancellationToken,
    extend: Running,
    find: Running,
    follow: Running,
    facets: Running,
    histogram: Running,
    insight: Running,
    exporting: Running,
    complete: Running,
    /// What stands for what is secret in what leaves the explorer.
    pub disguise: Disguise,
    /// Live messages that were not yet taken in.
    live: Arc<Semaphore>,
}

/// Something under way; dropping it ends it.
#[derive(Debug, Default)]
struct Running(Option<(Number, JoinHandle<()>)>);

impl Running {
    fn replace(&mut self, number: Number, task: JoinHandle<()>) {
        self.stop();
        self.0 = Some((number, task));
    }

    fn stop(&mut self) {
        if let Some((_, task)) = self.0.take() {
            task.abort();
        }
    }

    fn stop_if(&mut self, number: Number) {
        if self
            .0
            .as_ref()
            .is_some_and(|(running, _)| *running == number)
        {
            self.stop();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Performer {
    pub fn new(backend: Backend, services: Services, messages: UnboundedSender<Message>) -> Self {
        Self {
            log: backend.clone(),
            backend,
            services,
            messages,
            load: Running::default(),
            answered: CancellationToken::new(),
            extend: Running::default(),
            find: Running::default(),
            follow: Running::default(),
            facets: Running::default(),
            histogram: Running::default(),
            insight: Running::default(),
            exporting: Running::default(),
            complete: Running::default(),
            disguise: Disguise::default(),
            live: Arc::new(Semaphore::new(LIVE_QUEUE)),
        }
    }

    /// A live message was taken in: the feed may be read on.
    pub fn taken_in(&self) {
        self.live.add_permits(1);
    }

    /// Starts an effect; those of the terminal are the runtime's.
    pub fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Load {
                number,
                query,
                now,
                at,
                limit,
            } => self.load(number, Asked { query, now, limit }, at),
            Effect::Extend {
                number,
                query,
                now,
                cursor,
                limit,
            } => self.extend(number, Asked { query, now, limit }, cursor),
            Effect::Find {
                number,
                query,
                now,
                cursor,
            } => self.find(
                number,
                Asked {
                    query,
                    now,
                    limit: 1,
                },
                cursor,
            ),
            Effect::Stop(number) => self.stop(number),
            Effect::Follow {
                number,
                query,
                now,
                after,
            } => self.follow(number, FollowRequest { query, now, after }),
            Effect::Namespaces => self.namespaces(),
            Effect::Standing => self.standing(),
            Effect::Skew(member, nanoseconds) => self.log.set_skew(member, nanoseconds),
            Effect::Format { log, format } => self.format(&log, &format),
            Effect::Pipelines
            | Effect::Streams
            | Effect::Blobs { .. }
            | Effect::EventHistory { .. }
            | Effect::Listeners
            | Effect::Firings
            | Effect::Save { .. } => self.ask_services(effect),
            Effect::Export {
                query,
                now,
                path,
                disguised,
            } => self.export(query, now, path, disguised),
            Effect::WriteCase {
                path,
                case,
                form,
                disguised,
            } => self.write_case(path, &case, form, disguised),
            Effect::Show(shown) => self.show(&shown),
            Effect::Facets {
                number,
                query,
                now,
                field,
            } => self.facets(
                number,
                FacetsRequest {
                    query,
                    now,
                    field,
                    limit: FACET_LIMIT,
                },
            ),
            Effect::Histogram { .. }
            | Effect::Patterns { .. }
            | Effect::Compare { .. }
            | Effect::Trace { .. }
            | Effect::Watch { .. } => self.ask_insight(effect),
            Effect::Complete { number, request } => self.complete(number, request),
            Effect::Whole(position) => self.whole(position),
            Effect::Wake(after) => self.wake(after, Message::Woke),
            Effect::WakeWatches(after) => self.wake(after, Message::WatchesDue),
            Effect::Copy(..)
            | Effect::Notify(_)
            | Effect::Keep(_)
            | Effect::View(..)
            | Effect::Redraw
            | Effect::Suspend
            | Effect::Quit => {}
        }
    }

    fn load(&mut self, number: Number, asked: Asked, at: At) {
        let (backend, messages) = self.handles();
        self.extend.stop();
        let answered = CancellationToken::new();
        // Whatever becomes of the page, who waits for it goes on.
        let guard = answered.clone().drop_guard();
        self.answered = answered.clone();
        let task = async move {
            let _guard = guard;
            tasks::load(&backend, &messages, number, &asked, at, &answered).await;
        };
        self.load.replace(number, tokio::spawn(task));
    }

    fn extend(&mut self, number: Number, asked: Asked, cursor: Cursor) {
        let (backend, messages) = self.handles();
        let task = async move { tasks::extend(&backend, &messages, number, &asked, cursor).await };
        self.extend.replace(number, tokio::spawn(task));
    }

    fn find(&mut self, number: Number, asked: Asked, cursor: Cursor) {
        let (backend, messages) = self.handles();
        let task = async move { tasks::find(&backend, &messages, number, &asked, cursor).await };
        self.find.replace(number, tokio::spawn(task));
    }

    fn stop(&mut self, number: Number) {
        for running in [&mut self.load, &mut self.extend, &mut self.find] {
            running.stop_if(number);
        }
    }

    fn follow(&mut self, number: Number, request: FollowRequest) {
        let (backend, messages) = self.handles();
        self.live = Arc::new(Semaphore::new(LIVE_QUEUE));
        let permits = Arc::clone(&self.live);
        let task =
            async move { tasks::follow(&backend, &messages, number, &request, &permits).await };
        self.follow.replace(number, tokio::spawn(task));
    }

    fn standing(&self) {
        let standing = self.log.standing();
        if !standing.is_empty() {
            let _ = self.messages.send(Message::Standing(standing));
        }
        let files = self.log.files();
        if !files.is_empty() {
            let _ = self.messages.send(Message::Files(files));
        }
    }

    fn format(&self, log: &str, format: &str) {
        let told = self.log.set_format(log, format);
        let told = told.map(|()| format!("{log}: lines are taken for {format}"));
        let told = told.map_err(|error| error.explained());
        let _ = self.messages.send(Message::Done(told));
        self.standing();
    }

    fn namespaces(&self) {
        self.standing();
        let (backend, messages) = self.handles();
        tokio::spawn(async move {
            // Counts are a courtesy: where they fail, the page has failed too and says so.
            if let Ok(counts) = backend.namespaces().await {
                let _ = messages.send(Message::Namespaces(counts));
            }
        });
    }

    /// Turns to other lines; those that were shown are let go of.
    fn show(&mut self, shown: &Shown) {
        self.load.stop();
        self.extend.stop();
        self.find.stop();
        self.follow.stop();
        self.backend = match shown {
            Shown::Log => self.log.clone(),
            Shown::Kept(key) => match Copied::begin(&self.services, key) {
                Ok(copied) => Backend::Copied(copied),
                Err(error) => {
                    let told = Message::Done(Err(error.explained()));
                    let _ = self.messages.send(told);
                    self.log.clone()
                }
            },
        };
    }

    fn facets(&mut self, number: Number, request: FacetsRequest) {
        let (backend, messages) = self.handles();
        let answered = self.answered.clone();
        let task = tokio::spawn(async move {
            answered.cancelled().await;
            let field = request.field.clone();
            let message = match backend.facets(request).await {
                Ok(facets) => Message::Facets {
                    number,
                    field,
                    facets,
                },
                Err(error) => Message::Failed {
                    number,
                    reason: error.explained(),
                },
            };
            let _ = messages.send(message);
        });
        self.facets.replace(number, task);
    }

    fn complete(&mut self, number: Number, request: ValuesRequest) {
        let (backend, messages) = self.handles();
        let task = tokio::spawn(async move {
            if let Ok(values) = backend.values(request).await {
                let _ = messages.send(Message::Completions { number, values });
            }
        });
        self.complete.replace(number, task);
    }

    fn whole(&self, position: Position) {
        let (backend, messages) = self.handles();
        tokio::spawn(async move {
            if let Ok(entry) = backend.entry(position).await {
                let _ = messages.send(Message::Whole {
                    position,
                    entry: entry.map(Box::new),
                });
            }
        });
    }

    fn wake(&self, after: Duration, message: Message) {
        let (_, messages) = self.handles();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let _ = messages.send(message);
        });
    }

    fn handles(&self) -> (Backend, UnboundedSender<Message>) {
        (self.backend.clone(), self.messages.clone())
    }
}
