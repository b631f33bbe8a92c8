//! Where the program's own log goes: standard error for services, a file while the screen is taken.

use std::io::IsTerminal;
use std::path::Path;

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, Settings};

/// Its own log of the explorer grows no further than this; then it starts anew.
const MAX_BYTES: u64 = 4 << 20;

fn filter(settings: &Settings) -> EnvFilter {
    EnvFilter::try_new(format!("tailwater={}", settings.log_level))
        .unwrap_or_else(|_| EnvFilter::new("tailwater=info"))
}

/// Logs to standard error.
pub(super) fn to_stderr(settings: &Settings, format: LogFormat) {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(settings))
        .with_writer(std::io::stderr)
        .with_ansi(!plain && std::io::stderr().is_terminal())
        .with_target(false);
    let _ = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}

/// Logs to `explorer.log` in the state directory; where that cannot be written, nowhere.
pub(super) fn to_file(settings: &Settings) {
    if let Some(file) = settings.state.as_deref().and_then(open) {
        let _ = tracing_subscriber::fmt()
            .with_env_filter(filter(settings))
            .with_writer(std::sync::Mutex::new(file))
            .with_ansi(false)
            .try_init();
    }
}

fn open(dir: &Path) -> Option<std::fs::File> {
    std::fs::create_dir_all(dir).ok()?;
    let path = dir.join("explorer.log");
    let fresh = std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() > MAX_BYTES);
    std::fs::File::options()
        .create(true)
        .append(!fresh)
        .write(true)
        .truncate(fresh)
        .open(path)
        .ok()
}
