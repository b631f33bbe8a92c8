//! Lines over TCP.

use std::net::SocketAddr;

use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;

use super::console::QUIET;
use super::lines::{LineDecoder, StreamDecoder};
use super::outlet::Outlet;
use crate::base::Seats;
use crate::pipelines::Error;
use crate::pipelines::options::{LineOptions, TcpSourceOptions};
use crate::pipelines::port::{Connection, Port};

/// A port that takes lines.
#[derive(Debug)]
pub(in crate::pipelines) struct TcpSource {
    port: Port,
    lines: LineOptions,
}

impl TcpSource {
    pub async fn listen(options: &TcpSourceOptions, outlet: &Outlet) -> Result<Self, Error> {
        let listen = &options.listen;
        let most = (listen.connections, listen.connections_per_address);
        let seats = Seats::new(most.0, most.1);
        outlet.figures.seats(&seats);
        let port = Port::listen(listen, seats).await?;
        if let Ok(address) = port.address() {
            tracing::info!(source = %outlet.id, %address, "taking lines");
        }
        Ok(Self {
            port,
            lines: options.lines.clone(),
        })
    }

    pub async fn run(self, outlet: Outlet) {
        let mut serving = JoinSet::new();
        while let Some(arrival) = self.port.accept(&outlet.stopping).await {
            let (outlet, lines) = (outlet.clone(), self.lines.clone());
            serving.spawn(async move {
                if let Some(connection) = arrival.open().await {
                    read(connection, lines, outlet).await;
                }
            });
            while serving.try_join_next().is_some() {}
        }
        serving.join_all().await;
    }
}

async fn read(mut connection: Connection, options: LineOptions, outlet: Outlet) {
    let source = place(connection.address);
    let lines = LineDecoder::new(&outlet, source, false);
    let mut decoder = StreamDecoder::new(lines, options.max_line.0);
    let mut buffer = vec![0; 64 << 10];
    let mut idle = std::time::Duration::ZERO;
    loop {
        let mut records = Vec::new();
        let read = tokio::select! {
            read = tokio::time::timeout(QUIET, connection.stream.read(&mut buffer)) => read,
            () = outlet.stopping.cancelled() => Ok(Ok(0)),
        };
        let has_ended = match read {
            Ok(Ok(count)) if count > 0 => {
                idle = std::time::Duration::ZERO;
                outlet.figures.moved(count);
                decoder.take(&buffer[..count], &mut records);
                false
            }
            Ok(_) => true,
            Err(_) => {
                idle += QUIET;
                decoder.lines.finish(&mut records);
                idle >= options.idle_timeout.0
            }
        };
        if has_ended {
            decoder.end(&mut records);
        }
        if !records.is_empty() {
            outlet.give(records, Vec::new()).await;
        }
        if has_ended {
            return;
        }
    }
}

/// What entries of a connection are said to come from.
fn place(address: SocketAddr) -> String {
    address.ip().to_canonical().to_string()
}
