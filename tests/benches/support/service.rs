//! A service under load, and connections that are as quick as can be: they shall not be what is measured.

#![allow(dead_code, reason = "each bench uses some of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

pub struct Service {
    child: Child,
    pub address: String,
    _data: tempfile::TempDir,
}

impl Service {
    pub fn start() -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let mut child = Command::new(env!("CARGO_BIN_EXE_tailwater"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the service starts");
        let mut line = String::new();
        let out = child.stdout.as_mut().expect("an output");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let address = line.trim().trim_start_matches("listening on http://");
        Self {
            address: address.to_owned(),
            child,
            _data: data,
        }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn connect(&self) -> Connection {
        Connection::to(&self.address)
    }

    /// Resident memory now and at its peak, in MiB.
    pub fn memory(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("a status");
        let of = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name));
            let word = line.and_then(|line| line.split_whitespace().nth(1));
            word.and_then(|word| word.parse::<u64>().ok()).unwrap_or(0) / 1_024
        };
        (of("VmRSS:"), of("VmHWM:"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection that stays, as quick as can be: it shall not be what is measured.
pub struct Connection {
    pub reader: BufReader<TcpStream>,
}

impl Connection {
    pub fn to(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("connected");
        stream.set_nodelay(true).expect("set");
        Self {
            reader: BufReader::with_capacity(1 << 20, stream),
        }
    }

    /// Asks, and reads the answer; its status.
    pub fn ask(&mut self, method: &str, path: &str, body: &[u8]) -> u16 {
        self.ask_as(method, path, "application/json", body)
    }

    /// The same with a body of this type.
    pub fn ask_as(&mut self, method: &str, path: &str, kind: &str, body: &[u8]) -> u16 {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let stream = self.reader.get_mut();
        stream
            .write_all(&[head.as_bytes(), body].concat())
            .expect("sent");
        let (status, length) = self.head();
        std::io::copy(&mut (&mut self.reader).take(length), &mut std::io::sink()).expect("read");
        status
    }

    /// The status of an answer, and the length of its body.
    pub fn head(&mut self) -> (u16, u64) {
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line).expect("a head");
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().expect("a status");
            }
            if let Some(rest) = line.strip_prefix("content-length: ") {
                length = rest.parse().expect("a length");
            }
            if line.is_empty() {
                return (status, length);
            }
        }
    }
}
