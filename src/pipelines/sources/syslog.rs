//! Syslog over UDP and TCP.
//!
//! Over TCP a message ends with a newline, or its length stands before it. Source: RFC 6587.

use std::io;
use std::net::SocketAddr;

use memchr::memchr;
use tokio::io::AsyncReadExt;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use super::outlet::Outlet;
use crate::base::{Networks, Seats, Time};
use crate::entry::decode::{Decoder, Defaults};
use crate::pipelines::Error;
use crate::pipelines::options::{SyslogOptions, Transport};
use crate::pipelines::port::{Connection, Port};
use crate::pipelines::record::Record;

/// The longest message that is taken whole; more of it is a message of its own.
const MAX_MESSAGE: usize = 1 << 20;
/// Datagrams taken together, if they are there.
const BATCH: usize = 1_024;
/// The largest datagram there can be.
const MAX_DATAGRAM: usize = 65_536;

/// Ports that take syslog.
#[derive(Debug)]
pub(in crate::pipelines) struct SyslogSource {
    datagrams: Option<(UdpSocket, Networks)>,
    port: Option<Port>,
}

impl SyslogSource {
    pub async fn listen(options: &SyslogOptions, outlet: &Outlet) -> Result<Self, Error> {
        let (listen, transport) = (&options.listen, options.syslog.transport);
        let mut listen = listen.clone();
        let mut datagrams = None;
        if transport != Transport::Tcp {
            let networks = Networks::new(&listen.allow, &listen.deny).map_err(Error::Said)?;
            let address = SocketAddr::new(listen.host, listen.port);
            let failed = |source| Error::Listen { address, source };
            let socket = UdpSocket::bind(address).await.map_err(failed)?;
            // Port 0 is the same for both.
            listen.port = socket.local_addr().map_err(failed)?.port();
            datagrams = Some((socket, networks));
        }
        let port = match transport {
            Transport::Udp => None,
            Transport::Tcp | Transport::Both => {
                let most = (listen.connections, listen.connections_per_address);
                let seats = Seats::new(most.0, most.1);
                outlet.figures.seats(&seats);
                let port = Port::listen(&listen, seats).await?;
                listen.port = port.address().map_or(listen.port, |address| address.port());
                Some(port)
            }
        };
        tracing::info!(source = %outlet.id, host = %listen.host, port = listen.port, "taking syslog");
        Ok(Self { datagrams, port })
    }

    pub async fn run(self, outlet: Outlet) {
        let datagrams = async {
            match &self.datagrams {
                Some((socket, networks)) => receive(socket, networks, &outlet).await,
                None => outlet.stopping.cancelled().await,
            }
        };
        let connections = async {
            let mut serving = JoinSet::new();
            let Some(port) = &self.port else { return };
            while let Some(arrival) = port.accept(&outlet.stopping).await {
                let outlet = outlet.clone();
                serving.spawn(async move {
                    if let Some(connection) = arrival.open().await {
                        read(connection, outlet).await;
                    }
                });
                while serving.try_join_next().is_some() {}
            }
            serving.join_all().await;
        };
        tokio::join!(datagrams, connections);
    }
}

async fn receive(socket: &UdpSocket, networks: &Networks, outlet: &Outlet) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        let ready = tokio::select! {
            ready = socket.readable() => ready,
            () = outlet.stopping.cancelled() => return,
        };
        if let Err(error) = ready {
            outlet.trouble("datagrams cannot be received", &error);
            return;
        }
        let mut records = Vec::new();
        while records.len() < BATCH {
            match socket.try_recv_from(&mut buffer) {
                Ok((length, from)) => {
                    if networks.admit(from.ip()) {
                        outlet.figures.moved(length);
                        message(&buffer[..length], from, outlet, &mut records);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    outlet.trouble("datagrams cannot be received", &error);
                    break;
                }
            }
        }
        if !records.is_empty() {
            outlet.give(records, Vec::new()).await;
        }
    }
}

async fn read(mut connection: Connection, outlet: Outlet) {
    let (mut waiting, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
    loop {
        let count = tokio::select! {
            read = connection.stream.read(&mut buffer) => read.unwrap_or(0),
            () = outlet.stopping.cancelled() => 0,
        };
        outlet.figures.moved(count);
        waiting.extend_from_slice(&buffer[..count]);
        let mut records = Vec::new();
        let taken = messages(&waiting, count == 0, |one| {
            message(one, connection.address, &outlet, &mut records);
        });
        waiting.drain(..taken);
        if !records.is_empty() {
            outlet.give(records, Vec::new()).await;
        }
        if count == 0 {
            return;
        }
    }
}

/// The whole messages at the beginning of what came; how many bytes they take.
fn messages(bytes: &[u8], is_all: bool, mut take: impl FnMut(&[u8])) -> usize {
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if let Some((from, length)) = counted(rest) {
            match rest.get(from..from + length) {
                Some(message) => {
                    take(message);
                    at += from + length;
                    continue;
                }
                None if !is_all => break,
                None => {}
            }
        }
        let end = match memchr(b'\n', &rest[..rest.len().min(MAX_MESSAGE)]) {
            Some(end) => end,
            None if rest.len() >= MAX_MESSAGE => MAX_MESSAGE,
            None if is_all => rest.len(),
            None => break,
        };
        take(&rest[..end]);
        at += (end + 1).min(rest.len());
    }
    at
}

/// `<length> <message>`: where the message begins, and how long it is.
fn counted(bytes: &[u8]) -> Option<(usize, usize)> {
    let digits = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if !(1..=7).contains(&digits) || bytes.first() == Some(&b'0') {
        return None;
    }
    if bytes.get(digits..digits + 2)? != b" <" {
        return None;
    }
    let length: usize = std::str::from_utf8(&bytes[..digits]).ok()?.parse().ok()?;
    (length <= MAX_MESSAGE).then_some((digits + 1, length))
}

fn message(bytes: &[u8], from: SocketAddr, outlet: &Outlet, into: &mut Vec<Record>) {
    let bytes = bytes.trim_ascii_end();
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    if bytes.is_empty() {
        return;
    }
    let defaults = Defaults {
        arrival: Time::now(),
        ..outlet.defaults(from.ip().to_canonical().to_string())
    };
    let decoder = match outlet.form.decoder {
        Decoder::Auto => Decoder::Syslog,
        told => told,
    };
    let (entry, _) = decoder.line(bytes, &defaults);
    into.push(outlet.record(entry, &crate::entry::bytes::decode(bytes)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, is_all: bool) -> (Vec<String>, usize) {
        let mut found = Vec::new();
        let taken = messages(text.as_bytes(), is_all, |one| {
            found.push(String::from_utf8_lossy(one).into_owned());
        });
        (found, taken)
    }

    #[test]
    fn messages_end_with_a_newline_or_have_their_length_before_them() {
        let cases: [(&str, bool, &[&str], usize); 7] = [
            ("<1>a\n<2>b\n<3>", false, &["<1>a", "<2>b"], 10),
            ("<1>a\n<3>c", true, &["<1>a", "<3>c"], 9),
            ("5 <1>ab6 <1>abc", false, &["<1>ab", "<1>abc"], 15),
            ("6 <1>a\nb<1>c\n", false, &["<1>a\nb"], 8),
            ("6 <1>ab", false, &[], 0),
            ("6 <1>ab", true, &["6 <1>ab"], 7),
            ("200 words\n", false, &["200 words"], 10),
        ];
        for (text, is_all, expected, taken) in cases {
            let (found, used) = split(text, is_all);
            let expected: Vec<String> = expected.iter().map(|one| (*one).to_owned()).collect();
            if text.starts_with("6 <1>a\n") {
                assert_eq!((&found[0], used), (&expected[0], 13), "{text:?}");
            } else {
                assert_eq!((found, used), (expected, taken), "{text:?}");
            }
        }
        let long = "x".repeat(MAX_MESSAGE + 5);
        assert_eq!(split(&long, true).0.len(), 2);
    }
}
