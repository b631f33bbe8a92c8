//! Large values by name: on a local disk, or in S3 and what speaks like it.
//!
//! ```text
//! Upload: bytes --SHA-256--> frames (zstd) --> parts --> staged --sync--> the name
//! Download: the name --> trailer (size, digest, type, frames) --> the frames that a range touches --> bytes
//! ```
//!
//! Invariants: a name shows nothing or a whole value: what is being uploaded is invisible, and what stands there is read
//! until the new value is whole; on a local disk it is synced before it is shown. Memory is bounded by the part, not by
//! the value. A prefix ends where a segment of a key ends: `run/2` never means `run/22`. Knows nothing of lines or HTTP.

mod buffers;
mod download;
mod error;
mod key;
mod list;
mod options;
mod place;
mod rest;
#[cfg(feature = "s3")]
mod s3;
mod sweep;
mod upload;
mod usage;
mod zip;

pub use download::{Chunks, Download};
pub use error::Error;
pub use key::{Key, KeyError, Prefix};
pub use list::{ListRequest, Listed};
pub use options::{Options, Retention, S3};
pub use rest::Digest;
pub use upload::{NewBlob, Upload};
pub use zip::Archive;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use crate::base::Time;
use buffers::Buffers;
use place::Place;
use usage::Usage;

/// What is known of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Its name.
    pub key: Key,
    /// Its bytes.
    pub size: u64,
    /// Its SHA-256; unknown of large values in S3 that were sent without it, or past the service.
    pub digest: Option<Digest>,
    /// Changes when the value does; without quotes.
    pub tag: String,
    /// As it was sent.
    pub content_type: Option<String>,
    /// When it was stored.
    pub modified: Time,
    /// Words of whoever stored it, for those who know them.
    pub notes: Notes,
}

/// Which of all values that ever had a name one is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stamp(pub String);

impl Blob {
    /// Which value this is: told apart from every other one that has its name before or after it, without asking whose
    /// clock is right.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        Stamp(format!("{} {}", self.tag, self.modified.0))
    }
}

/// Words beside a value; no more than two thousand bytes of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Notes(pub BTreeMap<String, String>);

/// What a link allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// Reading a value.
    Download,
    /// Storing one.
    Upload,
    /// Reading everything below a name as one archive.
    Archive,
}

/// Large values by name. Clones share them.
#[derive(Clone, Debug)]
pub struct Blobs(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: Options,
    place: Place,
    usage: Usage,
    buffers: Buffers,
    figures: Counted,
}

/// What was done since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Values that were stored.
    pub stored: u64,
    /// Their bytes, as they came.
    pub bytes: u64,
}

#[derive(Debug, Default)]
struct Counted {
    stored: AtomicU64,
    bytes: AtomicU64,
}

impl Blobs {
    /// The values of a place; `dir` is where they are unless the options name an S3.
    ///
    /// # Errors
    /// The place cannot be used; whether a bucket answers is not asked.
    pub fn open(options: Options, dir: &Path) -> Result<Self, Error> {
        Ok(Self(Arc::new(Shared {
            place: Place::open(&options, dir)?,
            usage: Usage::default(),
            buffers: Buffers::default(),
            figures: Counted::default(),
            options,
        })))
    }

    /// What was done since the start.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let counted = &self.0.figures;
        Figures {
            stored: counted.stored.load(Ordering::Relaxed),
            bytes: counted.bytes.load(Ordering::Relaxed),
        }
    }

    /// What is known of a value, if there is one.
    ///
    /// # Errors
    /// The place does not answer, or what it holds is damaged.
    pub async fn head(&self, key: &Key) -> Result<Option<Blob>, Error> {
        let found = self.0.place.find(key).await?;
        Ok(found.map(|found| found.blob))
    }

    /// Takes a value away; whether there was one.
    ///
    /// # Errors
    /// The place does not answer.
    pub async fn delete(&self, key: &Key) -> Result<bool, Error> {
        let Some(size) = self.0.place.stored_size(key).await? else {
            return Ok(false);
        };
        self.0.place.delete(key).await?;
        self.0.usage.freed(key.account(), size);
        Ok(true)
    }

    /// Takes everything below a prefix away; how many values that were.
    ///
    /// # Errors
    /// The place does not answer: some may be gone.
    pub async fn delete_below(&self, prefix: &Prefix) -> Result<u64, Error> {
        let mut stored = self.0.place.below(prefix, None);
        let mut count = 0;
        while let Some(one) = stored.try_next().await? {
            self.0.place.delete(&one.key).await?;
            self.0.usage.freed(one.key.account(), one.bytes);
            count += 1;
        }
        Ok(count)
    }

    /// A link that needs nothing else, where the place itself gives them and gives the value as it is.
    ///
    /// # Errors
    /// The place does not answer.
    pub async fn presigned(
        &self,
        key: &Key,
        permit: Permit,
        lasts: Duration,
    ) -> Result<Option<String>, Error> {
        match &self.0.place {
            Place::Directory { .. } => Ok(None),
            #[cfg(feature = "s3")]
            Place::Bucket(bucket) => {
                let location = self.0.place.location(key)?;
                bucket.presigned(&location, key, permit, lasts).await
            }
        }
    }

    /// What is kept where, and how much of it.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// Whether the place answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), Error> {
        self.0.place.ping().await
    }
}

#[cfg(test)]
mod tests;
