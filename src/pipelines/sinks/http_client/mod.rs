//! A service elsewhere: batches, one after the other, each until it is taken.

mod body;

use std::io::Write;
use std::time::Duration;

use super::{Failure, Outcome};
use crate::client::{self, Shipper};
use crate::pipelines::Error;
use crate::pipelines::format::Format;
use crate::pipelines::options::{Compression, HttpClientOptions, Preset};
use crate::pipelines::queue::Appetite;
use crate::pipelines::record::Record;

/// Bytes of a body at the most, before it is compressed: more goes into the next.
const MAX_BODY_BYTES: usize = 4 << 20;

/// Posts batches.
#[derive(Debug)]
pub(in crate::pipelines) struct HttpClientSink {
    format: Format,
    options: HttpClientOptions,
    shipper: Shipper,
}

impl HttpClientSink {
    /// Posts to the address of the options, at the path that the other end's kind has.
    ///
    /// # Errors
    /// The address is none, or a header cannot be sent.
    pub fn new(format: Format, options: HttpClientOptions) -> Result<Self, Error> {
        if options.compression == Compression::Zstd {
            let reason = "compression of an http_client is none or gzip, found zstd";
            return Err(Error::Said(reason.to_owned()));
        }
        let shipper = Shipper::new(
            &options.url,
            path(options.preset),
            options.token.as_deref(),
            &options.headers,
            options.timeout.0,
        )?;
        Ok(Self {
            format,
            options,
            shipper,
        })
    }

    pub fn appetite(&self) -> Appetite {
        Appetite {
            records: self.options.batch_size.max(1),
            patience: self.options.batch_delay.0,
        }
    }

    /// The first and the longest wait before a retry.
    pub fn patience(&self) -> (Duration, Duration) {
        (self.options.retry_delay.0, self.options.max_retry_delay.0)
    }

    /// Posts as many records as go into one body after the other.
    pub async fn deliver(&mut self, records: &[Record]) -> Outcome {
        let mut outcome = Outcome::default();
        while outcome.delivered < records.len() {
            let rest = &records[outcome.delivered..];
            let (mut count, mut weight) = (0, 0);
            for record in rest.iter().take(self.options.batch_size.max(1)) {
                weight += record.weight();
                if weight > MAX_BODY_BYTES && count > 0 {
                    break;
                }
                count += 1;
            }
            match self.post(&rest[..count]).await {
                Ok((bytes, lost)) => {
                    outcome.delivered += count;
                    outcome.bytes += bytes;
                    outcome.lost += lost;
                }
                Err(error) => {
                    outcome.failure = Some(failure(&error, count));
                    break;
                }
            }
        }
        outcome
    }

    /// Bytes sent, and how many of the records were refused for good.
    async fn post(&self, records: &[Record]) -> Result<(usize, usize), client::Error> {
        let (body, content_type) = body::of(records, &self.options, &self.format);
        let (body, encoding) = match self.options.compression {
            Compression::Gzip => (compressed(&body).unwrap_or(body), Some("gzip")),
            Compression::None | Compression::Zstd => (body, None),
        };
        let size = body.len();
        let answer = self.shipper.ship(body, content_type, encoding).await?;
        Ok((size, body::refused(self.options.preset, &answer)))
    }
}

/// The path below an address that has none.
const fn path(preset: Preset) -> &'static str {
    match preset {
        Preset::Tailwater => "api/v2/logs",
        Preset::Loki => "loki/api/v1/push",
        Preset::Otlp => "v1/logs",
        Preset::VictoriaLogs => {
            "insert/jsonline?_time_field=time&_msg_field=msg&_stream_fields=namespace,source"
        }
        Preset::Elasticsearch => "_bulk",
        Preset::Json => "",
    }
}

fn failure(error: &client::Error, count: usize) -> Failure {
    // What is not understood today is not understood tomorrow; who is asked for a token may be given one.
    let refused = match error {
        client::Error::Refused { status, .. } => {
            let passes = matches!(status, 401 | 403 | 404 | 408 | 425 | 429) || *status >= 500;
            if passes { 0 } else { count }
        }
        _ => 0,
    };
    let after = match error {
        client::Error::Refused { retry_after, .. } => *retry_after,
        _ => None,
    };
    Failure {
        reason: error.to_string(),
        refused,
        after,
        is_final: false,
    }
}

fn compressed(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}
