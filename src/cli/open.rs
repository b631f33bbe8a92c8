//! From what the user names to something that can be explored, and what must be put away afterwards.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Error;
use super::args::{Kind, SourceKind};
use super::directory::{self, is_address, is_log};
use super::keeping::{Beside, attend, keep, look_after};
use super::lying::not_shown;
use super::programs::Program;
use super::several::are_several;
use crate::backend::{Backend, Here, Services};
use crate::base::Gauge;
use crate::config::Settings;
use crate::logdir;
use crate::pipelines::Pipelines;
use crate::service::{self, Connections, Listener, Secret, Service};
use crate::store::{Durability, Lock, Options, Store};

/// How often it is looked whether something has ended.
const LOOK: Duration = Duration::from_millis(10);

/// Something to explore.
pub(super) struct Opened {
    pub backend: Backend,
    /// How far the index of plain files has come; until then counts are of what is known.
    pub indexing: Option<Arc<Gauge>>,
    /// Finished when standard input has ended, where it is read.
    pub(super) stdin: Option<Arc<Gauge>>,
    /// What it is called on the screen.
    pub name: String,
    /// What was recovered or found damaged, to be said.
    pub notes: Vec<String>,
    owned: Option<Owned>,
    /// What it is put together from.
    pub parts: Vec<Self>,
    /// Reads what a program prints; it ends the program in the end.
    pub(super) reader: Option<std::thread::JoinHandle<()>>,
    stopping: CancellationToken,
}

/// How a log is served beyond the processes of its user.
pub(super) struct Serving {
    pub http: Listener,
    pub grpc: Option<Listener>,
    pub options: service::Options,
    pub connections: Connections,
}

/// A log that this process owns.
struct Owned {
    store: Store,
    service: Service,
    here: Here,
    _lock: Lock,
    serving: Vec<JoinHandle<()>>,
    temporary: Option<TempDir>,
}

impl Opened {
    /// What `sources` mean; without any, the service or the data directory of the settings.
    pub async fn from(settings: &Settings, sources: &[String], kind: &Kind) -> Result<Self, Error> {
        let (all, kind) = (kind.with(sources), &kind.alone());
        let sources = all.as_slice();
        if let ([dir], Some(named)) = (sources, kind.named) {
            return match named {
                SourceKind::Store => Self::directory(settings, Path::new(dir)).await,
                SourceKind::Logdir => Self::binary(settings, dir),
                SourceKind::Files => Self::files(settings, sources, &kind.lines),
            };
        }
        match sources {
            [] => match &settings.url {
                Some(url) => Self::remote(settings, url).await,
                None => Self::data(settings, &settings.data).await,
            },
            [source] if let Some(program) = Program::of(source) => {
                Self::program(settings, &kind.lines, program)
            }
            [far] if far.starts_with("ssh://") => Self::far(settings, far, &kind.lines),
            [url] if is_address(url) => Self::remote(settings, url).await,
            [dir] if is_log(Path::new(dir)) => Self::directory(settings, Path::new(dir)).await,
            [dir] if logdir::is_log_directory(Path::new(dir)) => Self::binary(settings, dir),
            [stdin] if stdin == "-" => Self::stdin(settings, &kind.lines),
            _ if are_several(sources) => Self::several(settings, sources, kind).await,
            _ => Self::files(settings, sources, &kind.lines),
        }
    }

    fn binary(settings: &Settings, dir: &str) -> Result<Self, Error> {
        let (backend, notes) = directory::explored(settings, dir)?;
        Ok(Self {
            notes,
            ..Self::of(backend, shortened(Path::new(dir)))
        })
    }

    pub(super) fn of(backend: Backend, name: String) -> Self {
        Self {
            backend,
            indexing: None,
            stdin: None,
            name,
            notes: Vec::new(),
            owned: None,
            parts: Vec::new(),
            reader: None,
            stopping: CancellationToken::new(),
        }
    }

    /// The log of a directory that was named: our own as ever, that of another process through it, any other only read.
    async fn directory(settings: &Settings, dir: &Path) -> Result<Self, Error> {
        let real = |path: &Path| path.canonicalize().ok();
        if real(dir).is_some() && real(dir) == real(&settings.data) {
            return Self::data(settings, dir).await;
        }
        let name = shortened(dir);
        if Lock::is_held(dir) {
            return Self::through_owner(settings, dir, name).await;
        }
        let (store, recovery) = Store::open_read_only(dir, settings.log.options())?;
        Ok(Self {
            notes: recovery.damage.clone(),
            ..Self::of(Backend::Store(store), name)
        })
    }

    /// The log of a data directory: opened when it is free, through its owner's address when it is not.
    async fn data(settings: &Settings, dir: &Path) -> Result<Self, Error> {
        let name = shortened(dir);
        let Some(lock) = Lock::acquire(dir)? else {
            return Self::through_owner(settings, dir, name).await;
        };
        let kept = keep(settings, dir)?;
        let log = settings.log.options();
        let beside = Beside {
            settings,
            kept,
            is_service: false,
        };
        Self::own(lock, dir, log, None, name, &[], Some(beside))
    }

    /// The log of a data directory whose lock is held, to be served at a listener too.
    pub fn service(settings: &Settings, lock: Lock, serving: Serving) -> Result<Self, Error> {
        let dir = &settings.data;
        let kept = keep(settings, dir)?;
        let mut opened = Self::own(
            lock,
            dir,
            settings.log.options(),
            None,
            shortened(dir),
            &[serving.http.address()],
            Some(Beside {
                settings,
                kept,
                is_service: true,
            }),
        )?;
        opened.serve(serving);
        Ok(opened)
    }

    /// Opens a log that is ours and serves it to other processes of the user.
    fn own(
        lock: Lock,
        dir: &Path,
        options: Options,
        temporary: Option<TempDir>,
        name: String,
        also: &[String],
        beside: Option<Beside<'_>>,
    ) -> Result<Self, Error> {
        let (store, recovery) = Store::open(dir, options)?;
        let stopping = CancellationToken::new();
        let pipelines = Pipelines::default();
        let mut service =
            Service::new(store.clone(), stopping.clone()).with_pipelines(pipelines.clone());
        let (mut attending, mut here) = (Vec::new(), Here::default());
        if let Some(beside) = beside {
            let (settings, kept) = (beside.settings, beside.kept);
            let (events, attend) = attend(settings, dir, &store, beside.is_service, &stopping)?;
            service = service.with_events(events.clone());
            attending = attend;
            here.events = Some(events);
            here.kept = Some(kept.clone());
            let secret = Secret::open(dir).map_err(Error::io("read the secret of links"))?;
            service = service.with_kept(kept.clone(), secret);
            let keeping = look_after(kept, store.clone(), stopping.clone());
            attending.push(tokio::spawn(keeping));
        }
        let listener = Listener::local(dir)?;
        let addresses: Vec<String> = std::iter::once(listener.address())
            .chain(also.iter().cloned())
            .collect();
        lock.publish(&addresses)?;
        let mut serving = vec![tokio::spawn(listener.serve(
            service.clone().router(),
            Connections::default(),
            stopping.clone(),
        ))];
        serving.extend(attending);
        let backend = Backend::Store(store.clone());
        let owned = Owned {
            store,
            service,
            here: Here { pipelines, ..here },
            _lock: lock,
            serving,
            temporary,
        };
        Ok(Self {
            notes: recovery.damage.clone(),
            owned: Some(owned),
            stopping,
            ..Self::of(backend, name)
        })
    }

    /// An empty log in a temporary directory.
    pub fn temporary(name: String) -> Result<(Self, Store), Error> {
        let dir = tempfile::Builder::new()
            .prefix("tailwater-")
            .tempdir()
            .map_err(Error::io("create a temporary directory"))?;
        let path = dir.path().to_owned();
        let lock = Lock::acquire(&path)?
            .ok_or_else(|| Error::Said("the temporary directory is in use".to_owned()))?;
        let options = Options {
            durability: Durability::None,
            ..Options::default()
        };
        let opened = Self::own(lock, &path, options, Some(dir), name, &[], None)?;
        let store = match &opened.owned {
            Some(owned) => owned.store.clone(),
            None => return Err(Error::Said("the temporary log is gone".to_owned())),
        };
        Ok((opened, store))
    }

    fn serve(&mut self, serving: Serving) {
        let Some(owned) = &mut self.owned else { return };
        let service = owned.service.clone().with_options(serving.options);
        let routers = [
            (Some(serving.http), service.clone().router()),
            (serving.grpc, service.grpc_router()),
        ];
        for (listener, router) in routers {
            let Some(listener) = listener else { continue };
            let connections = serving.connections.clone();
            let serving = listener.serve(router, connections, self.stopping.clone());
            owned.serving.push(tokio::spawn(serving));
        }
    }

    /// What is to be said: what was recovered or found damaged, and which files are not shown.
    pub fn told(&self) -> Vec<String> {
        let notes = self.notes.iter().cloned();
        notes.chain(not_shown(&self.backend.files())).collect()
    }

    /// Prints what is to be said to standard error, where there is no screen.
    pub fn tell(&self) {
        for said in self.told() {
            Error::Said(said).print();
        }
    }

    /// The log, where this process owns it.
    pub fn store(&self) -> Option<&Store> {
        self.owned.as_ref().map(|owned| &owned.store)
    }

    /// The pipelines of this process, where it owns the log; none run until they are applied.
    pub fn pipelines(&self) -> Pipelines {
        let owned = self.owned.as_ref();
        owned
            .map(|owned| owned.here.pipelines.clone())
            .unwrap_or_default()
    }

    /// What is done beside the log, here or there.
    pub fn services(&self) -> Services {
        match (&self.backend, &self.owned) {
            (Backend::Remote(client), _) => Services::There(client.clone()),
            (_, Some(owned)) => Services::Here(owned.here.clone()),
            _ => {
                let mut parts = self.parts.iter().map(Self::services);
                let found = parts.find(|services| !matches!(services, Services::None));
                found.unwrap_or(Services::None)
            }
        }
    }

    /// What answers requests, where this process owns the log.
    pub fn handlers(&self) -> Option<Service> {
        self.owned.as_ref().map(|owned| owned.service.clone())
    }

    /// Tells those who work for it that it ends.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Waits until the index of plain files knows what was there.
    pub async fn indexed(&self) {
        finished(self.indexing.as_deref()).await;
    }

    /// Waits until standard input has ended; of files, what is there is all there is.
    pub async fn ended(&self) {
        finished(self.stdin.as_deref()).await;
        for opened in self.parts.iter().chain([self]) {
            if let Backend::Files(files) = &opened.backend {
                while !files.is_unpacked() {
                    tokio::time::sleep(LOOK).await;
                }
                files.take_whole();
            }
        }
    }

    /// Ends streams, lets requests finish, closes the log, removes what is temporary.
    pub async fn close(self) {
        self.stopping.cancel();
        for part in self.parts {
            Box::pin(part.close()).await;
        }
        let Some(owned) = self.owned else { return };
        for serving in owned.serving {
            let _ = serving.await;
        }
        let closing = tokio::task::spawn_blocking(move || {
            if let Some(reader) = self.reader {
                let _ = reader.join();
            }
            // A temporary log is not worth sealing.
            if owned.temporary.is_none() {
                owned.store.close();
            }
        });
        let _ = closing.await;
    }
}

async fn finished(gauge: Option<&Gauge>) {
    while gauge.is_some_and(|gauge| gauge.reading().is_some()) {
        tokio::time::sleep(LOOK).await;
    }
}

/// A path as people say it: the home directory is `~`.
pub(super) fn shortened(path: &Path) -> String {
    let home = directories::BaseDirs::new();
    match home
        .as_ref()
        .and_then(|home| path.strip_prefix(home.home_dir()).ok())
    {
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    }
}
