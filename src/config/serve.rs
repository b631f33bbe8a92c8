//! The section `[serve]`: how the service is reached, and by whom.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::Span;
use crate::base::tls::TlsFiles;
use crate::service::{Connections, Rates};

/// Requests a second of one address or token beyond this machine, unless told otherwise.
const RATE_BEYOND: u32 = 1_000;

/// The section `[serve]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServeFile {
    /// Address and port; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Where OpenTelemetry's records are taken over gRPC; nowhere unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp_grpc: Option<SocketAddr>,
    /// Who has to show a token.
    pub auth: Auth,
    /// The form of the service's own log.
    pub log_format: LogFormat,
    /// The certificate, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_cert: Option<PathBuf>,
    /// Its private key, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<PathBuf>,
    /// Roots of the certificates that clients have to show, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_ca: Option<PathBuf>,
    /// Origins of pages that may ask from browsers.
    pub cors: Vec<String>,
    /// Connections at the same time.
    pub connections: usize,
    /// Connections of one address at the same time; more are closed.
    pub connections_per_address: usize,
    /// Networks that may connect; all, if there are none.
    pub allow: Vec<String>,
    /// Networks that may not.
    pub deny: Vec<String>,
    /// Time for the head of a request; a connection without requests is closed after it.
    pub head_timeout: Span,
    /// How long a sender may pause within a body.
    pub body_timeout: Span,
    /// Time that requests under way get to finish once the service is asked to stop.
    pub drain: Span,
    /// Requests a second of all together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<u32>,
    /// Requests a second of one address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_per_address: Option<u32>,
    /// Requests a second of one token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_per_token: Option<u32>,
}

/// Who has to show a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// Who comes from beyond this machine.
    #[default]
    Auto,
    /// Everybody.
    Always,
    /// Nobody.
    Never,
}

/// The form of the service's own log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

impl Default for ServeFile {
    fn default() -> Self {
        let connections = Connections::default();
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7420)),
            otlp_grpc: None,
            auth: Auth::Auto,
            log_format: LogFormat::Text,
            tls_cert: None,
            tls_key: None,
            tls_client_ca: None,
            cors: Vec::new(),
            connections: connections.most,
            connections_per_address: connections.most_of_address,
            allow: Vec::new(),
            deny: Vec::new(),
            head_timeout: Span(connections.head_timeout),
            body_timeout: Span(Duration::from_secs(30)),
            drain: Span(connections.drain),
            rate: None,
            rate_per_address: None,
            rate_per_token: None,
        }
    }
}

impl ServeFile {
    /// What connections may take.
    #[must_use]
    pub fn connections(&self) -> Connections {
        Connections {
            most: self.connections.max(1),
            most_of_address: self.connections_per_address.max(1),
            head_timeout: self.head_timeout.0,
            drain: self.drain.0,
        }
    }

    /// Whether others than this machine reach it.
    #[must_use]
    pub fn reaches_beyond(&self) -> bool {
        let mut addresses = std::iter::once(self.listen).chain(self.otlp_grpc);
        addresses.any(|address| !address.ip().is_loopback())
    }

    /// How often one may ask; 0 is as often as one likes.
    #[must_use]
    pub fn rates(&self, is_beyond: bool) -> Rates {
        let usual = if is_beyond { RATE_BEYOND } else { 0 };
        let rate = |said: Option<u32>| NonZeroU32::new(said.unwrap_or(usual));
        Rates {
            all: NonZeroU32::new(self.rate.unwrap_or(0)),
            address: rate(self.rate_per_address),
            token: rate(self.rate_per_token),
        }
    }

    /// The files of the service's identity.
    ///
    /// # Errors
    /// One is named without the other.
    pub fn tls(&self) -> Result<Option<TlsFiles>, &'static str> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Ok(Some(TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
                client_roots: self.tls_client_ca.clone(),
            })),
            (None, None) if self.tls_client_ca.is_none() => Ok(None),
            _ => Err(
                "TLS needs both a certificate (tls_cert, --tls-cert) and its key (tls_key, --tls-key)",
            ),
        }
    }
}
