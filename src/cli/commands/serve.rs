//! `tailwater serve`

use std::io::Write;

use crate::base::shutdown;
use crate::cli::args::Serve;
use crate::cli::open::Opened;
use crate::cli::{Error, Verdict, own_log};
use crate::config::Settings;
use crate::service::Listener;
use crate::store::Lock;

pub(in crate::cli) async fn run(settings: &Settings, args: &Serve) -> Result<Verdict, Error> {
    own_log::to_stderr(settings);
    let address = args.listen.unwrap_or(settings.serve.listen);
    if !address.ip().is_loopback() && !args.no_auth {
        let reason = "listening beyond this machine would let anyone read and write the log";
        return Err(Error::Said(format!(
            "{reason}; listen on 127.0.0.1, or say --no-auth if the network is trusted"
        )));
    }
    let dir = &settings.data;
    let Some(lock) = Lock::acquire(dir)? else {
        let owner = Lock::addresses(dir).join(", ");
        return Err(Error::Said(format!(
            "{} is in use by another process ({owner}); one process serves it",
            dir.display()
        )));
    };
    let listener = Listener::tcp(address).await?;
    let url = listener.address();
    let opened = Opened::service(settings, lock, listener).await?;
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
