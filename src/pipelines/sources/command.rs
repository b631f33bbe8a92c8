//! Standard output and error of a process that is started again when it ends.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use super::console::QUIET;
use super::lines::{LineDecoder, StreamDecoder};
use super::outlet::Outlet;
use crate::base::Backoff;
use crate::pipelines::options::CommandOptions;

/// A longer line is cut into several entries.
const MAX_LINE: u64 = 1 << 20;
/// A process that lived so long is started again without a long wait.
const HEALTHY: Duration = Duration::from_secs(30);

/// Reads until told to stop.
pub(super) async fn run(options: CommandOptions, outlet: Outlet) {
    let (first, most) = (options.restart_delay.0, options.max_restart_delay.0);
    let mut backoff = Backoff::new(first, most);
    while !outlet.stopping.is_cancelled() {
        let began = Instant::now();
        let ended = once(&options, &outlet).await;
        if outlet.stopping.is_cancelled() {
            return;
        }
        outlet.figures.trouble(ended);
        if began.elapsed() >= HEALTHY {
            backoff.reset();
        }
        tokio::select! {
            () = tokio::time::sleep(backoff.delay()) => {}
            () = outlet.stopping.cancelled() => return,
        }
    }
}

/// One life of the process; how it ended.
async fn once(options: &CommandOptions, outlet: &Outlet) -> String {
    let Some((program, arguments)) = options.command.split_first() else {
        return "there is no command".to_owned();
    };
    let spawned = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => return format!("{program} cannot be started: {error}"),
    };
    let (out, error) = (child.stdout.take(), child.stderr.take());
    let reading = async {
        tokio::join!(
            read(out, format!("{program} stdout"), outlet),
            read(error, format!("{program} stderr"), outlet)
        );
        child.wait().await
    };
    tokio::select! {
        ended = reading => match ended {
            Ok(status) => format!("{program} ended: {status}"),
            Err(error) => format!("{program} cannot be waited for: {error}"),
        },
        () = outlet.stopping.cancelled() => String::new(),
    }
}

async fn read(stream: Option<impl AsyncRead + Unpin>, source: String, outlet: &Outlet) {
    let Some(mut stream) = stream else { return };
    let lines = LineDecoder::new(outlet, source, false);
    let mut decoder = StreamDecoder::new(lines, MAX_LINE);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let mut records = Vec::new();
        let read = tokio::time::timeout(QUIET, stream.read(&mut buffer)).await;
        let has_ended = match read {
            Ok(Ok(count)) if count > 0 => {
                outlet.figures.well();
                outlet.figures.moved(count);
                decoder.take(&buffer[..count], &mut records);
                false
            }
            Ok(_) => {
                decoder.end(&mut records);
                true
            }
            Err(_) => {
                decoder.lines.finish(&mut records);
                false
            }
        };
        if !records.is_empty() {
            outlet.give(records, Vec::new()).await;
        }
        if has_ended {
            return;
        }
    }
}
