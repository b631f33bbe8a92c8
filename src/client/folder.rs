//! A folder of files behind a web server: its listing, and parts of its files.

use reqwest::header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, RANGE};
use reqwest::{Method, RequestBuilder, StatusCode};

use super::connection::url_segment;
use super::{Client, Error};

/// A listing may be so long: a name a line, a hundred thousand names.
const MAX_LISTING_BYTES: usize = 16 << 20;

impl Client {
    /// What the server tells of the folder, whatever its form.
    ///
    /// # Errors
    /// The server cannot be reached or refuses, or tells too much.
    pub async fn listing(&self) -> Result<String, Error> {
        let request = self.plain(Method::GET, "");
        let mut response = self.accepted(self.sent(request).await?).await?;
        let mut text = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.broken(&error))?
        {
            text.extend_from_slice(&chunk);
            if text.len() > MAX_LISTING_BYTES {
                return Err(self.unexpected(format!(
                    "expected a listing of at most {MAX_LISTING_BYTES} bytes"
                )));
            }
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// The size of a file in bytes.
    ///
    /// # Errors
    /// The server cannot be reached, refuses, or does not tell.
    pub async fn size_of(&self, name: &str) -> Result<u64, Error> {
        let request = self.plain(Method::HEAD, &url_segment(name));
        let response = self.accepted(self.sent(request).await?).await?;
        let length = response.headers().get(CONTENT_LENGTH);
        let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
        length.ok_or_else(|| self.unexpected(format!("expected the size of {name}, found none")))
    }

    /// So many bytes of a file from an offset on; fewer where it ends.
    ///
    /// # Errors
    /// The server cannot be reached, refuses, or gives whole files only.
    pub async fn bytes_of(&self, name: &str, offset: u64, length: u64) -> Result<Vec<u8>, Error> {
        let last = offset + length.max(1) - 1;
        let request = self
            .plain(Method::GET, &url_segment(name))
            .header(RANGE, format!("bytes={offset}-{last}"));
        let response = self.sent(request).await?;
        if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            return Ok(Vec::new());
        }
        let response = self.accepted(response).await?;
        let expected = format!("bytes {offset}-");
        let range = response.headers().get(CONTENT_RANGE);
        let is_part = range.is_some_and(|range| range.as_bytes().starts_with(expected.as_bytes()));
        if response.status() != StatusCode::PARTIAL_CONTENT || !is_part {
            return Err(self.unexpected(format!(
                "expected a part of {name} (status 206), found {}: it must be a server that gives ranges of bytes",
                response.status().as_u16()
            )));
        }
        let mut bytes = response
            .bytes()
            .await
            .map_err(|error| self.broken(&error))?;
        bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(bytes.into())
    }

    /// A request for bytes as they lie there: compressed, their numbers would be others.
    fn plain(&self, method: Method, path: &str) -> RequestBuilder {
        self.asking(method, path)
            .header(ACCEPT_ENCODING, "identity")
    }

    async fn sent(&self, request: RequestBuilder) -> Result<reqwest::Response, Error> {
        request.send().await.map_err(|error| self.broken(&error))
    }

    fn broken(&self, error: &reqwest::Error) -> Error {
        Error::of(self.name(), error)
    }

    fn unexpected(&self, reason: String) -> Error {
        Error::Unexpected {
            url: self.name().to_owned(),
            reason,
        }
    }
}
