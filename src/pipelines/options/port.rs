//! A port that is not HTTP's.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::base::tls::TlsFiles;

/// Where ports listen unless told otherwise: for this machine only.
pub(super) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Who may connect to a port that is not HTTP's, and how many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PortOptions {
    /// The address it listens on.
    pub host: IpAddr,
    /// The port; 0 takes any free one.
    pub port: u16,
    /// Speak TLS with this certificate, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_cert: Option<PathBuf>,
    /// Its private key, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<PathBuf>,
    /// Roots of the certificates that clients have to show, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_ca: Option<PathBuf>,
    /// Networks that may connect; all, if there are none.
    pub allow: Vec<String>,
    /// Networks that may not.
    pub deny: Vec<String>,
    /// Connections at the same time.
    pub connections: usize,
    /// Connections of one address at the same time.
    pub connections_per_address: usize,
}

impl Default for PortOptions {
    fn default() -> Self {
        Self {
            host: LOOPBACK,
            port: 0,
            tls_cert: None,
            tls_key: None,
            tls_client_ca: None,
            allow: Vec::new(),
            deny: Vec::new(),
            connections: 1_024,
            connections_per_address: 128,
        }
    }
}

impl PortOptions {
    /// The files of the listener's identity.
    ///
    /// # Errors
    /// One is named without the other.
    pub fn tls(&self) -> Result<Option<TlsFiles>, String> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Ok(Some(TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
                client_roots: self.tls_client_ca.clone(),
            })),
            (None, None) if self.tls_client_ca.is_none() => Ok(None),
            _ => Err("TLS needs both `tls_cert` and `tls_key`".to_owned()),
        }
    }
}
