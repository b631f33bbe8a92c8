//! `tailwater serve`

use std::io::Write;

use crate::base::shutdown::{SignalNumber, Wish, Wishes};
use crate::cli::args::Serve;
use crate::cli::open::{Opened, Serving};
use crate::cli::{Error, Verdict, own_log};
use crate::config::{Auth, ServeFile, Settings};
use crate::service::{Access, Listener, Options, Tls, Tokens};
use crate::store::Lock;

pub(in crate::cli) async fn run(settings: &Settings, args: &Serve) -> Result<Verdict, Error> {
    let serve = args.over(&settings.serve);
    own_log::to_stderr(settings, serve.log_format);
    let mut wishes = Wishes::listen().map_err(Error::io("wait for signals"))?;
    let dir = &settings.data;
    let tls = serve
        .tls()
        .map_err(|reason| Error::Said(reason.to_owned()))?;
    let tls = tls.map(Tls::load).transpose()?;
    let beyond = serve.reaches_beyond();
    let access = access(settings, &serve, beyond)?;
    let options = Options {
        local_hosts: !beyond && serve.auth == Auth::Auto,
        access,
        rates: serve.rates(beyond),
        origins: serve.cors.clone(),
        body_timeout: serve.body_timeout.0,
    };
    let Some(lock) = Lock::acquire(dir)? else {
        let owner = Lock::addresses(dir).join(", ");
        return Err(Error::Said(format!(
            "{} is in use by another process ({owner}); one process serves it",
            dir.display()
        )));
    };
    let http = Listener::tcp(serve.listen).await?.with_tls(tls.clone());
    let grpc = match serve.otlp_grpc {
        Some(address) => Some(Listener::tcp(address).await?.with_tls(tls.clone())),
        None => None,
    };
    let url = http.address();
    let grpc_url = grpc.as_ref().map(Listener::address);
    let serving = Serving {
        http,
        grpc,
        options,
        connections: serve.connections(),
    };
    let opened = Opened::service(settings, lock, serving)?;
    for note in &opened.notes {
        tracing::warn!("{note}");
    }
    let entries = opened.store().map_or(0, crate::store::Store::count);
    tracing::info!(entries, data = %dir.display(), "the log is open");
    let mut out = std::io::stdout();
    writeln!(out, "listening on {url}").map_err(Error::io("write the address"))?;
    if let Some(url) = grpc_url {
        writeln!(out, "taking OTLP over gRPC on {url}").map_err(Error::io("write the address"))?;
    }
    let signal = ended(&mut wishes, tls.as_ref()).await;
    tracing::info!(signal, "stopping");
    opened.close().await;
    Ok(Verdict::Done)
}

/// Waits for the signal to end. A hang-up is one only where there are no certificates to be read again.
async fn ended(wishes: &mut Wishes, tls: Option<&Tls>) -> SignalNumber {
    loop {
        match (wishes.next().await, tls) {
            (Wish::End(signal), _) | (Wish::HangUp(signal), None) => return signal,
            (Wish::HangUp(_), Some(tls)) => match tls.reload() {
                Ok(()) => tracing::info!("the certificates were read again"),
                Err(error) => tracing::error!(%error, "the certificates in use stay"),
            },
        }
    }
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
