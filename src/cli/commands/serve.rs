//! `tailwater serve`

use std::io::Write;

use crate::base::shutdown;
use crate::cli::args::Serve;
use crate::cli::open::Opened;
use crate::cli::{Error, Verdict, own_log};
use crate::config::Auth;
use crate::config::Settings;
use crate::service::{Access, Listener, Tokens};
use crate::store::Lock;

pub(in crate::cli) async fn run(settings: &Settings, args: &Serve) -> Result<Verdict, Error> {
    own_log::to_stderr(settings);
    let address = args.listen.unwrap_or(settings.serve.listen);
    let dir = &settings.data;
    let access = access(settings, args, !address.ip().is_loopback())?;
    let Some(lock) = Lock::acquire(dir)? else {
        let owner = Lock::addresses(dir).join(", ");
        return Err(Error::Said(format!(
            "{} is in use by another process ({owner}); one process serves it",
            dir.display()
        )));
    };
    let listener = Listener::tcp(address).await?;
    let url = listener.address();
    let opened = Opened::service(settings, lock, listener, access).await?;
    for note in &opened.notes {
        tracing::warn!("{note}");
    }
    let entries = opened.store().map_or(0, crate::store::Store::count);
    tracing::info!(entries, data = %dir.display(), "the log is open");
    writeln!(std::io::stdout(), "listening on {url}").map_err(Error::io("write the address"))?;
    let signal = shutdown::requested()
        .await
        .map_err(Error::io("wait for signals"))?;
    tracing::info!(signal, "stopping");
    opened.close().await;
    Ok(Verdict::Done)
}

/// Whom the listener lets in. Beyond this machine it is open only when that is said.
fn access(settings: &Settings, args: &Serve, beyond: bool) -> Result<Access, Error> {
    let guarded = match settings.serve.auth {
        _ if args.auth => true,
        _ if args.no_auth => false,
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
