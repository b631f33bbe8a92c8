//! Ports that are not HTTP's: who may connect, how many, and TLS.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsStream;
use tokio_util::sync::CancellationToken;

use super::Error;
use super::options::PortOptions;
use crate::base::tls::Tls;
use crate::base::{Networks, Seat, Seats};

/// Time for a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Wait after the system refused a connection (too many open files) before the next is taken.
const REFUSED_WAIT: Duration = Duration::from_millis(200);

/// A port that listens.
#[derive(Debug)]
pub(super) struct Port {
    listener: TcpListener,
    networks: Networks,
    tls: Option<Tls>,
    seats: Seats,
}

/// Somebody who came.
#[derive(Debug)]
pub(super) struct Arrival {
    stream: TcpStream,
    tls: Option<Tls>,
    address: SocketAddr,
    seat: Seat,
}

/// Somebody who connected.
#[derive(Debug)]
pub(super) struct Connection {
    pub stream: Stream,
    pub address: SocketAddr,
    _seat: Seat,
}

/// Bytes both ways, in the clear or not.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Port {
    /// Listens.
    ///
    /// # Errors
    /// The port is taken, or what is said of it is not understood.
    pub async fn listen(options: &PortOptions, seats: Seats) -> Result<Self, Error> {
        let networks = Networks::new(&options.allow, &options.deny).map_err(Error::Said)?;
        let tls = options.tls().map_err(Error::Said)?;
        let tls = tls.map(Tls::load).transpose()?;
        let address = SocketAddr::new(options.host, options.port);
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|source| Error::Listen { address, source })?;
        Ok(Self {
            listener,
            networks,
            tls,
            seats,
        })
    }

    /// Where it is reached.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Waits for somebody who may connect; `None` when told to stop.
    pub async fn accept(&self, stopping: &CancellationToken) -> Option<Arrival> {
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = stopping.cancelled() => return None,
            };
            let (stream, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(REFUSED_WAIT).await;
                    continue;
                }
            };
            if !self.networks.admit(address.ip()) {
                tracing::debug!(%address, "an address that may not connect was refused");
                continue;
            }
            let seat = match self.seats.take(Some(address.ip())) {
                Ok(seat) => seat,
                Err(full) => {
                    tracing::debug!(%address, "refused: {full}");
                    continue;
                }
            };
            return Some(Arrival {
                stream,
                tls: self.tls.clone(),
                address,
                seat,
            });
        }
    }
}

impl Arrival {
    /// Shakes hands, where TLS is spoken; `None` when that comes to nothing.
    pub async fn open(self) -> Option<Connection> {
        let address = self.address;
        let stream = match &self.tls {
            None => Stream::Plain(self.stream),
            Some(tls) => {
                let handshake = tls.acceptor().accept(self.stream);
                match tokio::time::timeout(HANDSHAKE, handshake).await.ok()? {
                    Ok(stream) => Stream::Tls(Box::new(stream.into())),
                    Err(error) => {
                        tracing::debug!(%address, %error, "no TLS");
                        return None;
                    }
                }
            }
        };
        Some(Connection {
            stream,
            address,
            _seat: self.seat,
        })
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
