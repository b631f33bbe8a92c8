//! What is to be known of a stream beside its lines.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::Time;
use crate::blobs::{Key, Stamp};
use crate::streams::{End, Error, Reason};

const NAME: &str = "stream.json";

/// How a stream was opened, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::streams) struct Record {
    pub key: Key,
    pub opened: Time,
    /// The number of its first line.
    pub first: u64,
    pub ttl: Duration,
    pub replaces: Option<Stamp>,
    pub end: Option<End>,
}

/// The form of the file; times in nanoseconds since 1970.
#[derive(Serialize, Deserialize)]
struct Form {
    key: Key,
    opened: i64,
    first: u64,
    ttl_milliseconds: u64,
    #[serde(default)]
    replaces: Option<Stamp>,
    end: Option<EndForm>,
}

#[derive(Serialize, Deserialize)]
struct EndForm {
    reason: Reason,
    last: u64,
    at: i64,
}

impl Record {
    /// What a folder says; nothing where it says nothing.
    pub fn read(folder: &Path) -> Result<Option<Self>, Error> {
        let path = folder.join(NAME);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::disk("read", path)(error)),
        };
        let form: Form = serde_json::from_slice(&text)
            .map_err(io::Error::from)
            .map_err(Error::disk("understand", path))?;
        Ok(Some(Self {
            key: form.key,
            opened: Time(form.opened),
            first: form.first,
            ttl: Duration::from_millis(form.ttl_milliseconds),
            replaces: form.replaces,
            end: form.end.map(|end| End {
                reason: end.reason,
                last: end.last,
                at: Time(end.at),
            }),
        }))
    }

    /// Replaces what a folder says, durably.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        let form = Form {
            key: self.key.clone(),
            opened: self.opened.0,
            first: self.first,
            ttl_milliseconds: u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX),
            replaces: self.replaces.clone(),
            end: self.end.map(|end| EndForm {
                reason: end.reason,
                last: end.last,
                at: end.at.0,
            }),
        };
        let temporary = folder.join("stream.tmp");
        let write = || -> io::Result<()> {
            let mut file = File::create(&temporary)?;
            file.write_all(&serde_json::to_vec(&form)?)?;
            file.sync_all()?;
            fs::rename(&temporary, folder.join(NAME))?;
            File::open(folder)?.sync_all()
        };
        write().map_err(Error::disk("write to", folder))
    }
}
