//! Pipelines, from files and ports to streams, files and services.

mod config;
mod delivery;
mod files;
mod keys;
mod ports;
mod sinks;
mod sources;
mod streams;

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Service, wait_for};

/// A home with a configuration, a folder of logs, and the service that reads it.
struct Stage {
    home: tempfile::TempDir,
    service: Service,
}

impl Stage {
    /// Starts with this configuration; `LOGS` in it is the folder of logs, `HOME` the home.
    fn new(config: &str) -> Self {
        let home = tempfile::tempdir().expect("a home");
        std::fs::create_dir(home.path().join("logs")).expect("a folder");
        Self::within(home, config)
    }

    fn within(home: tempfile::TempDir, config: &str) -> Self {
        configure(home.path(), config);
        let path = home.path().join("c.toml");
        let path = path.to_str().expect("a path");
        let service = Service::start_with(home.path(), "127.0.0.1:0", &["--config", path]);
        Self { home, service }
    }

    fn logs(&self, name: &str) -> PathBuf {
        self.home.path().join("logs").join(name)
    }

    /// Appends to a log, in one write.
    fn append(&self, name: &str, text: &str) {
        append(&self.logs(name), text.as_bytes());
    }

    fn configure(&self, config: &str) {
        configure(self.home.path(), config);
    }

    fn status(&self, pipeline: &str) -> Value {
        let path = format!("/{pipeline}/status");
        self.service.get(&path).json()["data"].clone()
    }

    /// Waits until a sink of a pipeline took so many entries.
    fn delivered(&self, pipeline: &str, sink: usize, count: u64) {
        wait_for("entries to be delivered", || {
            let status = self.status(pipeline);
            let given = status["sinks"][sink]["given"].as_u64().unwrap_or_default();
            (given >= count).then_some(())
        });
    }

    /// The messages in the embedded log, oldest first.
    fn stored(&self) -> Vec<String> {
        let exported = crate::support::run(
            self.home.path(),
            &[
                "query",
                "",
                "-n",
                "1000000",
                "--output",
                "json",
                "--url",
                &self.service.url,
            ],
        );
        let lines = exported.out.lines();
        let entries = lines.map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        entries
            .map(|entry| entry["msg"].as_str().expect("a message").to_owned())
            .collect()
    }
}

fn configure(home: &Path, config: &str) {
    let logs = home.join("logs");
    let config = config
        .replace("LOGS", logs.to_str().expect("a path"))
        .replace("HOME", home.to_str().expect("a path"));
    // By rename: nobody reads half of it.
    std::fs::write(home.join("c.new"), config).expect("written");
    std::fs::rename(home.join("c.new"), home.join("c.toml")).expect("renamed");
}

fn append(path: &Path, bytes: &[u8]) {
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path);
    file.expect("opened").write_all(bytes).expect("appended");
}

/// `line 0` and so on, a line each.
fn lines(numbers: std::ops::Range<u64>) -> String {
    numbers.map(|number| format!("line {number}\n")).collect()
}

fn numbered(numbers: std::ops::Range<u64>) -> Vec<String> {
    numbers.map(|number| format!("line {number}")).collect()
}

/// A pipeline from the folder of logs to one sink.
fn files_to(sink: &str) -> String {
    format!(
        "[[pipelines]]\nname = \"app\"\n[[pipelines.sources]]\ntype = \"directory\"\npath = \"LOGS\"\npattern = \"*.log\"\n[[pipelines.sinks]]\n{sink}\n"
    )
}
