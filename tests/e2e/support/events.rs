//! A client of server-sent events, by the letter of the standard; every event that it dispatches.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, channel};

use super::PATIENCE;

/// An event as a conforming client dispatches it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    pub name: String,
    pub id: String,
    pub data: String,
}

/// A connection that reads as fast as it can, or not at all.
pub struct Events {
    arrived: Receiver<Event>,
    stream: TcpStream,
    pub status: u16,
    pub head: String,
}

impl Events {
    /// Asks for a stream.
    pub fn follow(url: &str, path: &str, headers: &[(&str, &str)]) -> Self {
        let (stream, status, head, reader) = ask(url, path, headers);
        let (sender, arrived) = channel();
        std::thread::spawn(move || {
            let (mut event, mut has_data) = (Event::default(), false);
            for line in reader.lines().map_while(Result::ok) {
                let (field, value) = line.split_once(':').unwrap_or((&line, ""));
                let value = value.strip_prefix(' ').unwrap_or(value);
                match field {
                    _ if line.is_empty() => {
                        if has_data && sender.send(event.clone()).is_err() {
                            return;
                        }
                        // The last id stays; what is dispatched next says another, or none.
                        event = Event {
                            id: event.id,
                            ..Event::default()
                        };
                        has_data = false;
                    }
                    "event" => value.clone_into(&mut event.name),
                    "id" => value.clone_into(&mut event.id),
                    "data" => {
                        if has_data {
                            event.data.push('\n');
                        }
                        event.data.push_str(value);
                        has_data = true;
                    }
                    _ => {}
                }
            }
        });
        Self {
            arrived,
            stream,
            status,
            head,
        }
    }

    /// The next event, comments left out.
    pub fn next(&self) -> Event {
        self.arrived.recv_timeout(PATIENCE).expect("an event")
    }

    /// The next event that is an entry.
    pub fn entry(&self) -> Event {
        loop {
            let event = self.next();
            if event.name.is_empty() {
                return event;
            }
        }
    }

    /// The messages of so many entries.
    pub fn texts(&self, count: usize) -> Vec<String> {
        (0..count).map(|_| text(&self.entry())).collect()
    }

    /// All events until the connection ends.
    pub fn rest(&self) -> Vec<Event> {
        let mut rest = Vec::new();
        while let Ok(event) = self.arrived.recv_timeout(PATIENCE) {
            rest.push(event);
        }
        rest
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}

/// What an entry says.
pub fn text(event: &Event) -> String {
    let entry: serde_json::Value = serde_json::from_str(&event.data).expect("JSON");
    entry["msg"].as_str().expect("a message").to_owned()
}

type Asked = (TcpStream, u16, String, BufReader<Box<dyn Read + Send>>);

/// Asks with HTTP/1.0, whose bodies are not cut into chunks: what is read is what was sent.
fn ask(url: &str, path: &str, headers: &[(&str, &str)]) -> Asked {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("connected");
    let mut request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let read: Box<dyn Read + Send> = Box::new(stream.try_clone().expect("a copy"));
    let mut reader = BufReader::with_capacity(1 << 20, read);
    let mut head = String::new();
    loop {
        let before = head.len();
        reader.read_line(&mut head).expect("a head");
        if head[before..].trim().is_empty() {
            break;
        }
    }
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    (stream, status.expect("a status"), head, reader)
}

/// A connection that asks for a stream and reads nothing of it.
pub fn stalled(url: &str, path: &str) -> (TcpStream, BufReader<Box<dyn Read + Send>>) {
    let (stream, _, _, reader) = ask(url, path, &[]);
    (stream, reader)
}
