//! `tailwater serve`, running, and a client for it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};

use serde_json::Value;

use super::{PATIENCE, free_port, tailwater};

/// A running service; killed when dropped.
pub struct Service {
    child: Child,
    out: std::cell::RefCell<BufReader<ChildStdout>>,
    log: PathBuf,
    pub url: String,
    pub data: PathBuf,
    home: PathBuf,
    more: Vec<String>,
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Service {
    /// Starts on any free port with its data below `home`.
    pub fn start(home: &Path) -> Self {
        Self::start_at(home, "127.0.0.1:0")
    }

    /// Starts at an address.
    pub fn start_at(home: &Path, address: &str) -> Self {
        Self::start_with(home, address, &[])
    }

    /// Starts at an address with more arguments.
    pub fn start_with(home: &Path, address: &str, more: &[&str]) -> Self {
        // Any port is one of ours: a restart finds it free.
        let address = match address.strip_suffix(":0") {
            Some(host) => format!("{host}:{}", free_port()),
            None => address.to_owned(),
        };
        let data = home.join("data");
        let log = home.join("service.log");
        let told = std::fs::File::create(&log).expect("a file");
        let mut child = tailwater(home)
            .args(["serve", "--listen", &address, "--data"])
            .arg(&data)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(told)
            .spawn()
            .expect("the service starts");
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("an output"));
        out.read_line(&mut line).expect("a line");
        let url = line
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("not ready: {line:?}"))
            .trim()
            .to_owned();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        Self {
            child,
            out: out.into(),
            log,
            url,
            data,
            home: home.to_owned(),
            more: more.iter().map(|one| (*one).to_owned()).collect(),
            runtime,
            // Nobody looks after connections between two questions: each has its own, that the service has not closed.
            http: reqwest::Client::builder()
                .pool_max_idle_per_host(0)
                .build()
                .expect("a client"),
        }
    }

    /// The next line of its output.
    pub fn line(&self) -> String {
        let mut line = String::new();
        self.out.borrow_mut().read_line(&mut line).expect("a line");
        line
    }

    /// Waits until its own log says something.
    pub fn logged(&self, words: &str) -> String {
        let read = || std::fs::read_to_string(&self.log).unwrap_or_default();
        super::wait_for(words, || Some(read()).filter(|log| log.contains(words)))
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).expect("told");
    }

    pub fn pid(&self) -> rustix::process::Pid {
        let pid = i32::try_from(self.child.id()).expect("a pid");
        rustix::process::Pid::from_raw(pid).expect("a pid")
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send(self.http.get(format!("{}{path}", self.url)))
    }

    pub fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Reply {
        self.send(
            self.http
                .post(format!("{}{path}", self.url))
                .header("content-type", "application/x-ndjson")
                .body(body),
        )
    }

    pub fn post_as(&self, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> Reply {
        self.send(
            self.http
                .post(format!("{}{path}", self.url))
                .header("content-type", kind)
                .body(body),
        )
    }

    /// Any request with headers of its own.
    pub fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Reply {
        let method = method.parse().expect("a method");
        let request = self.http.request(method, format!("{}{path}", self.url));
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        self.send(request.body(body))
    }

    /// The status of an answer whose body may never end.
    pub fn status_of(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &'static str,
    ) -> u16 {
        let method = method.parse().expect("a method");
        let request = self.http.request(method, format!("{}{path}", self.url));
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let answer = self.runtime.block_on(request.body(body).send());
        answer.expect("an answer").status().as_u16()
    }

    /// The headers of an answer whose body may never end.
    pub fn headers_of(&self, path: &str) -> reqwest::header::HeaderMap {
        let asked = self.http.get(format!("{}{path}", self.url)).send();
        let answer = self.runtime.block_on(asked).expect("an answer");
        answer.headers().clone()
    }

    fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        self.runtime.block_on(async {
            let response = request.send().await.expect("an answer");
            let status = response.status().as_u16();
            Reply {
                status,
                headers: response.headers().clone(),
                body: response.text().await.expect("a body"),
            }
        })
    }

    /// Reads from a stream until `enough` says so of what came; gives all of it.
    pub fn stream(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        enough: impl Fn(&str) -> bool,
    ) -> String {
        self.runtime.block_on(async {
            let mut request = self.http.get(format!("{}{path}", self.url));
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let mut response = request.send().await.expect("an answer");
            assert_eq!(response.status().as_u16(), 200);
            let mut text = String::new();
            // Asked first when the answer begins, then at the ends of lines: a piece may end anywhere.
            let is_enough = |text: &str| (text.is_empty() || text.ends_with('\n')) && enough(text);
            let reading = async {
                while !is_enough(&text)
                    && let Some(chunk) = response.chunk().await.expect("a chunk")
                {
                    text.push_str(&String::from_utf8_lossy(&chunk));
                }
            };
            // In all: signs of life come for ever.
            let in_time = tokio::time::timeout(2 * PATIENCE, reading).await;
            assert!(in_time.is_ok(), "waited in vain; what came: {text}");
            text
        })
    }

    /// Kills it as a power cut would, as far as the process goes.
    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// Asks it to stop and waits until it has; its exit status.
    pub fn stop(&mut self) -> std::process::ExitStatus {
        // It may have ended already.
        let _ = rustix::process::kill_process(self.pid(), rustix::process::Signal::TERM);
        self.child.wait().expect("ended")
    }

    /// Starts again at the same address over the same data.
    pub fn restart(&mut self) {
        let address = self.url.trim_start_matches("http://").to_owned();
        let more: Vec<&str> = self.more.iter().map(String::as_str).collect();
        let again = Self::start_with(&self.home, &address, &more);
        *self = again;
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
