//! Bodies posted to whoever takes logs.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};

use super::{Client, Error, Options};

/// Posts bodies to one address.
#[derive(Clone, Debug)]
pub struct Shipper {
    client: Client,
    url: Url,
    headers: Vec<(HeaderName, HeaderValue)>,
    timeout: Duration,
}

impl Shipper {
    /// Posts to an address; to `path` (which may have a query) below it when the address has none of its own.
    ///
    /// # Errors
    /// The address is none, or a header cannot be sent.
    pub fn new(
        address: &str,
        path: &str,
        token: Option<&str>,
        headers: &BTreeMap<String, String>,
        timeout: Duration,
    ) -> Result<Self, Error> {
        let options = Options {
            token: token.map(str::to_owned),
            ..Options::default()
        };
        let client = Client::new(address, &options)?;
        let bad = || Error::Address(address.to_owned());
        let url = match address.strip_prefix("unix:") {
            Some(_) => Url::parse("http://localhost/").map_err(|_| bad())?,
            None => Url::parse(address).map_err(|_| bad())?,
        };
        let url = if url.path() == "/" && url.query().is_none() {
            url.join(path).map_err(|_| bad())?
        } else {
            url
        };
        Ok(Self {
            headers: parsed(address, headers)?,
            client,
            url,
            timeout,
        })
    }

    /// The same with more headers, over the same connections.
    ///
    /// # Errors
    /// One of them cannot be sent.
    pub fn with_headers(&self, headers: &BTreeMap<String, String>) -> Result<Self, Error> {
        let mut with = self.clone();
        with.headers.extend(parsed(self.client.name(), headers)?);
        Ok(with)
    }

    /// Posts a body; what was answered.
    ///
    /// # Errors
    /// Nobody answers in time, or the answer is a refusal.
    pub async fn ship(
        &self,
        body: Vec<u8>,
        content_type: &str,
        encoding: Option<&str>,
    ) -> Result<Vec<u8>, Error> {
        let mut request = self.client.posting(self.url.clone()).timeout(self.timeout);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request = request.header(CONTENT_TYPE, content_type);
        if let Some(encoding) = encoding {
            request = request.header(CONTENT_ENCODING, encoding);
        }
        let answer = self.client.send(request.body(body)).await?;
        let body = answer.bytes().await;
        let body = body.map_err(|error| Error::of(self.client.name(), &error))?;
        Ok(body.to_vec())
    }
}

fn parsed(
    address: &str,
    headers: &BTreeMap<String, String>,
) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
    let headers = headers.iter().map(|(name, value)| {
        let header = (name.parse().ok(), value.parse().ok());
        let (Some(name), Some(value)) = header else {
            return Err(Error::Unexpected {
                url: address.to_owned(),
                reason: format!("the header {name:?} cannot be sent"),
            });
        };
        Ok((name, value))
    });
    headers.collect()
}
