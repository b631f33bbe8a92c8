//! The sections `[streams]` and `[blobs]`: live streams, and the values that they become.

use serde::{Deserialize, Serialize};

use crate::base::{Size, Span};
use crate::{blobs, streams};

/// The section `[streams]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StreamsFile {
    /// After so long without a line a stream is closed.
    pub ttl: Span,
    /// The longest such time that a stream may be opened with.
    pub ttl_most: Span,
    /// Bytes of an open stream on disk.
    pub history: Size,
    /// Bytes of a stream in memory.
    pub ring: Size,
    /// Bytes of a line.
    pub line: Size,
    /// Whether lines enter the embedded log too.
    pub to_log: bool,
    /// The Redis that holds open streams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redis: Option<RedisFile>,
}

/// The section `[streams.redis]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisFile {
    /// Its address. It may hold a password: it is not printed.
    #[serde(skip_serializing)]
    pub url: String,
    /// What stands before every name in it.
    #[serde(default = "redis_prefix")]
    pub prefix: String,
    /// Lines of an open stream.
    #[serde(default = "history_lines")]
    pub history_lines: u64,
}

fn redis_prefix() -> String {
    "tailwater:".to_owned()
}

fn history_lines() -> u64 {
    1_000_000
}

impl Default for StreamsFile {
    fn default() -> Self {
        let options = streams::Options::default();
        Self {
            ttl: Span(options.ttl),
            ttl_most: Span(options.ttl_most),
            history: Size(options.history),
            ring: Size(options.ring as u64),
            line: Size(options.line as u64),
            to_log: options.to_log,
            redis: None,
        }
    }
}

impl StreamsFile {
    /// What the room is told.
    #[must_use]
    pub fn options(&self) -> streams::Options {
        let bytes = |size: Size| usize::try_from(size.0).unwrap_or(usize::MAX);
        streams::Options {
            ttl: self.ttl.0,
            ttl_most: self.ttl_most.0,
            history: self.history.0,
            ring: bytes(self.ring),
            line: bytes(self.line).max(1),
            to_log: self.to_log,
            redis: self.redis.as_ref().map(|redis| streams::RedisOptions {
                url: redis.url.clone(),
                prefix: redis.prefix.clone(),
                history_lines: redis.history_lines,
            }),
        }
    }
}

/// The section `[blobs]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BlobsFile {
    /// Bytes of one blob.
    pub most: Size,
    /// Stored bytes of one account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<Size>,
    /// How long a link is worth something.
    pub link_lasts: Span,
    /// How links begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// What is dropped.
    pub retention: BlobRetentionFile,
    /// The bucket that holds them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3File>,
}

/// The section `[blobs.retention]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BlobRetentionFile {
    /// Blobs older than this are dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<Span>,
    /// The oldest beyond this many bytes are dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Size>,
}

/// The section `[blobs.s3]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3File {
    /// The bucket.
    pub bucket: String,
    /// What stands before every key in it.
    #[serde(default)]
    pub prefix: String,
    /// Where the service is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The region.
    #[serde(default = "region")]
    pub region: String,
    /// Whether the bucket stands in the path of addresses.
    #[serde(default)]
    pub path_style: bool,
    /// Whether blobs are compressed.
    #[serde(default)]
    pub compress: bool,
    /// Who we are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// And how we show it; never printed.
    #[serde(default, skip_serializing)]
    pub secret_access_key: Option<String>,
}

fn region() -> String {
    "us-east-1".to_owned()
}

impl Default for BlobsFile {
    fn default() -> Self {
        let options = blobs::Options::default();
        Self {
            most: Size(options.most),
            quota: None,
            link_lasts: Span(options.link_lasts),
            public_url: None,
            retention: BlobRetentionFile::default(),
            s3: None,
        }
    }
}

impl BlobsFile {
    /// What the room is told. Where no bucket is named, the environment of the Harness log service may name one.
    #[must_use]
    pub fn options(&self, variable: impl Fn(&str) -> Option<String>) -> blobs::Options {
        let bucket = self
            .s3
            .clone()
            .or_else(|| S3File::of_environment(&variable));
        blobs::Options {
            most: self.most.0,
            quota: self.quota.map(|quota| quota.0),
            retention: blobs::Retention {
                age: self.retention.age.map(|age| age.0),
                bytes: self.retention.bytes.map(|bytes| bytes.0),
            },
            link_lasts: self.link_lasts.0,
            s3: bucket.map(|s3| {
                let id = s3.access_key_id.or_else(|| variable("AWS_ACCESS_KEY_ID"));
                let secret = s3
                    .secret_access_key
                    .or_else(|| variable("AWS_SECRET_ACCESS_KEY"));
                blobs::S3 {
                    bucket: s3.bucket,
                    prefix: s3.prefix,
                    endpoint: s3.endpoint,
                    region: s3.region,
                    path_style: s3.path_style,
                    compress: s3.compress,
                    access_key_id: id,
                    secret_access_key: secret,
                    session_token: variable("AWS_SESSION_TOKEN"),
                }
            }),
        }
    }
}

impl S3File {
    /// The bucket that the variables of the Harness log service name: those of its first generation, or of the later.
    fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let find = |family: &str, name: &str| variable(&format!("LOG_SERVICE_{family}_{name}"));
        let family = ["MINIO", "S3"];
        let family = family
            .into_iter()
            .find(|family| find(family, "BUCKET").is_some())?;
        let endpoint = find(family, "ENDPOINT").map(|endpoint| {
            // Without a scheme it is spoken to in the clear, as the original does.
            let has_scheme = endpoint.contains("://");
            if has_scheme {
                endpoint
            } else {
                format!("http://{endpoint}")
            }
        });
        let region = find(family, "REGION").or_else(|| variable("AWS_REGION"));
        Some(Self {
            bucket: find(family, "BUCKET")?,
            prefix: find(family, "PREFIX").unwrap_or_default(),
            endpoint,
            region: region
                .or_else(|| variable("AWS_DEFAULT_REGION"))
                .unwrap_or_else(self::region),
            path_style: find(family, "PATH_STYLE")
                .is_some_and(|text| text == "true" || text == "1"),
            compress: false,
            access_key_id: find(family, "ACCESS_KEY_ID"),
            secret_access_key: find(family, "SECRET_ACCESS_KEY"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_of_the_original_names_a_bucket() {
        let variables = [
            ("LOG_SERVICE_MINIO_BUCKET", "logs"),
            ("LOG_SERVICE_MINIO_PREFIX", "ci"),
            ("LOG_SERVICE_MINIO_ENDPOINT", "minio:9000"),
            ("LOG_SERVICE_MINIO_PATH_STYLE", "true"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ];
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let s3 = BlobsFile::default().options(variable).s3.expect("a bucket");
        assert_eq!((s3.bucket.as_str(), s3.prefix.as_str()), ("logs", "ci"));
        assert_eq!(s3.endpoint.as_deref(), Some("http://minio:9000"));
        assert!(s3.path_style);
        assert_eq!(s3.access_key_id.as_deref(), Some("id"));
        assert_eq!(s3.secret_access_key.as_deref(), Some("secret"));
        assert_eq!(BlobsFile::default().options(|_| None).s3, None);
        // What the file names goes before it.
        let file = BlobsFile {
            s3: Some(toml::from_str("bucket = 'own'").expect("a bucket")),
            ..BlobsFile::default()
        };
        let s3 = file.options(variable).s3.expect("a bucket");
        assert_eq!((s3.bucket.as_str(), s3.endpoint), ("own", None));
    }
}
