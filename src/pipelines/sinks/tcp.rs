//! Lines to whoever connects. Handing over is enough: a client that is slower than the log loses lines, and is told.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Sender};
use tokio_util::sync::CancellationToken;

use super::Outcome;
use crate::base::Seats;
use crate::pipelines::Error;
use crate::pipelines::figures::{Figures, Reason};
use crate::pipelines::format::Format;
use crate::pipelines::options::PortOptions;
use crate::pipelines::port::{Connection, Port};
use crate::pipelines::record::Record;

/// Batches that a client may be behind.
const RING: usize = 256;
/// A client that takes nothing for so long is let go.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

type Lines = (Arc<[u8]>, u64);

/// Sends lines to every client.
#[derive(Debug)]
pub(in crate::pipelines) struct TcpSink {
    format: Format,
    lines: Sender<Lines>,
    stopping: CancellationToken,
    accepting: tokio::task::JoinHandle<()>,
}

impl TcpSink {
    /// Listens.
    ///
    /// # Errors
    /// The port is taken, or what is said of it is not understood.
    pub async fn listen(
        format: Format,
        options: &PortOptions,
        figures: Arc<Figures>,
    ) -> Result<Self, Error> {
        let most = (options.connections, options.connections_per_address);
        let seats = Seats::new(most.0, most.1);
        figures.seats(&seats);
        let port = Port::listen(options, seats).await?;
        let (lines, stopping) = (Sender::new(RING), CancellationToken::new());
        let (sending, ending) = (lines.clone(), stopping.clone());
        let mut serving = tokio::task::JoinSet::new();
        let accepting = tokio::spawn(async move {
            while let Some(arrival) = port.accept(&ending).await {
                let (lines, figures) = (sending.subscribe(), Arc::clone(&figures));
                let ending = ending.clone();
                serving.spawn(async move {
                    if let Some(connection) = arrival.open().await {
                        serve(connection, lines, figures, ending).await;
                    }
                });
                while serving.try_join_next().is_some() {}
            }
            serving.join_all().await;
        });
        Ok(Self {
            format,
            lines,
            stopping,
            accepting,
        })
    }

    pub fn deliver(&mut self, records: &[Record]) -> Outcome {
        let mut text = Vec::with_capacity(records.len() * 128);
        for record in records {
            self.format.write_line(record, &mut text);
        }
        let bytes = text.len();
        // Without a client nobody misses it.
        let _ = self.lines.send((text.into(), records.len() as u64));
        Outcome::all(records.len(), bytes)
    }

    /// Lets what was handed over reach the clients, then lets them go.
    pub async fn close(self) {
        self.stopping.cancel();
        let _ = self.accepting.await;
    }
}

async fn serve(
    connection: Connection,
    mut lines: broadcast::Receiver<Lines>,
    figures: Arc<Figures>,
    stopping: CancellationToken,
) {
    let (mut reader, mut writer) = tokio::io::split(connection.stream);
    let mut said = [0; 1_024];
    let mut is_ending = false;
    loop {
        let next = tokio::select! {
            biased;
            next = lines.recv() => next,
            // What clients say is passed over; when they end, so do we.
            read = reader.read(&mut said), if !is_ending => match read {
                Ok(0) | Err(_) => return,
                Ok(_) => continue,
            },
            () = stopping.cancelled() => {
                is_ending = true;
                match lines.try_recv() {
                    Ok(lines) => Ok(lines),
                    Err(_) => break,
                }
            }
        };
        let written = match next {
            Ok((text, _)) => tokio::time::timeout(WRITE_TIMEOUT, writer.write_all(&text)).await,
            Err(RecvError::Lagged(batches)) => {
                figures.dropped(Reason::Full, batches);
                let told = format!("{{\"tailwater\":\"gap\",\"batches\":{batches}}}\n");
                tokio::time::timeout(WRITE_TIMEOUT, writer.write_all(told.as_bytes())).await
            }
            Err(RecvError::Closed) => break,
        };
        if !matches!(written, Ok(Ok(()))) {
            return;
        }
    }
    let _ = tokio::time::timeout(WRITE_TIMEOUT, writer.shutdown()).await;
}
