//! Where the service is reached: accepting, TLS, HTTP/1 and HTTP/2, and how it ends.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::base::Seats;
use crate::base::tls::Tls;

/// Longest path of a Unix socket that every system takes.
const MAX_SOCKET_PATH: usize = 100;
/// Headers a request may have, and the bytes of all of them.
const MAX_HEADERS: usize = 100;
const MAX_HEADER_BYTES: usize = 64 << 10;
/// Wait after the system refused a connection (too many open files) before the next is taken.
const REFUSED_WAIT: Duration = Duration::from_millis(200);

/// A place where the service listens.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    tls: Option<Tls>,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    /// Removed at the end, with the directory that was made for it.
    Unix(UnixListener, PathBuf, Option<TempDir>),
}

/// What connections may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connections {
    /// Connections at the same time; more wait to be accepted.
    pub most: usize,
    /// Connections of one address at the same time; more are closed.
    pub most_of_address: usize,
    /// Time for a TLS handshake, and for the head of a request; a connection without requests is closed after it.
    pub head_timeout: Duration,
    /// Time that requests under way get to finish once the service is asked to stop.
    pub drain: Duration,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            most: 4_096,
            most_of_address: 4_096,
            head_timeout: Duration::from_secs(30),
            drain: Duration::from_secs(5),
        }
    }
}

/// The other end of a connection; none on a Unix socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub Option<IpAddr>);

/// Connections that wait to be accepted: after a restart all who followed come back at once, and those for whom there is
/// no room are reset. The system may allow less (`net.core.somaxconn`).
const BACKLOG: u32 = 4_096;

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
    pub fn tcp(address: SocketAddr) -> Result<Self, ListenError> {
        let listen = || {
            let socket = match address {
                SocketAddr::V4(_) => TcpSocket::new_v4(),
                SocketAddr::V6(_) => TcpSocket::new_v6(),
            }?;
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            socket.listen(BACKLOG)
        };
        let listener = listen().map_err(|source| ListenError {
            address: address.to_string(),
            source,
        })?;
        Ok(Self {
            socket: Socket::Tcp(listener),
            tls: None,
        })
    }

    /// Listens for local processes of the same user, on a Unix socket: in the directory, or, where its path is too long for
    /// one, in a temporary directory of the user's own. The caller holds the directory's lock, so a socket left there is
    /// nobody's.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn local(dir: &Path) -> Result<Self, ListenError> {
        use std::os::unix::fs::PermissionsExt;
        let mut path = std::path::absolute(dir.join("tailwater.sock"))
            .unwrap_or_else(|_| dir.join("tailwater.sock"));
        let mut short = None;
        if path.as_os_str().len() > MAX_SOCKET_PATH {
            let made = tempfile::Builder::new().prefix("tailwater-").tempdir();
            let made = made.map_err(|source| ListenError {
                address: path.display().to_string(),
                source,
            })?;
            path = made.path().join("tailwater.sock");
            short = Some(made);
        }
        let error = |source| ListenError {
            address: path.display().to_string(),
            source,
        };
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).map_err(error)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(error)?;
        Ok(Self {
            socket: Socket::Unix(listener, path, short),
            tls: None,
        })
    }

    /// The same, speaking TLS.
    #[must_use]
    pub fn with_tls(self, tls: Option<Tls>) -> Self {
        Self { tls, ..self }
    }

    /// Where it is reached: `http://…`, `https://…` or `unix:…`.
    #[must_use]
    pub fn address(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        match &self.socket {
            Socket::Tcp(listener) => listener
                .local_addr()
                .map(|address| format!("{scheme}://{address}"))
                .unwrap_or_default(),
            Socket::Unix(_, path, _) => format!("unix:{}", path.display()),
        }
    }

    /// Serves until told to stop; then requests under way get their time to finish.
    pub async fn serve(
        self,
        router: Router,
        connections: Connections,
        stopping: CancellationToken,
    ) {
        let address = self.address();
        let graceful = GracefulShutdown::new();
        let slots = Arc::new(Semaphore::new(connections.most));
        let seats = Seats::new(usize::MAX, connections.most_of_address);
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(connections.head_timeout)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEADER_BYTES);
        http.http2()
            .timer(TokioTimer::new())
            .max_header_list_size(64 << 10)
            .keep_alive_interval(Some(connections.head_timeout))
            .max_concurrent_streams(256);
        let connection = Connection {
            http,
            router,
            tls: self.tls.clone(),
            timeout: connections.head_timeout,
        };
        loop {
            let accepted = async {
                let slot = Arc::clone(&slots).acquire_owned().await;
                (slot, self.socket.accept().await)
            };
            let (slot, accepted) = tokio::select! {
                accepted = accepted => accepted,
                () = stopping.cancelled() => break,
            };
            match accepted {
                Ok(stream) => {
                    let Ok(seat) = seats.take(stream.address()) else {
                        tracing::debug!("an address has as many connections as it may");
                        continue;
                    };
                    let connection = connection.clone();
                    let watcher = graceful.watcher();
                    tokio::spawn(async move {
                        connection.run(stream, watcher).await;
                        drop((slot, seat));
                    });
                }
                Err(error) => {
                    tracing::warn!(%address, %error, "a connection could not be accepted");
                    tokio::time::sleep(REFUSED_WAIT).await;
                }
            }
        }
        // Nobody is accepted any more, by the system neither.
        let path = match self.socket {
            Socket::Unix(listener, path, dir) => {
                drop(listener);
                Some((path, dir))
            }
            Socket::Tcp(listener) => {
                drop(listener);
                None
            }
        };
        let drained = tokio::time::timeout(connections.drain, graceful.shutdown()).await;
        if drained.is_err() {
            tracing::warn!(%address, "some requests did not finish in time");
        }
        if let Some((path, _dir)) = path {
            let _ = std::fs::remove_file(path);
        }
    }
}

enum Stream {
    Tcp(TcpStream, IpAddr),
    Unix(UnixStream),
}

impl Stream {
    fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(_, address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

impl Socket {
    async fn accept(&self) -> std::io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // Live entries are small and shall leave at once.
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream, peer.ip()))
            }
            Self::Unix(listener, ..) => Ok(Stream::Unix(listener.accept().await?.0)),
        }
    }
}

#[derive(Clone)]
struct Connection {
    http: auto::Builder<TokioExecutor>,
    router: Router,
    tls: Option<Tls>,
    timeout: Duration,
}

impl Connection {
    async fn run(self, stream: Stream, watcher: Watcher) {
        match stream {
            Stream::Unix(stream) => self.speak(stream, Peer(None), watcher).await,
            Stream::Tcp(stream, address) => {
                let Some(tls) = &self.tls else {
                    return self.speak(stream, Peer(Some(address)), watcher).await;
                };
                match tokio::time::timeout(self.timeout, tls.acceptor().accept(stream)).await {
                    Ok(Ok(stream)) => self.speak(stream, Peer(Some(address)), watcher).await,
                    Ok(Err(error)) => tracing::debug!(%address, %error, "no TLS handshake"),
                    Err(_) => tracing::debug!(%address, "the TLS handshake took too long"),
                }
            }
        }
    }

    async fn speak(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: Peer,
        watcher: Watcher,
    ) {
        let (router, has_asked) = (self.router, Arc::new(AtomicBool::new(false)));
        let asked = Arc::clone(&has_asked);
        let answer = service_fn(move |request: Request<Incoming>| {
            asked.store(true, Ordering::Relaxed);
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            let answering = router.clone().oneshot(request);
            async move { answering.await.map_err(|never: Infallible| never) }
        });
        let serving = self
            .http
            .serve_connection(TokioIo::new(stream), answer)
            .into_owned();
        let serving = watcher.watch(serving);
        tokio::pin!(serving);
        // Finding out the version of HTTP has no time limit of its own: who sends nothing would stay for ever.
        let served = match tokio::time::timeout(self.timeout, &mut serving).await {
            Ok(served) => served,
            Err(_) if has_asked.load(Ordering::Relaxed) => serving.await,
            Err(_) => return tracing::debug!("a connection asked for nothing"),
        };
        if let Err(error) = served {
            tracing::debug!(%error, "a connection broke");
        }
    }
}
