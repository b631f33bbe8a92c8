//! What a service does beside its log: pipelines, live streams, blobs; in process or over HTTP.

use std::io::Write;
use std::path::Path;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};

use super::Error;
use super::tail::parsed;
use crate::api::{BlobAnswer, BlobsAnswer, KeysParams, MAX_LIMIT, StreamAnswer, StreamsAnswer};
use crate::base::{NewFile, Time};
use crate::blobs::{Blob, Blobs, ListRequest, Prefix};
use crate::client::Client;
use crate::events::Events;
use crate::pipelines::{PipelineStatus, Pipelines};
use crate::streams::{StreamState, Streams};

/// Where what a service does beside its log is asked.
#[derive(Clone, Debug, Default)]
pub enum Services {
    /// Nothing of the kind runs for what is explored.
    #[default]
    None,
    /// In this process.
    Here(Here),
    /// At a service, over HTTP.
    There(Client),
}

/// What runs in this process.
#[derive(Clone, Debug, Default)]
pub struct Here {
    /// The pipelines.
    pub pipelines: Pipelines,
    /// Streams and blobs, where they are kept.
    pub kept: Option<Kept>,
    /// Events, where they are kept.
    pub events: Option<Events>,
}

/// Live streams, and the blobs that they become.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The streams.
    pub streams: Streams,
    /// The blobs.
    pub blobs: Blobs,
}

impl Services {
    /// What pipelines did; none where there can be none.
    ///
    /// # Errors
    /// The service cannot be reached, or refuses.
    pub async fn pipelines(&self) -> Result<Option<Vec<PipelineStatus>>, Error> {
        match self {
            Self::None => Ok(None),
            Self::Here(here) if here.pipelines.names().is_empty() => Ok(None),
            Self::Here(here) => Ok(Some(here.pipelines.status())),
            Self::There(client) => Ok(Some(client.pipelines().await?)),
        }
    }

    fn kept(&self) -> Option<&Kept> {
        match self {
            Self::Here(here) => here.kept.as_ref(),
            Self::None | Self::There(_) => None,
        }
    }

    /// The first page of open streams; none where there can be none.
    ///
    /// # Errors
    /// The service cannot be reached, or refuses.
    pub async fn streams(&self) -> Result<Option<StreamsAnswer>, Error> {
        if let Self::There(client) = self {
            let params = KeysParams {
                limit: Some(MAX_LIMIT.to_string()),
                ..KeysParams::default()
            };
            return Ok(Some(client.streams(&params).await?));
        }
        let Some(kept) = self.kept() else {
            return Ok(None);
        };
        let all = Prefix::default();
        let mut states = kept.streams.list(&all, None, MAX_LIMIT + 1).await?;
        let has_more = states.len() > MAX_LIMIT;
        states.truncate(MAX_LIMIT);
        let last = states.last().filter(|_| has_more);
        Ok(Some(StreamsAnswer {
            next: last.map(|state| state.key.to_string()),
            streams: states.iter().map(stream_answer).collect(),
        }))
    }

    /// A page of what lies directly below a prefix, after a name; none where there can be none.
    ///
    /// # Errors
    /// The service cannot be reached, or refuses.
    pub async fn blobs(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Option<BlobsAnswer>, Error> {
        if let Self::There(client) = self {
            let params = KeysParams {
                prefix: Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty()),
                limit: Some(MAX_LIMIT.to_string()),
                cursor: after.map(str::to_owned),
            };
            return Ok(Some(client.blob_level(&params).await?));
        }
        let Some(kept) = self.kept() else {
            return Ok(None);
        };
        let prefix = Prefix::parse(prefix).map_err(|error| Error::Said(error.to_string()))?;
        let request = ListRequest {
            prefix,
            after: after.map(parsed).transpose()?,
            limit: MAX_LIMIT,
            is_level: true,
        };
        let page = kept.blobs.list(&request).await?;
        Ok(Some(BlobsAnswer {
            blobs: page.blobs.iter().map(blob_answer).collect(),
            folders: page.folders.into_iter().map(String::from).collect(),
            next: page.next.map(String::from),
        }))
    }

    /// When a blob was stored, as far as that is known, and its bytes.
    ///
    /// # Errors
    /// There is none, or nobody answers.
    pub(super) async fn read_blob(
        &self,
        key: &str,
    ) -> Result<(Time, BoxStream<'static, Result<Bytes, Error>>), Error> {
        if let Self::There(client) = self {
            let body = client.read_blob(key, 0, None).await?;
            let bytes = body.bytes.map_err(Error::from).boxed();
            return Ok((body.modified.unwrap_or_else(Time::now), bytes));
        }
        let missing = || Error::Said(format!("there is no stream and no blob {key}"));
        let kept = self.kept().ok_or_else(missing)?;
        let found = kept.blobs.find(&parsed(key)?).await?;
        let found = found.ok_or_else(missing)?;
        let bytes = found.read_all().map_err(Error::from).boxed();
        Ok((found.blob.modified, bytes))
    }

    /// Writes a blob into a file that is not there yet, which has its name when it is whole; how many bytes that were.
    ///
    /// # Errors
    /// There is such a file, it cannot be written, there is no such blob, or nobody answers.
    pub async fn save_blob(&self, key: &str, path: &Path) -> Result<u64, Error> {
        let failed = |error: std::io::Error| {
            let path = path.display();
            Error::Said(format!("cannot write {path}: {error}"))
        };
        let mut file = NewFile::create(path).map_err(failed)?;
        let (_, mut bytes) = self.read_blob(key).await?;
        let mut count = 0;
        while let Some(bytes) = bytes.try_next().await? {
            tokio::task::block_in_place(|| file.write_all(&bytes)).map_err(failed)?;
            count += bytes.len() as u64;
        }
        file.finish().map_err(failed)?;
        Ok(count)
    }
}

/// How a stream stands, as it is told.
#[must_use]
pub fn stream_answer(state: &StreamState) -> StreamAnswer {
    let expires = state.written.later(state.ttl).to_string();
    StreamAnswer {
        key: state.key.to_string(),
        state: state.end.map_or("open", |end| end.reason.word()).to_owned(),
        opened: state.opened.to_string(),
        written: state.written.to_string(),
        expires: state.end.is_none().then_some(expires),
        closed: state.end.map(|end| end.at.to_string()),
        first: state.first,
        last: state.last,
        bytes: state.bytes,
        rate: state.rate,
        subscribers: state.subscribers,
    }
}

/// What is known of a blob, as it is told.
#[must_use]
pub fn blob_answer(blob: &Blob) -> BlobAnswer {
    BlobAnswer {
        key: blob.key.to_string(),
        size: blob.size,
        sha256: blob.digest.map(|digest| digest.to_string()),
        content_type: blob.content_type.clone(),
        modified: blob.modified.to_string(),
    }
}
