//! Lines to a port elsewhere.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::{Failure, Outcome};
use crate::base::tls;
use crate::pipelines::Error;
use crate::pipelines::format::Format;
use crate::pipelines::options::TcpClientOptions;
use crate::pipelines::port::Stream;
use crate::pipelines::record::Record;

/// Sends lines; connects when it has some, and again when the connection is lost.
#[derive(Debug)]
pub(in crate::pipelines) struct TcpClientSink {
    format: Format,
    options: TcpClientOptions,
    stream: Option<Stream>,
    tls: Option<Tls>,
}

struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tls").field(&self.name).finish()
    }
}

impl TcpClientSink {
    /// Connects later.
    ///
    /// # Errors
    /// The address is none, or the roots cannot be read.
    pub fn new(format: Format, options: TcpClientOptions) -> Result<Self, Error> {
        let address = &options.address;
        let said = || Error::Said(format!("expected an address host:port, found {address:?}"));
        let (host, port) = address.rsplit_once(':').ok_or_else(said)?;
        port.parse::<u16>().map_err(|_| said())?;
        let tls = if options.tls {
            let host = host.trim_matches(['[', ']']).to_owned();
            let name = ServerName::try_from(host).map_err(|_| said())?;
            Some(Tls {
                connector: tls::connector(options.tls_ca.as_deref())?,
                name,
            })
        } else {
            None
        };
        Ok(Self {
            format,
            options,
            stream: None,
            tls,
        })
    }

    /// The first and the longest wait before connecting again.
    pub fn patience(&self) -> (Duration, Duration) {
        let options = &self.options;
        (options.reconnect_delay.0, options.max_reconnect_delay.0)
    }

    pub async fn deliver(&mut self, records: &[Record]) -> Outcome {
        let mut text = Vec::with_capacity(records.len() * 128);
        for record in records {
            self.format.write_line(record, &mut text);
        }
        match self.send(&text).await {
            Ok(()) => Outcome::all(records.len(), text.len()),
            Err(reason) => {
                self.stream = None;
                let address = &self.options.address;
                Outcome::nothing(Failure::passing(format!("{address}: {reason}")))
            }
        }
    }

    async fn send(&mut self, text: &[u8]) -> Result<(), String> {
        // A peer that has gone is noticed before something is written into the void.
        if let Some(stream) = &mut self.stream
            && is_gone(stream)
        {
            self.stream = None;
        }
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(connect(&self.options, self.tls.as_ref()).await?),
        };
        let writing = async {
            stream.write_all(text).await?;
            stream.flush().await
        };
        match tokio::time::timeout(self.options.write_timeout.0, writing).await {
            Ok(written) => written.map_err(|error| error.to_string()),
            Err(_) => Err("it takes nothing".to_owned()),
        }
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        if let Some(stream) = &mut self.stream {
            let _ = tokio::time::timeout(Duration::from_secs(1), stream.shutdown()).await;
        }
    }
}

fn is_gone(stream: &mut Stream) -> bool {
    use futures_util::FutureExt;
    let mut said = [0; 256];
    loop {
        match stream.read(&mut said).now_or_never() {
            None => return false,
            Some(Ok(0) | Err(_)) => return true,
            // What it says is passed over.
            Some(Ok(_)) => {}
        }
    }
}

async fn connect(options: &TcpClientOptions, tls: Option<&Tls>) -> Result<Stream, String> {
    let connecting = async {
        let stream = TcpStream::connect(&options.address).await?;
        stream.set_nodelay(true)?;
        Ok::<Stream, std::io::Error>(match tls {
            None => Stream::Plain(stream),
            Some(tls) => {
                let stream = tls.connector.connect(tls.name.clone(), stream).await?;
                Stream::Tls(Box::new(stream.into()))
            }
        })
    };
    match tokio::time::timeout(options.dial_timeout.0, connecting).await {
        Ok(connected) => connected.map_err(|error| format!("cannot connect: {error}")),
        Err(_) => Err("cannot connect: nobody answers".to_owned()),
    }
}
