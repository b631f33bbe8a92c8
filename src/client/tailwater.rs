//! A Tailwater service.

use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use super::connection::url_segment;
use super::{Client, Error};
use crate::api::{self, Data, IngestAnswer, ListAnswer, Status};
use crate::base::Time;
use crate::entry::decode::{Defaults, from_wire};
use crate::entry::{Entry, Position};
use crate::query::{
    CompareRequest, ContextRequest, Differences, Direction, Facets, FacetsRequest, Histogram,
    HistogramRequest, NamespaceCount, Page, PageRequest, PatternsRequest, Start, Templates, Values,
    ValuesRequest,
};

/// A body to push.
#[derive(Debug)]
pub enum Ingest {
    /// Newline-delimited JSON.
    Ndjson(Vec<u8>),
}

impl Client {
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
            full: Some("true".to_owned()),
            ..api::ListParams::default()
        };
        let answer = self.get(&self.of_ours(api::path::LOGS), &params).await?;
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
            .get::<Data<Histogram>>(&self.of_ours(api::path::HISTOGRAM), &params)
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
            .get::<Data<Facets>>(&self.of_ours(api::path::FACETS), &params)
            .await?
            .data)
    }

    /// Lines of one shape.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn patterns(&self, request: &PatternsRequest) -> Result<Templates, Error> {
        let params = api::PatternsParams {
            query: Some(request.query.to_string()),
            sample: Some(request.sample.to_string()),
            limit: Some(request.limit.to_string()),
        };
        let path = self.of_ours(api::path::PATTERNS);
        Ok(self.get::<Data<Templates>>(&path, &params).await?.data)
    }

    /// What is different in a span.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn compare(&self, request: &CompareRequest) -> Result<Differences, Error> {
        let params = api::CompareParams {
            query: Some(request.query.to_string()),
            from: Some(request.from.to_string()),
            to: Some(request.to.to_string()),
            sample: Some(request.sample.to_string()),
            limit: Some(request.limit.to_string()),
        };
        let path = self.of_ours(api::path::COMPARE);
        Ok(self.get::<Data<Differences>>(&path, &params).await?.data)
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
            .get::<Data<Values>>(&self.of_ours(api::path::VALUES), &params)
            .await?
            .data)
    }

    /// One entry, if it is kept.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn entry(&self, position: Position) -> Result<Option<Entry>, Error> {
        let path = self
            .of_ours(api::path::ENTRY)
            .replace("{id}", &position.to_string());
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
        let path = self
            .of_ours(api::path::CONTEXT)
            .replace("{id}", &request.position.to_string());
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
            .post(&path)
            .header(CONTENT_TYPE, "application/x-ndjson");
        let unreachable = |error: reqwest::Error| Error::of(self.name(), &error);
        let response = request.body(body).send().await.map_err(unreachable)?;
        if response.status().is_success() {
            return self.answer(response).await;
        }
        // A refusal may tell how much was accepted nonetheless.
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(unreachable)?;
        match serde_json::from_slice(&body) {
            Ok(answer) => Ok(answer),
            Err(_) => Err(self.refused(status, &headers, &body)),
        }
    }
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
