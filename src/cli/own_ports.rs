//! Ports of their own that HTTP parts of pipelines have, beside the service's.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Error;
use super::open::Opened;
use crate::base::tls::Tls;
use crate::pipelines::OwnPort;
use crate::service::{Connections, Listener, Options, Service};

/// Listeners that come and go with pipelines, under the layers of the service.
pub(super) struct OwnPorts {
    service: Option<Service>,
    connections: Connections,
    tls: Option<Tls>,
    listening: BTreeMap<OwnPort, (CancellationToken, JoinHandle<()>)>,
}

impl OwnPorts {
    pub fn new(
        opened: &Opened,
        options: Options,
        connections: Connections,
        tls: Option<Tls>,
    ) -> Self {
        let service = opened.handlers();
        Self {
            service: service.map(|service| service.with_options(options)),
            connections,
            tls,
            listening: BTreeMap::new(),
        }
    }

    /// Closes what is no longer wanted and opens what is.
    pub async fn match_up(&mut self, wanted: &[OwnPort]) -> Result<(), Error> {
        let gone = |port: &&OwnPort| !wanted.contains(port);
        let gone: Vec<OwnPort> = self.listening.keys().filter(gone).cloned().collect();
        for port in gone {
            if let Some((stopping, serving)) = self.listening.remove(&port) {
                stopping.cancel();
                let _ = serving.await;
            }
        }
        for port in wanted {
            if self.listening.contains_key(port) {
                continue;
            }
            let Some(service) = self.service.clone() else {
                return Ok(());
            };
            let listener = Listener::tcp(SocketAddr::new(port.host, port.port))?;
            let listener = listener.with_tls(self.tls.clone());
            let address = listener.address();
            tracing::info!(pipeline = %port.pipeline, %address, "listening");
            let stopping = CancellationToken::new();
            let serving = tokio::spawn(listener.serve(
                service.pipeline_router(&port.pipeline),
                self.connections.clone(),
                stopping.clone(),
            ));
            self.listening.insert(port.clone(), (stopping, serving));
        }
        Ok(())
    }

    /// Closes all.
    pub async fn close(&mut self) {
        let _ = self.match_up(&[]).await;
    }
}
