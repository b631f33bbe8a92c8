//! Where the service is reached, and how it ends.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;

/// Time that requests under way get to finish once the service is asked to stop.
const DRAIN: Duration = Duration::from_secs(5);
/// Longest path of a Unix socket that every system takes.
const MAX_SOCKET_PATH: usize = 100;

/// A place where the service listens.
#[derive(Debug)]
pub enum Listener {
    /// A TCP port.
    Tcp(TcpListener),
    /// A Unix socket, removed at the end.
    Unix(UnixListener, PathBuf),
}

/// Why the service cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct ListenError {
    address: String,
    source: std::io::Error,
}

impl Listener {
    /// Listens on a TCP address; port 0 takes any free one.
    ///
    /// # Errors
    /// The address is taken or not ours.
    pub async fn tcp(address: SocketAddr) -> Result<Self, ListenError> {
        let listener = TcpListener::bind(address).await;
        listener.map(Self::Tcp).map_err(|source| ListenError {
            address: address.to_string(),
            source,
        })
    }

    /// Listens for local processes of the same user: on a Unix socket in the directory, or on a loopback port where its
    /// path is too long for one. The caller holds the directory's lock, so a socket left there is nobody's.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub async fn local(dir: &Path) -> Result<Self, ListenError> {
        use std::os::unix::fs::PermissionsExt;
        let path = std::path::absolute(dir.join("tailwater.sock"))
            .unwrap_or_else(|_| dir.join("tailwater.sock"));
        if path.as_os_str().len() > MAX_SOCKET_PATH {
            return Self::tcp(SocketAddr::from(([127, 0, 0, 1], 0))).await;
        }
        let error = |source| ListenError {
            address: path.display().to_string(),
            source,
        };
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).map_err(error)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(error)?;
        Ok(Self::Unix(listener, path))
    }

    /// Where it is reached: `http://…` or `unix:…`.
    #[must_use]
    pub fn address(&self) -> String {
        match self {
            Self::Tcp(listener) => listener
                .local_addr()
                .map(|address| format!("http://{address}"))
                .unwrap_or_default(),
            Self::Unix(_, path) => format!("unix:{}", path.display()),
        }
    }

    /// Serves until told to stop; requests under way get five seconds to finish.
    pub async fn serve(self, router: Router, stopping: CancellationToken) {
        let told = stopping.clone();
        let stop = async move { told.cancelled().await };
        let address = self.address();
        let socket = if let Self::Unix(_, path) = &self {
            Some(path.clone())
        } else {
            None
        };
        let serving = async {
            match self {
                Self::Tcp(listener) => {
                    axum::serve(listener, router)
                        .with_graceful_shutdown(stop)
                        .await
                }
                Self::Unix(listener, _) => {
                    axum::serve(listener, router)
                        .with_graceful_shutdown(stop)
                        .await
                }
            }
        };
        let late = async {
            stopping.cancelled().await;
            tokio::time::sleep(DRAIN).await;
        };
        tokio::select! {
            outcome = serving => if let Err(error) = outcome {
                tracing::error!(%address, %error, "serving ended");
            },
            () = late => tracing::warn!(%address, "some requests did not finish in time"),
        }
        if let Some(path) = socket {
            let _ = std::fs::remove_file(path);
        }
    }
}
