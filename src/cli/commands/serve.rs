//! `tailwater serve`

use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::base::Networks;
use crate::base::shutdown::{SignalNumber, Wish, Wishes};
use crate::base::tls::Tls;
use crate::cli::args::Serve;
use crate::cli::open::{Opened, Serving};
use crate::cli::own_ports::OwnPorts;
use crate::cli::{Error, Verdict, own_log};
use crate::config::{self, Auth, ServeFile, Settings};
use crate::pipelines::{Pipelines, Surroundings};
use crate::service::{Access, Listener, Options, Tokens};
use crate::store::Lock;

/// How often it is looked whether the configuration file has changed.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

pub(in crate::cli) async fn run(settings: &Settings, args: &Serve) -> Result<Verdict, Error> {
    let serve = args.over(&settings.serve);
    own_log::to_stderr(settings, serve.log_format);
    let mut wishes = Wishes::listen().map_err(Error::io("wait for signals"))?;
    let dir = &settings.data;
    check_pipelines(settings)?;
    let tls = serve
        .tls()
        .map_err(|reason| Error::Said(reason.to_owned()))?;
    let tls = tls.map(Tls::load).transpose()?;
    let beyond = serve.reaches_beyond();
    let access = access(settings, &serve, beyond)?;
    let options = Options {
        local_hosts: !beyond && serve.auth == Auth::Auto,
        access,
        networks: Networks::new(&serve.allow, &serve.deny).map_err(Error::Said)?,
        rates: serve.rates(beyond),
        origins: serve.cors.clone(),
        body_timeout: serve.body_timeout.0,
        public_url: settings.blobs.public_url.clone(),
        is_secure: tls.is_some(),
    };
    let Some(lock) = Lock::acquire(dir)? else {
        let owner = Lock::addresses(dir).join(", ");
        return Err(Error::Said(format!(
            "{} is in use by another process ({owner}); one process serves it",
            dir.display()
        )));
    };
    let http = Listener::tcp(serve.listen)?.with_tls(tls.clone());
    let grpc = match serve.otlp_grpc {
        Some(address) => Some(Listener::tcp(address)?.with_tls(tls.clone())),
        None => None,
    };
    let url = http.address();
    let grpc_url = grpc.as_ref().map(Listener::address);
    let serving = Serving {
        http,
        grpc,
        options: options.clone(),
        connections: serve.connections(),
    };
    let opened = Opened::service(settings, lock, serving)?;
    for note in &opened.notes {
        tracing::warn!("{note}");
    }
    let entries = opened.store().map_or(0, crate::store::Store::count);
    tracing::info!(entries, data = %dir.display(), "the log is open");
    let mut moving = Moving {
        settings,
        surroundings: opened.store().map(|store| Surroundings {
            store: store.clone(),
            dir: dir.join("pipelines"),
        }),
        pipelines: opened.pipelines(),
        ports: OwnPorts::new(&opened, options, serve.connections(), tls.clone()),
        drain: serve.drain.0,
    };
    if let Err(error) = moving.begin(settings).await {
        opened.close().await;
        return Err(error);
    }
    let mut out = std::io::stdout();
    writeln!(out, "listening on {url}").map_err(Error::io("write the address"))?;
    if let Some(url) = grpc_url {
        writeln!(out, "taking OTLP over gRPC on {url}").map_err(Error::io("write the address"))?;
    }
    let signal = ended(&mut wishes, tls.as_ref(), &mut moving).await;
    tracing::info!(signal, "stopping");
    moving.end().await;
    opened.close().await;
    Ok(Verdict::Done)
}

/// The pipelines of the service, and how they change.
struct Moving<'s> {
    settings: &'s Settings,
    surroundings: Option<Surroundings>,
    pipelines: Pipelines,
    ports: OwnPorts,
    drain: Duration,
}

impl Moving<'_> {
    /// Makes the pipelines those of the settings.
    async fn begin(&mut self, settings: &Settings) -> Result<(), Error> {
        let Some(around) = &self.surroundings else {
            return Ok(());
        };
        let wanted = settings.pipelines.clone();
        let change = self.pipelines.apply(wanted, around, self.drain).await?;
        for name in &change.stopped {
            tracing::info!(pipeline = %name, "stopped");
        }
        for name in &change.started {
            tracing::info!(pipeline = %name, "started");
        }
        self.ports.match_up(&self.pipelines.ports()).await
    }

    /// Reads the configuration again. What is wrong with it changes nothing.
    async fn begin_anew(&mut self) {
        let read = config::load(self.settings.overrides.clone()).map_err(Error::from);
        let read = read.and_then(|settings| check_pipelines(&settings).map(|()| settings));
        let outcome = match read {
            Ok(settings) => self.begin(&settings).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(()) => tracing::info!(
                "the configuration was read again; only pipelines change while the service runs"
            ),
            Err(error) => {
                let error = error.explained();
                tracing::error!(%error, "the configuration is left as it was");
            }
        }
    }

    async fn end(&mut self) {
        self.pipelines.stop(self.drain).await;
        self.ports.close().await;
    }
}

/// Waits for the signal to end. A hang-up is one only where there is nothing to be read again.
async fn ended(wishes: &mut Wishes, tls: Option<&Tls>, moving: &mut Moving<'_>) -> SignalNumber {
    let file = moving.settings.file.clone();
    let mut seen = file.as_deref().and_then(looks);
    loop {
        let wish = tokio::select! {
            wish = wishes.next() => wish,
            () = tokio::time::sleep(LOOK_INTERVAL), if file.is_some() => {
                let now = file.as_deref().and_then(looks);
                // A file that is being replaced may be missing for a moment.
                if now.is_some() && now != seen {
                    seen = now;
                    moving.begin_anew().await;
                }
                continue;
            }
        };
        match wish {
            Wish::HangUp(_) if tls.is_some() || file.is_some() => {
                match tls.map(Tls::reload) {
                    Some(Ok(())) => tracing::info!("the certificates were read again"),
                    Some(Err(error)) => tracing::error!(%error, "the certificates in use stay"),
                    None => {}
                }
                if file.is_some() {
                    seen = file.as_deref().and_then(looks);
                    moving.begin_anew().await;
                }
            }
            Wish::End(signal) | Wish::HangUp(signal) => return signal,
        }
    }
}

/// How a file looks from outside: when it was written, and how long it is.
fn looks(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// Whether the pipelines of the settings could be, and do not take the names of other routes.
pub(in crate::cli) fn check_pipelines(settings: &Settings) -> Result<(), Error> {
    for (at, pipeline) in settings.pipelines.iter().enumerate() {
        if crate::api::path::is_reserved(&pipeline.name) {
            let expected = "expected a name that no other route of the service begins with";
            let found = &pipeline.name;
            let place = settings.place(&format!("pipelines.{at}.name"));
            return Err(Error::Said(format!("{place}{expected}, found {found:?}")));
        }
    }
    Pipelines::check(&settings.pipelines).map_err(|failed| {
        let at = settings
            .pipelines
            .iter()
            .position(|one| one.name == failed.name);
        let key = format!("pipelines.{}{}", at.unwrap_or_default(), failed.part());
        Error::Misfit {
            place: settings.place(&key),
            failed: Box::new(failed),
        }
    })
}

/// Whom the listeners let in. Beyond this machine they are open only when that is said.
fn access(settings: &Settings, serve: &ServeFile, beyond: bool) -> Result<Access, Error> {
    let guarded = match serve.auth {
        Auth::Always => true,
        Auth::Never => false,
        Auth::Auto => beyond,
    };
    if !guarded {
        return Ok(Access::Open);
    }
    let tokens = Tokens::open(&settings.data)?;
    if tokens.all()?.is_empty() {
        let reason = "everybody has to show a token, and there is none";
        return Err(Error::Said(format!(
            "{reason}: make one with `tailwater token create --read --write`, or say --no-auth if the network is trusted"
        )));
    }
    Ok(Access::Guarded(tokens))
}
