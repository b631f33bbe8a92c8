//! Live streams and blobs, as clients of every kind use them.

mod blobs;
mod commands;
mod explorer;
mod harness;
mod shared;
mod streams;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::{Events, Service};

/// A service of its own.
struct Stage {
    service: Service,
    home: TempDir,
}

impl Stage {
    fn new() -> Self {
        Self::with("")
    }

    /// A service with a configuration.
    fn with(config: &str) -> Self {
        let home = tempfile::tempdir().expect("a home");
        let path = home.path().join("c.toml");
        std::fs::write(&path, config).expect("written");
        let path = path.to_str().expect("a path");
        let service = Service::start_with(home.path(), "127.0.0.1:0", &["--config", path]);
        Self { service, home }
    }

    fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let json = [("content-type", "application/json")];
        let reply = self.service.ask(method, path, &json, body.to_owned());
        (reply.status, reply.body)
    }

    fn follow(&self, path: &str) -> Events {
        Events::follow(&self.service.url, path, &[])
    }

    /// Asks and expects this status.
    fn expect(&self, status: u16, method: &str, path: &str, body: &str) -> String {
        let (found, body) = self.ask(method, path, body);
        assert_eq!(found, status, "{method} {path}: {body}");
        body
    }
}

/// Lines as a producer sends them, each with its number.
fn lines(numbers: std::ops::RangeInclusive<u64>) -> String {
    let lines: Vec<String> = numbers
        .map(|number| format!("{{\"pos\":{number},\"out\":\"line {number}\\n\",\"time\":1}}"))
        .collect();
    format!("[{}]", lines.join(","))
}

/// The numbers that the ids of events say, each line saying the same; and what ended them.
fn numbers(events: &Events) -> (Vec<u64>, String) {
    let mut numbers = Vec::new();
    loop {
        let event = events.next();
        match event.name.as_str() {
            "" => {
                let number = event.id.parse().expect("a number");
                assert!(
                    event
                        .data
                        .contains(&format!("\"out\":\"line {number}\\n\"")),
                    "{event:?}"
                );
                numbers.push(number);
            }
            "end" => return (numbers, event.data),
            other => panic!("{other}: {event:?}"),
        }
    }
}

fn files_below(dir: &Path) -> usize {
    std::fs::read_dir(dir).map_or(0, Iterator::count)
}
