//! The way to a service: its address, what is sent along, what an answer means.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Error;
use crate::api;

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
    /// Where entries are: those of all namespaces, or of one.
    logs: String,
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
            logs: api::path::LOGS.to_owned(),
        })
    }

    /// The same service, asked for entries of one namespace only: what a token of that namespace allows.
    #[must_use]
    pub fn within(self, namespace: &str) -> Self {
        let logs = api::path::NAMESPACE_LOGS.replace("{namespace}", &url_segment(namespace));
        Self { logs, ..self }
    }

    /// A path below the entries of all namespaces, below those of ours.
    pub(super) fn of_ours(&self, path: &str) -> String {
        path.replacen(api::path::LOGS, &self.logs, 1)
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

    pub(super) fn asking(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(self.url(path))
    }

    pub(super) fn posting(&self, url: Url) -> RequestBuilder {
        self.http.post(url)
    }

    /// What pipelines did, in whatever form the caller reads it.
    ///
    /// # Errors
    /// Nobody answers, or something else than expected.
    pub async fn pipelines<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let answer: api::Data<T> = self.get(api::path::PIPELINES, &()).await?;
        Ok(answer.data)
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        params: &impl Serialize,
    ) -> Result<T, Error> {
        self.ask(self.request(path, params)).await
    }

    /// Sends a request and reads the answer.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<T, Error> {
        let sent = request.send().await;
        let sent = sent.map_err(|error| Error::of(&self.name, &error))?;
        self.answer(sent).await
    }

    /// Sends a request; its answer is no refusal.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let sent = request.send().await;
        let sent = sent.map_err(|error| Error::of(&self.name, &error))?;
        self.accepted(sent).await
    }

    pub(super) async fn answer<T: DeserializeOwned>(&self, response: Response) -> Result<T, Error> {
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

    pub(super) async fn accepted(&self, response: Response) -> Result<Response, Error> {
        if response.status().is_success() {
            return Ok(response);
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.unwrap_or_default();
        Err(self.refused(status, &headers, &body))
    }

    /// What a refusal says.
    pub(super) fn refused(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        let wait = headers.get(RETRY_AFTER);
        let wait = wait.and_then(|value| value.to_str().ok()?.parse().ok());
        let told: Value = serde_json::from_slice(body).unwrap_or_default();
        let told = &told["error"];
        // Direktiv's codes are words or numbers.
        let code = match &told["code"] {
            Value::String(code) => code.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let message = match told["message"].as_str() {
            Some(message) => message.to_owned(),
            // A page for people says less than its status.
            None if body.trim_ascii_start().starts_with(b"<") => {
                status.canonical_reason().unwrap_or("an error").to_owned()
            }
            None => String::from_utf8_lossy(body).chars().take(200).collect(),
        };
        Error::Refused {
            url: self.name.clone(),
            status: status.as_u16(),
            code,
            message,
            retry_after: wait.map(Duration::from_secs),
        }
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
