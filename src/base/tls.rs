//! Certificates of whatever listens: read from PEM files, and read again when told; and the roots that callers trust.

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// The files of the service's identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and what is between it and its root, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// Roots of the clients' certificates, PEM. Clients without one are refused then.
    pub client_roots: Option<PathBuf>,
}

/// TLS 1.2 and 1.3 with certificates that can be replaced while serving. Clones share them.
#[derive(Clone, Debug)]
pub struct Tls {
    files: TlsFiles,
    config: Arc<RwLock<Arc<ServerConfig>>>,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file is missing or no PEM.
    #[error("cannot read {what} from {path}: {reason}")]
    Pem {
        /// What was looked for.
        what: &'static str,
        /// In which file.
        path: PathBuf,
        /// Why it was not found.
        reason: String,
    },
    /// The files do not fit together, or use what is not understood.
    #[error("cannot use the certificate {path}: {reason}")]
    Unusable {
        /// The certificate.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// They are missing or do not fit together.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let config = Arc::new(RwLock::new(Arc::new(config(&files)?)));
        Ok(Self { files, config })
    }

    /// Reads the files again, for connections to come.
    ///
    /// # Errors
    /// As [`Tls::load`]; the certificates in use stay.
    pub fn reload(&self) -> Result<(), TlsError> {
        let fresh = Arc::new(config(&self.files)?);
        if let Ok(mut config) = self.config.write() {
            *config = fresh;
        }
        Ok(())
    }

    /// What takes connections.
    #[must_use]
    pub fn acceptor(&self) -> TlsAcceptor {
        let config = self.config.read();
        let config = config.unwrap_or_else(std::sync::PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&config))
    }
}

fn config(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let unusable = |error: &dyn std::fmt::Display| TlsError::Unusable {
        path: files.certificate.clone(),
        reason: error.to_string(),
    };
    let chain = certificates("a certificate", &files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(pem("a private key", &files.key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?;
    let builder = match &files.client_roots {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for root in certificates("a root certificate", path)? {
                roots.add(root).map_err(|error| TlsError::Unusable {
                    path: path.clone(),
                    reason: error.to_string(),
                })?;
            }
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| unusable(&error))?)
        }
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| unusable(&error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// What makes connections to those whom the roots of a PEM file vouch for; without a file, those of the web.
///
/// # Errors
/// The file is missing or holds no certificate.
pub fn connector(roots: Option<&Path>) -> Result<TlsConnector, TlsError> {
    let mut store = RootCertStore::empty();
    match roots {
        None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            for root in certificates("a root certificate", path)? {
                store.add(root).map_err(|error| TlsError::Unusable {
                    path: path.to_owned(),
                    reason: error.to_string(),
                })?;
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Unusable {
            path: roots.unwrap_or(Path::new("")).to_owned(),
            reason: error.to_string(),
        })?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .map_err(pem(what, path))?
        .collect();
    let found = found.map_err(pem(what, path))?;
    if found.is_empty() {
        return Err(pem(what, path)("the file holds none"));
    }
    Ok(found)
}

fn pem<E: std::fmt::Display>(what: &'static str, path: &Path) -> impl Fn(E) -> TlsError {
    move |error| TlsError::Pem {
        what,
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
