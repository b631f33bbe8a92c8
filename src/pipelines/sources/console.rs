//! Standard input.

use std::io::Read;

use tokio::sync::mpsc;

use super::lines::{LineDecoder, StreamDecoder};
use super::outlet::Outlet;

/// Pieces of input that wait to be decoded.
const WAITING: usize = 16;
/// How long an entry waits for lines that continue it.
pub(super) const QUIET: std::time::Duration = std::time::Duration::from_millis(250);
/// A longer line is cut into several entries.
const MAX_LINE: u64 = 1 << 20;

/// Reads until the input ends; then nothing more comes, and the rest of the pipeline goes on.
pub(super) async fn run(outlet: Outlet) {
    let (sender, mut pieces) = mpsc::channel::<Vec<u8>>(WAITING);
    // A read of a pipe or a terminal cannot be interrupted: the thread ends with the process.
    let spawned = std::thread::Builder::new()
        .name("stdin-source".into())
        .spawn(move || {
            let mut stdin = std::io::stdin().lock();
            let mut buffer = vec![0; 64 << 10];
            while let Ok(count) = stdin.read(&mut buffer) {
                if count == 0 || sender.blocking_send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
    if let Err(error) = spawned {
        return outlet.trouble("standard input cannot be read", &error);
    }
    let lines = LineDecoder::new(&outlet, "stdin", false);
    let mut decoder = StreamDecoder::new(lines, MAX_LINE);
    loop {
        let mut records = Vec::new();
        let piece = tokio::select! {
            piece = tokio::time::timeout(QUIET, pieces.recv()) => piece,
            () = outlet.stopping.cancelled() => return,
        };
        let has_ended = match piece {
            Ok(Some(bytes)) => {
                outlet.figures.moved(bytes.len());
                decoder.take(&bytes, &mut records);
                false
            }
            Ok(None) => {
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
