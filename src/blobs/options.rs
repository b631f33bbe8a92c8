//! What is kept where, and how much of it.

use std::time::Duration;

/// Where values are and how much of them is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes of one value at the most.
    pub most: u64,
    /// Stored bytes of one account (the first segment of a key) at the most; `None` is no limit.
    pub quota: Option<u64>,
    /// What is dropped.
    pub retention: Retention,
    /// How long a link is worth something unless it is said.
    pub link_lasts: Duration,
    /// The S3 that holds them; `None` is the local directory.
    pub s3: Option<S3>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            most: 16 << 30,
            quota: None,
            retention: Retention::default(),
            link_lasts: Duration::from_hours(1),
            s3: None,
        }
    }
}

/// What is dropped, oldest first; nothing unless it is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Values that are older.
    pub age: Option<Duration>,
    /// Stored bytes beyond these.
    pub bytes: Option<u64>,
}

/// A bucket.
#[derive(Clone, PartialEq, Eq)]
pub struct S3 {
    /// Its name.
    pub bucket: String,
    /// What stands before every key in it; empty for nothing.
    pub prefix: String,
    /// Where the service is; `None` is Amazon's own address of the region.
    pub endpoint: Option<String>,
    /// The region.
    pub region: String,
    /// Whether the bucket stands in the path of addresses, not before the host.
    pub path_style: bool,
    /// Whether values are compressed: then links to them go through the service.
    pub compress: bool,
    /// Who we are; `None` asks the environment of the machine.
    pub access_key_id: Option<String>,
    /// And how we show it.
    pub secret_access_key: Option<String>,
    /// What goes with keys that are only lent.
    pub session_token: Option<String>,
}

/// Secrets are not shown.
impl std::fmt::Debug for S3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3")
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
