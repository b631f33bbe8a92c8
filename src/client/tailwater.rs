//! A Tailwater service.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Error;
use crate::api::{self, Data, ErrorAnswer, IngestAnswer, ListAnswer, Status};
use crate::base::Time;
use crate::entry::decode::{Defaults, from_wire};
use crate::entry::{Entry, Position};
use crate::query::{
    ContextRequest, Direction, Facets, FacetsRequest, Histogram, HistogramRequest, NamespaceCount,
    Page, PageRequest, Start, Values, ValuesRequest,
};

/// Time to connect. A slow link takes a second or two; beyond this it is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The service sends a heartbeat every ten seconds.
const SILENCE: Duration = Duration::from_secs(35);

/// How to reach a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Sent as a bearer token and in Direktiv's headers.
    pub token: Option<String>,
    /// Time without a byte after which a connection is given up.
    pub silence: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            token: None,
            silence: SILENCE,
        }
    }
}

/// A service elsewhere. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    name: String,
}

/// A body to push.
#[derive(Debug)]
pub enum Ingest {
    /// Newline-delimited JSON.
    Ndjson(Vec<u8>),
}

impl Client {
    /// A service at an address: `http://host:port`, `https://…`, or `unix:/path/to/socket`.
    ///
    /// # Errors
    /// The address is none, or the token cannot stand in a header.
    pub fn new(address: &str, options: &Options) -> Result<Self, Error> {
        if let Some(path) = address.strip_prefix("unix:") {
            return Self::build(
                Url::parse("http://localhost/").ok(),
                address,
                Some(PathBuf::from(path)).as_deref(),
                options,
            );
        }
        let base = Url::parse(address)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        Self::build(base, address, None, options)
    }

    fn build(
        base: Option<Url>,
        address: &str,
        socket: Option<&Path>,
        options: &Options,
    ) -> Result<Self, Error> {
        let mut base = base.ok_or_else(|| Error::Address(address.to_owned()))?;
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        base.set_query(None);
        base.set_fragment(None);
        let mut builder = reqwest::Client::builder()
            .default_headers(headers(options, address)?)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(options.silence)
            .tcp_nodelay(true);
        if let Some(path) = socket {
            builder = builder.unix_socket(path);
        }
        let http = builder
            .build()
            .map_err(|error| Error::of(address, &error))?;
        Ok(Self {
            http,
            base,
            name: address.trim_end_matches('/').to_owned(),
        })
    }

    /// The address it was made from.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn url(&self, path: &str) -> Url {
        // The paths are constants below the base: they always join.
        self.base
            .join(path.trim_start_matches('/'))
            .unwrap_or_else(|_| self.base.clone())
    }

    pub(super) fn request(&self, path: &str, params: &impl Serialize) -> RequestBuilder {
        self.http.get(self.url(path)).query(params)
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        params: &impl Serialize,
    ) -> Result<T, Error> {
        let response = self
            .request(path, params)
            .send()
            .await
            .map_err(|error| Error::of(&self.name, &error))?;
        self.answer(response).await
    }

    async fn answer<T: DeserializeOwned>(&self, response: Response) -> Result<T, Error> {
        let response = self.accepted(response).await?;
        let body = response
            .bytes()
            .await
            .map_err(|error| Error::of(&self.name, &error))?;
        serde_json::from_slice(&body).map_err(|error| Error::Unexpected {
            url: self.name.clone(),
            reason: error.to_string(),
        })
    }

    async fn accepted(&self, response: Response) -> Result<Response, Error> {
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let header = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let body = response.bytes().await.unwrap_or_default();
        let (code, message) = match serde_json::from_slice::<ErrorAnswer>(&body) {
            Ok(answer) => (answer.error.code, answer.error.message),
            Err(_) => (
                String::new(),
                String::from_utf8_lossy(&body).chars().take(200).collect(),
            ),
        };
        Err(Error::Refused {
            url: self.name.clone(),
            status,
            code,
            message,
            retry_after: header.map(Duration::from_secs),
        })
    }

    /// What the service says of itself.
    ///
    /// # Errors
    /// It cannot be reached, refuses, or is no such service.
    pub async fn status(&self) -> Result<Status, Error> {
        Ok(self.get::<Data<Status>>(api::path::STATUS, &()).await?.data)
    }

    /// Namespaces and what they hold.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn namespaces(&self) -> Result<Vec<NamespaceCount>, Error> {
        Ok(self
            .get::<Data<Vec<NamespaceCount>>>(api::path::NAMESPACES, &())
            .await?
            .data)
    }

    /// One page.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn page(&self, request: &PageRequest) -> Result<Page, Error> {
        let way = if request.direction == Direction::Older {
            "older"
        } else {
            "newer"
        };
        let cursor = match request.start {
            Start::End => None,
            Start::Beyond(key) => Some(
                crate::query::Cursor {
                    key,
                    direction: request.direction,
                }
                .to_string(),
            ),
        };
        let params = api::ListParams {
            query: Some(request.query.to_string()).filter(|text| !text.is_empty()),
            limit: Some(request.limit.to_string()),
            direction: Some(way.to_owned()),
            cursor,
            ..api::ListParams::default()
        };
        let answer = self.get(api::path::LOGS, &params).await?;
        Ok(page_of(answer))
    }

    /// Counts over time.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn histogram(&self, request: &HistogramRequest) -> Result<Histogram, Error> {
        let params = api::HistogramParams {
            query: Some(request.query.to_string()),
            after: request.after.map(|time| time.to_string()),
            before: request.before.map(|time| time.to_string()),
            buckets: Some(request.buckets.to_string()),
        };
        Ok(self
            .get::<Data<Histogram>>(api::path::HISTOGRAM, &params)
            .await?
            .data)
    }

    /// The most frequent values of a field.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn facets(&self, request: &FacetsRequest) -> Result<Facets, Error> {
        let params = api::FacetsParams {
            query: Some(request.query.to_string()),
            field: Some(request.field.name().to_owned()),
            limit: Some(request.limit.to_string()),
        };
        Ok(self
            .get::<Data<Facets>>(api::path::FACETS, &params)
            .await?
            .data)
    }

    /// Completions.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn values(&self, request: &ValuesRequest) -> Result<Values, Error> {
        let params = match request {
            ValuesRequest::Names(prefix) => api::ValuesParams {
                field: None,
                prefix: Some(prefix.clone()),
            },
            ValuesRequest::Of(field, prefix) => api::ValuesParams {
                field: Some(field.name().to_owned()),
                prefix: Some(prefix.clone()),
            },
        };
        Ok(self
            .get::<Data<Values>>(api::path::VALUES, &params)
            .await?
            .data)
    }

    /// One entry, if it is kept.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn entry(&self, position: Position) -> Result<Option<Entry>, Error> {
        let path = api::path::ENTRY.replace("{id}", &position.to_string());
        match self.get::<Data<Value>>(&path, &()).await {
            Ok(answer) => Ok(entries_of(vec![answer.data]).pop()),
            Err(Error::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What surrounds an entry; `None` when it is not kept.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn context(&self, request: &ContextRequest) -> Result<Option<Page>, Error> {
        let path = api::path::CONTEXT.replace("{id}", &request.position.to_string());
        let params = api::ContextParams {
            query: Some(request.query.to_string()),
            before: Some(request.before.to_string()),
            after: Some(request.after.to_string()),
        };
        match self.get::<ListAnswer>(&path, &params).await {
            Ok(answer) => Ok(Some(page_of(answer))),
            Err(Error::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Pushes entries; into one namespace, if it is named.
    ///
    /// # Errors
    /// As [`Client::status`]; that nothing was accepted is no error but said in the answer.
    pub async fn ingest(
        &self,
        namespace: Option<&str>,
        Ingest::Ndjson(body): Ingest,
    ) -> Result<IngestAnswer, Error> {
        let path = match namespace {
            Some(namespace) => {
                let segment: String = url_segment(namespace);
                api::path::NAMESPACE_LOGS.replace("{namespace}", &segment)
            }
            None => api::path::LOGS.to_owned(),
        };
        let request = self
            .http
            .post(self.url(&path))
            .header(CONTENT_TYPE, "application/x-ndjson")
            .body(body);
        let response = request
            .send()
            .await
            .map_err(|error| Error::of(&self.name, &error))?;
        if response.status().as_u16() == 400 {
            let body = response
                .bytes()
                .await
                .map_err(|error| Error::of(&self.name, &error))?;
            return serde_json::from_slice(&body).map_err(|error| Error::Unexpected {
                url: self.name.clone(),
                reason: error.to_string(),
            });
        }
        self.answer(response).await
    }
}

/// One segment of a path, escaped as URLs want it.
pub(super) fn url_segment(text: &str) -> String {
    let mut url = Url::parse("http://localhost/").expect("a valid address");
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.clear().push(text);
    }
    url.path().trim_start_matches('/').to_owned()
}

fn headers(options: &Options, address: &str) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    if let Some(token) = &options.token {
        let secret = |text: &str| -> Result<HeaderValue, Error> {
            let reason = || "the token has characters that a header cannot hold".to_owned();
            let mut value = HeaderValue::from_str(text).map_err(|_| Error::Unexpected {
                url: address.to_owned(),
                reason: reason(),
            })?;
            value.set_sensitive(true);
            Ok(value)
        };
        headers.insert(AUTHORIZATION, secret(&format!("Bearer {token}"))?);
        // Direktiv's generations look at one of these; each ignores the other.
        headers.insert("direktiv-token", secret(token)?);
        headers.insert("direktiv-api-key", secret(token)?);
    }
    Ok(headers)
}

pub(super) fn entries_of(data: Vec<Value>) -> Vec<Entry> {
    let defaults = Defaults::at(Time::default());
    data.into_iter()
        .filter_map(|value| match value {
            Value::Object(object) => Some(from_wire(object, &defaults)),
            _ => None,
        })
        .collect()
}

fn page_of(answer: ListAnswer) -> Page {
    let cursor = |text: Option<String>| text.and_then(|text| text.parse().ok());
    let meta = answer.meta;
    Page {
        entries: entries_of(answer.data),
        older: cursor(meta.older),
        newer: cursor(meta.newer),
        head: Position(meta.head),
        partial: meta.partial,
        progress: meta.progress,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked() {
        for good in [
            "http://127.0.0.1:7420",
            "https://logs.example/base/",
            "unix:/tmp/x.sock",
        ] {
            assert!(Client::new(good, &Options::default()).is_ok(), "{good}");
        }
        for bad in ["", "localhost:7420", "ftp://x", "http://", "/var/log"] {
            assert!(
                matches!(
                    Client::new(bad, &Options::default()),
                    Err(Error::Address(_))
                ),
                "{bad}"
            );
        }
        let based =
            Client::new("https://logs.example/base", &Options::default()).expect("a client");
        assert_eq!(
            based.url(api::path::LOGS).as_str(),
            "https://logs.example/base/api/v2/logs"
        );
        assert_eq!(url_segment("a b/ü"), "a%20b%2F%C3%BC");
    }
}
