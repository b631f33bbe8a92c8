//! A web server that does nothing but list one folder and give ranges of its files.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A running server; ends when dropped.
pub struct Web {
    pub url: String,
    address: SocketAddr,
    ended: Arc<AtomicBool>,
}

impl Web {
    /// Serves a folder; without `ranges` it gives whole files only, as the simplest servers do.
    pub fn start(folder: &Path, ranges: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let ended = Arc::new(AtomicBool::new(false));
        let (folder, over) = (folder.to_owned(), Arc::clone(&ended));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let folder = folder.clone();
                std::thread::spawn(move || answer(&client, &folder, ranges));
            }
        });
        Self {
            url: format!("http://{address}/logs/"),
            address,
            ended,
        }
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
    }
}

fn answer(client: &TcpStream, folder: &Path, ranges: bool) {
    let mut lines = BufReader::new(client).lines();
    let mut head = Vec::new();
    while let Some(Ok(line)) = lines.next() {
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let first = head.first().cloned().unwrap_or_default();
    let mut words = first.split(' ');
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let name = path.trim_start_matches("/logs/");
    let (mut status, mut more) = ("200 OK", String::new());
    let body = if name.is_empty() {
        listing(folder)
    } else {
        let mut body = std::fs::read(PathBuf::from(folder).join(name)).unwrap_or_default();
        let asked = head
            .iter()
            .find_map(|line| line.strip_prefix("range: bytes="));
        if let Some((from, to)) = asked.and_then(|range| range.split_once('-'))
            && ranges
        {
            let from: usize = from.parse().expect("a number");
            let to: usize = to.parse::<usize>().expect("a number").min(body.len() - 1);
            status = "206 Partial Content";
            more = format!("content-range: bytes {from}-{to}/{}\r\n", body.len());
            body = body[from..=to].to_vec();
        }
        body
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\n{more}content-length: {length}\r\nconnection: close\r\n\r\n");
    let mut client = client;
    let _ = client.write_all(head.as_bytes());
    if method != "HEAD" {
        let _ = client.write_all(&body);
    }
}

fn listing(folder: &Path) -> Vec<u8> {
    let names = std::fs::read_dir(folder).expect("listed").flatten();
    let names = names.map(|item| item.file_name().to_string_lossy().into_owned());
    let links = names.map(|name| format!("<a href=\"{name}\">{name}</a>\n"));
    links.collect::<String>().into_bytes()
}
