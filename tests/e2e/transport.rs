//! What stands between a stranger's bytes and the routes: TLS, limits, timeouts, origins, draining.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::support::{PATIENCE, Proxy, Service, Tail, run, wait_for};

/// An authority that vouches for certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a root"))
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a host and its key, PEM.
    pub fn issue(&self, host: &str) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![host.to_owned()]).expect("parameters");
        let certificate = params.signed_by(&key, &self.0).expect("signed");
        (certificate.pem(), key.serialize_pem())
    }
}

pub fn write(dir: &Path, name: &str, text: &str) -> String {
    let path: PathBuf = dir.join(name);
    std::fs::write(&path, text).expect("written");
    path.to_str().expect("a path").to_owned()
}

fn client(roots: &[&Authority], identity: Option<(String, String)>) -> reqwest::Client {
    let mut builder = reqwest::Client::builder().tls_built_in_root_certs(false);
    for root in roots {
        let root = reqwest::Certificate::from_pem(root.pem().as_bytes());
        builder = builder.add_root_certificate(root.expect("a certificate"));
    }
    if let Some((certificate, key)) = identity {
        let identity = reqwest::Identity::from_pem(format!("{certificate}{key}").as_bytes());
        builder = builder.identity(identity.expect("an identity"));
    }
    builder.build().expect("a client")
}

fn health(client: &reqwest::Client, url: &str) -> Result<u16, reqwest::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let asked = client.get(format!("{url}/healthz")).send();
    runtime
        .block_on(asked)
        .map(|answer| answer.status().as_u16())
}

#[test]
fn tls_is_spoken_and_certificates_are_replaced() {
    let home = tempfile::tempdir().expect("a home");
    let (first, second) = (Authority::new(), Authority::new());
    let (certificate, key) = first.issue("localhost");
    let cert_file = write(home.path(), "cert.pem", &certificate);
    let key_file = write(home.path(), "key.pem", &key);
    let flags = [
        "--tls-cert",
        cert_file.as_str(),
        "--tls-key",
        key_file.as_str(),
    ];
    let service = Service::start_with(home.path(), "127.0.0.1:0", &flags);
    let port = service.url.rsplit(':').next().expect("a port");
    let url = format!("https://localhost:{port}");
    assert!(service.url.starts_with("https://"), "{}", service.url);
    assert_eq!(
        health(&client(&[&first], None), &url).expect("an answer"),
        200
    );
    assert!(
        health(&client(&[&second], None), &url).is_err(),
        "unknown authority"
    );
    let plain = health(&reqwest::Client::new(), &url.replace("https", "http"));
    assert!(plain.is_err(), "no HTTP where TLS is spoken");

    let (certificate, key) = second.issue("localhost");
    write(home.path(), "cert.pem", &certificate);
    write(home.path(), "key.pem", &key);
    service.signal(rustix::process::Signal::HUP);
    wait_for("the other certificate", || {
        health(&client(&[&second], None), &url).ok()
    });
    // A mistake leaves the certificate in use.
    write(home.path(), "cert.pem", "nonsense");
    service.signal(rustix::process::Signal::HUP);
    service.logged("the certificates in use stay");
    assert_eq!(
        health(&client(&[&second], None), &url).expect("an answer"),
        200
    );
}

#[test]
fn clients_show_certificates_where_they_must() {
    let home = tempfile::tempdir().expect("a home");
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (certificate, key) = authority.issue("localhost");
    let cert_file = write(home.path(), "cert.pem", &certificate);
    let key_file = write(home.path(), "key.pem", &key);
    let roots = write(home.path(), "roots.pem", &authority.pem());
    let flags = [
        "--tls-cert",
        &cert_file,
        "--tls-key",
        &key_file,
        "--tls-client-ca",
        &roots,
    ];
    let service = Service::start_with(home.path(), "127.0.0.1:0", &flags);
    let port = service.url.rsplit(':').next().expect("a port");
    let url = format!("https://localhost:{port}");
    let known = client(&[&authority], Some(authority.issue("shipper")));
    assert_eq!(health(&known, &url).expect("an answer"), 200);
    assert!(health(&client(&[&authority], None), &url).is_err());
    let unknown = client(&[&authority], Some(stranger.issue("shipper")));
    assert!(health(&unknown, &url).is_err());
}

#[test]
fn certificates_that_do_not_fit_are_told() {
    let home = tempfile::tempdir().expect("a home");
    let data = home.path().join("data");
    let data = data.to_str().expect("a path");
    let authority = Authority::new();
    let (certificate, _) = authority.issue("localhost");
    let (_, other_key) = authority.issue("localhost");
    let cert_file = write(home.path(), "cert.pem", &certificate);
    let key_file = write(home.path(), "key.pem", &other_key);
    let empty = write(home.path(), "empty.pem", "");
    for (flags, part) in [
        (vec!["--tls-cert", &cert_file], "needs both"),
        (
            vec!["--tls-cert", &cert_file, "--tls-key", &key_file],
            "cannot use the certificate",
        ),
        (
            vec!["--tls-cert", &empty, "--tls-key", &key_file],
            "a certificate from",
        ),
        (
            vec!["--tls-cert", &cert_file, "--tls-key", "/none"],
            "a private key from /none",
        ),
    ] {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--data", data];
        let refused = run(home.path(), &[&serve[..], &flags].concat());
        assert_eq!(refused.code, Some(2), "{flags:?}");
        assert!(refused.err.contains(part), "{flags:?}: {}", refused.err);
    }
}

fn with_config(home: &Path, config: &str) -> Service {
    let config = write(home, "config.toml", config);
    Service::start_with(home, "127.0.0.1:0", &["--config", &config])
}

#[test]
fn too_many_requests_are_asked_to_wait() {
    let home = tempfile::tempdir().expect("a home");
    let service = with_config(home.path(), "[serve]\nrate_per_address = 5\n");
    let refused = (0..200)
        .map(|_| service.get("/healthz"))
        .find(|reply| reply.status == 429)
        .expect("a refusal");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.json()["error"]["code"], "request_rate");
}

#[test]
fn slow_senders_do_not_keep_others_out() {
    let home = tempfile::tempdir().expect("a home");
    let service = with_config(
        home.path(),
        "[serve]\nconnections = 200\nhead_timeout = \"500ms\"\nbody_timeout = \"500ms\"\n",
    );
    let address = service.url.trim_start_matches("http://").to_owned();
    let connect = || TcpStream::connect(&address).expect("connected");
    // Half of them never end a head, half never end a body: together more than there may be.
    let mut slow: Vec<TcpStream> = (0..500).map(|_| connect()).collect();
    for (at, stream) in slow.iter_mut().enumerate() {
        let begun: &[u8] = if at % 2 == 0 {
            b"GET /healthz HT"
        } else {
            b"POST /api/v2/logs HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{"
        };
        stream.write_all(begun).expect("sent");
    }
    assert_eq!(
        service
            .post("/api/v2/logs", "{\"msg\":\"in time\"}\n")
            .status,
        202
    );
    for mut stream in slow {
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        let mut answer = Vec::new();
        // Closed, with or without a word; never left open.
        if let Err(error) = stream.read_to_end(&mut answer) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
        }
    }
}

#[test]
fn heads_have_bounds() {
    let (home, long) = (tempfile::tempdir().expect("a home"), "x".repeat(100 << 10));
    let service = Service::start(home.path());
    let address = service.url.trim_start_matches("http://");
    let many: String = (0..200).map(|at| format!("h{at}: x\r\n")).collect();
    for head in [
        format!("GET /{long} HTTP/1.1\r\nhost: localhost\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: localhost\r\nlong: {long}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: localhost\r\n{many}\r\n"),
    ] {
        let mut stream = TcpStream::connect(address).expect("connected");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        // The answer may come before all of it is sent.
        let _ = stream.write_all(head.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split(' ').nth(1).unwrap_or("closed");
        assert!(
            ["closed", "400", "414", "431"].contains(&status),
            "{answer}"
        );
    }
    assert_eq!(service.get("/healthz").status, 200);
}

#[test]
fn pages_of_named_origins_may_ask() {
    let home = tempfile::tempdir().expect("a home");
    let service = with_config(home.path(), "[serve]\ncors = [\"https://ui.example\"]\n");
    let preflight = |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "authorization"),
        ];
        service.ask("OPTIONS", "/api/v2/logs", &headers, "")
    };
    let allowed = preflight("https://ui.example");
    assert_eq!(allowed.status, 200);
    assert_eq!(
        allowed.header("access-control-allow-origin"),
        "https://ui.example"
    );
    assert!(
        allowed
            .header("access-control-allow-headers")
            .contains("authorization")
    );
    let other = preflight("https://evil.example");
    assert_eq!(other.header("access-control-allow-origin"), "");
    let plain = service.get("/api/v2/logs");
    assert_eq!(plain.header("x-content-type-options"), "nosniff");
    assert_eq!(plain.header("cache-control"), "no-store");
}

#[test]
fn requests_under_way_are_finished_and_late_ones_cut() {
    let home = tempfile::tempdir().expect("a home");
    let mut service = with_config(home.path(), "[serve]\ndrain = \"10s\"\n");
    let address = service.url.trim_start_matches("http://").to_owned();
    let begin = |length: usize| {
        let mut stream = TcpStream::connect(&address).expect("connected");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        let head = format!(
            "POST /api/v2/logs HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("sent");
        stream
    };
    let body = b"{\"msg\":\"under way\"}\n";
    let (mut finishing, _never) = (begin(body.len()), begin(1_000));
    finishing.write_all(&body[..5]).expect("sent");
    service.get("/healthz");
    let began = std::time::Instant::now();
    service.signal(rustix::process::Signal::TERM);

    service.logged("stopping");
    finishing.write_all(&body[5..]).expect("sent");
    let mut answer = String::new();
    finishing.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert!(service.stop().success());
    assert!(began.elapsed() < PATIENCE && began.elapsed() > Duration::from_secs(1));
}

#[test]
fn what_is_cut_is_resumed_without_loss_and_without_doubles() {
    let home = tempfile::tempdir().expect("a home");
    let service = Service::start(home.path());
    let proxy = Proxy::start(&service.url, 20_000);
    let tail = Tail::start(home.path(), &["--url", &proxy.url, "--limit", "1000"]);
    let (mut written, mut seen) = (0, Vec::new());
    // Written as they are read, and at the end until enough was cut.
    while written < 3_000 || proxy.cuts() < 30 {
        let body: String = (0..50)
            .map(|at| format!("{{\"msg\":\"entry {}\"}}\n", written + at))
            .collect();
        assert_eq!(service.post("/api/v2/logs", body).status, 202);
        written += 50;
        while seen.len() + 200 < written {
            let entry = tail.entry();
            let missing = || panic!("{} of {written}, {} cuts", seen.len(), proxy.cuts());
            seen.push(entry.unwrap_or_else(missing)["id"].as_u64().expect("an id"));
        }
    }
    while seen.len() < written {
        let entry = tail.entry();
        let missing = || panic!("{} of {written}, {} cuts", seen.len(), proxy.cuts());
        seen.push(entry.unwrap_or_else(missing)["id"].as_u64().expect("an id"));
    }
    let appended: Vec<u64> = (1..=written as u64).collect();
    assert_eq!(seen, appended);
}
