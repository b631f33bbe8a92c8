//! A service that takes what is posted, or refuses it, and remembers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use flate2::read::GzDecoder;
use serde_json::Value;

use super::wait_for;

/// What was posted: path, headers, and the body, decompressed.
#[derive(Clone, Debug)]
pub struct Posted {
    pub path: String,
    pub head: String,
    pub body: String,
}

/// The service, on any free port.
pub struct Taker {
    address: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    refuses: AtomicBool,
    posted: Mutex<Vec<Posted>>,
}

impl Taker {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let address = listener.local_addr().expect("an address").to_string();
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&own);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether posts are answered with 503, and nothing of them is taken.
    pub fn refuse(&self, refuses: bool) {
        self.shared.refuses.store(refuses, Ordering::SeqCst);
    }

    /// Waits until nothing of who is gone by now is under way.
    pub fn is_left(&self) {
        // Connections are accepted in their order: when ours has ended, those of before are being served, or were.
        let mut own = TcpStream::connect(&self.address).expect("connected");
        own.shutdown(Shutdown::Write).expect("ended");
        own.read_to_end(&mut Vec::new()).expect("an end");
        // Besides us and who accepts, whoever is served holds it.
        wait_for("the last to be served", || {
            (Arc::strong_count(&self.shared) == 2).then_some(())
        });
    }

    /// Everything that was taken.
    pub fn posted(&self) -> Vec<Posted> {
        self.shared.posted.lock().expect("unpoisoned").clone()
    }

    /// The messages of the objects that were taken, once there are so many.
    pub fn texts(&self, count: usize) -> Vec<String> {
        wait_for("posts", || {
            let posted = self.posted();
            let lines = posted.iter().flat_map(|one| one.body.lines());
            let texts: Vec<String> = lines
                .filter_map(|line| serde_json::from_str::<Value>(line).ok())
                .filter_map(|entry| Some(entry["msg"].as_str()?.to_owned()))
                .collect();
            (texts.len() >= count).then_some(texts)
        })
    }
}

fn serve(stream: TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream.try_clone().expect("a copy"));
    let mut stream = stream;
    loop {
        let mut head = String::new();
        loop {
            let before = head.len();
            match reader.read_line(&mut head) {
                Ok(0) | Err(_) => return,
                Ok(_) if head[before..].trim().is_empty() => break,
                Ok(_) => {}
            }
        }
        let header = |name: &str| {
            let lines = head.lines();
            let found = lines.filter_map(|line| line.split_once(':'));
            let mut found = found.filter(|(own, _)| own.eq_ignore_ascii_case(name));
            found.next().map(|(_, value)| value.trim().to_owned())
        };
        let length = header("content-length").and_then(|length| length.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let body = match header("content-encoding").as_deref() {
            Some("gzip") => {
                let mut text = String::new();
                let read = GzDecoder::new(body.as_slice()).read_to_string(&mut text);
                read.expect("gzip");
                text
            }
            _ => String::from_utf8(body).expect("text"),
        };
        let refuses = shared.refuses.load(Ordering::SeqCst);
        let answer = if refuses {
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
        } else {
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let posted = Posted { path, head, body };
            shared.posted.lock().expect("unpoisoned").push(posted);
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
        };
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
