//! `tailwater tail`, running, and the entries that it prints.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

use super::{PATIENCE, tailwater};

/// A running tail; killed when dropped.
pub struct Tail {
    child: Child,
    lines: Receiver<String>,
}

impl Tail {
    pub fn start(home: &Path, arguments: &[&str]) -> Self {
        Self::of(home, &[&["tail", "--output", "json"], arguments].concat())
    }

    /// Any command that prints entries as they come.
    pub fn of(home: &Path, arguments: &[&str]) -> Self {
        let mut child = tailwater(home)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let out = BufReader::new(child.stdout.take().expect("an output"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// The next entry; none when it does not come.
    pub fn entry(&self) -> Option<Value> {
        let line = self.lines.recv_timeout(PATIENCE).ok()?;
        Some(serde_json::from_str(&line).expect("JSON"))
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
