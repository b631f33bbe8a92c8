//! Blobs of a service.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use reqwest::header::{CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH, RANGE};
use reqwest::{Body, Method};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{Client, Error};
use crate::api::path::{self, key as escaped};
use crate::api::{BlobAnswer, BlobsAnswer, DeletedAnswer, KeysParams, LevelParams, LinkAnswer};
use crate::base::Time;

/// Bytes read together.
const READ_BYTES: usize = 256 << 10;

/// Where the bytes of a blob come from.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'p> {
    /// A file: it is read again when it has to be sent again.
    File(&'p Path),
    /// Standard input: it is sent once.
    Input,
}

/// A blob as it comes.
pub struct BlobBody {
    /// Its bytes, or those from where they were asked for.
    pub bytes: std::pin::Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>,
    /// How it is told from another of its name.
    pub tag: Option<String>,
    /// When it was stored, as far as that was told.
    pub modified: Option<Time>,
}

impl std::fmt::Debug for BlobBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobBody")
            .field("tag", &self.tag)
            .finish_non_exhaustive()
    }
}

impl Client {
    fn blob(&self, method: Method, key: &str) -> reqwest::RequestBuilder {
        self.asking(method, &path::BLOB.replace("{*key}", &escaped(key)))
    }

    /// Stores a blob; what was stored is compared with what was sent.
    ///
    /// # Errors
    /// It cannot be read, is refused, or nobody answers.
    pub async fn store_blob(
        &self,
        key: &str,
        origin: Origin<'_>,
        content_type: &str,
        only_new: bool,
    ) -> Result<BlobAnswer, Error> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            match self.store_once(key, origin, content_type, only_new).await {
                // What was read from standard input cannot be read again.
                Err(error)
                    if error.is_passing() && attempts < 5 && matches!(origin, Origin::File(_)) =>
                {
                    let wait = error
                        .retry_after()
                        .unwrap_or(std::time::Duration::from_secs(1));
                    tokio::time::sleep(wait * attempts).await;
                }
                other => return other,
            }
        }
    }

    async fn store_once(
        &self,
        key: &str,
        origin: Origin<'_>,
        content_type: &str,
        only_new: bool,
    ) -> Result<BlobAnswer, Error> {
        let (body, digest) = match origin {
            Origin::Input => body(tokio::io::stdin()),
            Origin::File(path) => {
                let file = tokio::fs::File::open(path).await;
                body(file.map_err(|error| Error::Unreachable {
                    url: path.display().to_string(),
                    reason: error.to_string(),
                })?)
            }
        };
        let mut request = self
            .blob(Method::PUT, key)
            .header(CONTENT_TYPE, content_type);
        if only_new {
            request = request.header(IF_NONE_MATCH, "*");
        }
        let answer: BlobAnswer = self.ask(request.body(body)).await?;
        let digest = digest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let digest: String = digest
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        match &answer.sha256 {
            Some(stored) if *stored != digest => Err(Error::Unexpected {
                url: self.name().to_owned(),
                reason: format!("stored a blob with the SHA-256 {stored}, sent {digest}"),
            }),
            _ => Ok(answer),
        }
    }

    /// A blob, from a byte on; only if it still is the one with the tag, where one is given.
    ///
    /// # Errors
    /// There is none, it is another, or nobody answers.
    pub async fn read_blob(
        &self,
        key: &str,
        from: u64,
        tag: Option<&str>,
    ) -> Result<BlobBody, Error> {
        let mut request = self.blob(Method::GET, key);
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        if let Some(tag) = tag {
            request = request.header(IF_MATCH, tag);
        }
        self.body(request).await
    }

    /// An archive of everything below a prefix.
    ///
    /// # Errors
    /// There is nothing, or nobody answers.
    pub async fn read_archive(&self, prefix: &str) -> Result<BlobBody, Error> {
        self.body(self.blob(Method::GET, prefix).query(&[("zip", "true")]))
            .await
    }

    async fn body(&self, request: reqwest::RequestBuilder) -> Result<BlobBody, Error> {
        let response = self.send(request).await?;
        let tag = response
            .headers()
            .get("etag")
            .and_then(|tag| tag.to_str().ok());
        let modified = response.headers().get("last-modified");
        let modified = modified.and_then(|text| Time::parse_http(text.to_str().ok()?));
        let (tag, name) = (tag.map(str::to_owned), self.name().to_owned());
        let bytes = response
            .bytes_stream()
            .map_err(move |error| Error::of(&name, &error));
        Ok(BlobBody {
            bytes: bytes.boxed(),
            tag,
            modified,
        })
    }

    /// A page of blobs.
    ///
    /// # Errors
    /// It is refused, or nobody answers.
    pub async fn blobs(&self, params: &KeysParams) -> Result<BlobsAnswer, Error> {
        self.get(path::BLOBS, params).await
    }

    /// What lies directly below a prefix: names that go on, and blobs.
    ///
    /// # Errors
    /// It is refused, or nobody answers.
    pub async fn blob_level(&self, params: &KeysParams) -> Result<BlobsAnswer, Error> {
        let level = LevelParams {
            delimiter: Some("/".to_owned()),
        };
        let request = self.asking(Method::GET, path::BLOBS).query(params);
        self.ask(request.query(&level)).await
    }

    /// Deletes a blob.
    ///
    /// # Errors
    /// There is none, or nobody answers.
    pub async fn delete_blob(&self, key: &str) -> Result<(), Error> {
        let request = self.blob(Method::DELETE, key);
        self.send(request).await.map(|_| ())
    }

    /// Deletes everything below a prefix; how many blobs that were.
    ///
    /// # Errors
    /// It is refused, or nobody answers.
    pub async fn delete_blobs(&self, prefix: &str) -> Result<u64, Error> {
        let request = self
            .blob(Method::DELETE, prefix)
            .query(&[("prefix", "true")]);
        Ok(self.ask::<DeletedAnswer>(request).await?.deleted)
    }

    /// A link to store (`upload`) or read (`download`) a blob.
    ///
    /// # Errors
    /// It is refused, or nobody answers.
    pub async fn blob_link(
        &self,
        key: &str,
        way: &str,
        lasts: Option<&str>,
    ) -> Result<LinkAnswer, Error> {
        let mut params = vec![("link", way)];
        params.extend(lasts.map(|lasts| ("expires", lasts)));
        self.insisting(|| self.blob(Method::POST, key).query(&params))
            .await
    }
}

/// A body of what is read, and its digest once it has been.
fn body(reader: impl AsyncRead + Send + Unpin + 'static) -> (Body, Arc<Mutex<Sha256>>) {
    let digest = Arc::new(Mutex::new(Sha256::new()));
    let known = Arc::clone(&digest);
    let chunks = futures_util::stream::try_unfold(reader, move |mut reader| {
        let known = Arc::clone(&known);
        async move {
            let mut chunk = Vec::with_capacity(READ_BYTES);
            if reader.read_buf(&mut chunk).await? == 0 {
                return Ok::<_, std::io::Error>(None);
            }
            known
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .update(&chunk);
            Ok(Some((Bytes::from(chunk), reader)))
        }
    });
    (Body::wrap_stream(chunks), digest)
}
