//! What a service does beside its log: pipelines, live streams, blobs; in process or over HTTP.

use super::Error;
use crate::api::{BlobAnswer, StreamAnswer};
use crate::blobs::Blob;
use crate::client::Client;
use crate::pipelines::{PipelineStatus, Pipelines};
use crate::streams::StreamState;

/// Where what a service does beside its log is asked.
#[derive(Clone, Debug, Default)]
pub enum Services {
    /// Nothing of the kind runs for what is explored.
    #[default]
    None,
    /// In this process.
    Here(Pipelines),
    /// At a service, over HTTP.
    There(Client),
}

impl Services {
    /// What pipelines did; none where there can be none.
    ///
    /// # Errors
    /// The service cannot be reached, or refuses.
    pub async fn pipelines(&self) -> Result<Option<Vec<PipelineStatus>>, Error> {
        match self {
            Self::None => Ok(None),
            Self::Here(pipelines) => Ok(Some(pipelines.status())),
            Self::There(client) => Ok(Some(client.pipelines().await?)),
        }
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
