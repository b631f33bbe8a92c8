//! All pipelines: started, stopped and changed together.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use super::Error;
use super::options::{PipelineOptions, SinkKind, SourceKind};
use super::parts::check;
use super::pipeline::{Pipeline, Surroundings};
use super::sinks::{Ending, Live};
use super::sources::Ingest;
use super::status::PipelineStatus;

/// The pipelines of a service. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Pipelines(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    running: RwLock<BTreeMap<String, Arc<Pipeline>>>,
    /// One change after the other.
    changing: tokio::sync::Mutex<()>,
}

/// A pipeline that cannot be.
#[derive(Debug, thiserror::Error)]
#[error("pipeline {name:?}")]
pub struct Failed {
    /// Its name.
    pub name: String,
    /// Why.
    pub source: Error,
}

impl Failed {
    /// The key of the part that cannot be, within the pipeline: `.sinks.0`; empty where it is the pipeline itself.
    #[must_use]
    pub fn part(&self) -> String {
        match &self.source {
            Error::Part { part, at, .. } => format!(".{part}s.{at}"),
            Error::Filter { at, .. } => format!(".filters.{at}"),
            _ => String::new(),
        }
    }
}

/// What a change did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Pipelines that were started, also anew.
    pub started: Vec<String>,
    /// Pipelines that are no more.
    pub stopped: Vec<String>,
}

/// A port of its own that a pipeline's HTTP parts have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnPort {
    /// The address.
    pub host: IpAddr,
    /// The port.
    pub port: u16,
    /// Of which pipeline.
    pub pipeline: String,
}

impl Pipelines {
    /// Whether pipelines could be: names, parts and patterns. Nothing is opened.
    ///
    /// # Errors
    /// The first that could not.
    pub fn check(wanted: &[PipelineOptions]) -> Result<(), Failed> {
        for (at, options) in wanted.iter().enumerate() {
            let failed = |source| Failed {
                name: options.name.clone(),
                source,
            };
            if !is_name(&options.name) {
                let expected = "expected a name of a to z, 0 to 9, _ and -";
                let reason = format!("{expected}, found {:?}", options.name);
                return Err(failed(Error::Said(reason)));
            }
            if wanted[..at].iter().any(|other| other.name == options.name) {
                let reason = "expected a name of its own, found another pipeline that has it";
                return Err(failed(Error::Said(reason.to_owned())));
            }
            check(options).map_err(failed)?;
        }
        Ok(())
    }

    /// Makes the running pipelines those that are wanted: only what differs is stopped and started.
    ///
    /// # Errors
    /// One could not be: then all are as they were before (those that were stopped for it are started again).
    pub async fn apply(
        &self,
        wanted: Vec<PipelineOptions>,
        around: &Surroundings,
        deadline: Duration,
    ) -> Result<Change, Failed> {
        Self::check(&wanted)?;
        let _one_at_a_time = self.0.changing.lock().await;
        let before = self.running();
        let same = |options: &PipelineOptions| {
            let running = before.get(&options.name);
            running.is_some_and(|running| running.options == *options)
        };
        let wanted_names: Vec<&str> = wanted.iter().map(|one| one.name.as_str()).collect();
        let gone = |name: &&String| !wanted_names.contains(&name.as_str());
        let stopped: Vec<String> = before.keys().filter(gone).cloned().collect();
        let fresh: Vec<PipelineOptions> = wanted.iter().filter(|one| !same(one)).cloned().collect();
        let replaced = fresh.iter().map(|one| &one.name);
        let replaced: Vec<&String> = replaced.filter(|name| before.contains_key(*name)).collect();
        let ending = stopped.iter().chain(replaced.iter().copied());
        let ending = ending.filter_map(|name| before.get(name));
        futures_util::future::join_all(ending.map(|one| one.stop(deadline, Ending::Changed))).await;
        let mut running = before.clone();
        for name in stopped.iter().chain(replaced) {
            running.remove(name);
        }
        let mut change = Change {
            started: Vec::new(),
            stopped: stopped.clone(),
        };
        for options in fresh {
            let name = options.name.clone();
            match Pipeline::start(options, around).await {
                Ok(pipeline) => {
                    running.insert(name.clone(), Arc::new(pipeline));
                    change.started.push(name);
                }
                Err(source) => {
                    let started = change.started.iter().filter_map(|name| running.get(name));
                    let stopping = started.map(|one| one.stop(deadline, Ending::Changed));
                    futures_util::future::join_all(stopping).await;
                    self.back_to(before, &running, around).await;
                    return Err(Failed { name, source });
                }
            }
        }
        self.replace(running);
        Ok(change)
    }

    /// Starts again what was stopped for a change that came to nothing.
    async fn back_to(
        &self,
        before: BTreeMap<String, Arc<Pipeline>>,
        now: &BTreeMap<String, Arc<Pipeline>>,
        around: &Surroundings,
    ) {
        let mut running = BTreeMap::new();
        for (name, pipeline) in before {
            if now
                .get(&name)
                .is_some_and(|one| Arc::ptr_eq(one, &pipeline))
            {
                running.insert(name, pipeline);
                continue;
            }
            match Pipeline::start(pipeline.options.clone(), around).await {
                Ok(pipeline) => drop(running.insert(name, Arc::new(pipeline))),
                Err(error) => {
                    let error = super::lane::told(&error);
                    tracing::error!(pipeline = %name, %error, "a pipeline could not be started again");
                }
            }
        }
        self.replace(running);
    }

    /// Stops all of them, delivering what was read within a time.
    pub async fn stop(&self, deadline: Duration) {
        let _one_at_a_time = self.0.changing.lock().await;
        let running = self.running();
        let stopping = running
            .values()
            .map(|one| one.stop(deadline, Ending::Shutdown));
        futures_util::future::join_all(stopping).await;
        self.replace(BTreeMap::new());
    }

    /// What each of them did, by name.
    #[must_use]
    pub fn status(&self) -> Vec<PipelineStatus> {
        self.running().values().map(|one| one.status()).collect()
    }

    /// What one of them did.
    #[must_use]
    pub fn status_of(&self, name: &str) -> Option<PipelineStatus> {
        self.running().get(name).map(|one| one.status())
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.running().keys().cloned().collect()
    }

    /// The stream of one, if it has one.
    #[must_use]
    pub fn live(&self, name: &str) -> Option<Live> {
        self.running().get(name)?.live.clone()
    }

    /// Where one takes what is posted, if it does.
    #[must_use]
    pub fn ingest(&self, name: &str) -> Option<Ingest> {
        self.running().get(name)?.ingest.clone()
    }

    /// The ports of their own that their HTTP parts want.
    #[must_use]
    pub fn ports(&self) -> Vec<OwnPort> {
        let mut ports = Vec::new();
        for (name, running) in self.running() {
            let sinks = running
                .options
                .sinks
                .iter()
                .filter_map(|sink| match &sink.kind {
                    SinkKind::Http(options) => Some((options.host, options.port?)),
                    _ => None,
                });
            let sources = running.options.sources.iter();
            let sources = sources.filter_map(|source| match &source.kind {
                SourceKind::Http(options) => Some((options.host, options.port?)),
                _ => None,
            });
            ports.extend(sinks.chain(sources).map(|(host, port)| OwnPort {
                host,
                port,
                pipeline: name.clone(),
            }));
        }
        ports.sort();
        ports.dedup();
        ports
    }

    fn running(&self) -> BTreeMap<String, Arc<Pipeline>> {
        let running = self.0.running.read();
        running
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }

    fn replace(&self, running: BTreeMap<String, Arc<Pipeline>>) {
        let mut own = self.0.running.write();
        match &mut own {
            Ok(own) => **own = running,
            Err(poisoned) => **poisoned.get_mut() = running,
        }
    }
}

/// `[a-z0-9][a-z0-9_-]*`
fn is_name(name: &str) -> bool {
    let is_first = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    name.bytes().next().is_some_and(is_first)
        && name.len() <= 64
        && name
            .bytes()
            .all(|letter| is_first(letter) || b"_-".contains(&letter))
}
