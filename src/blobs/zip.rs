//! Everything below a prefix as one archive, made while it is read.

use std::io::{self, Write};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{CompressionMethod, DateTime};

use super::{Blob, Blobs, Chunks, Error, ListRequest, Prefix};

/// Names read together.
const PAGE: usize = 200;
/// Pieces that wait for whoever is slower.
const QUEUE: usize = 4;
/// Bytes given together.
const PIECE_BYTES: usize = 64 << 10;
/// From here on the archive needs the larger form of a file.
const LARGE: u64 = u32::MAX as u64 - (1 << 20);

/// The bytes of an archive, in order; ends with the first failure.
pub type Archive = Chunks;

/// What goes into an archive.
enum Piece {
    File(Blob, String),
    Bytes(Bytes),
}

impl Blobs {
    /// An archive of everything below a prefix; `None` when there is nothing.
    ///
    /// # Errors
    /// The place does not answer. A later failure ends the archive.
    pub async fn zip(&self, prefix: &Prefix) -> Result<Option<Archive>, Error> {
        let request = ListRequest {
            is_level: false,
            prefix: prefix.clone(),
            after: None,
            limit: PAGE,
        };
        let first = self.list(&request).await?;
        if first.blobs.is_empty() {
            return Ok(None);
        }
        let (pieces, wanted) = mpsc::channel(QUEUE);
        let (out, bytes) = mpsc::channel(QUEUE);
        let failed = out.clone();
        let blobs = self.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = write(wanted, out.clone()) {
                let failed = Error::disk("write", "an archive")(error);
                let _ = out.blocking_send(Err(failed));
            }
        });
        tokio::spawn(async move {
            if let Err(error) = blobs.feed(request, first, &pieces).await {
                let _ = failed.send(Err(error)).await;
                // The archive must not end as if it were whole.
                failed.closed().await;
            }
        });
        Ok(Some(ReceiverStream::new(bytes).boxed()))
    }

    async fn feed(
        &self,
        mut request: ListRequest,
        mut page: super::Listed,
        pieces: &mpsc::Sender<Piece>,
    ) -> Result<(), Error> {
        loop {
            for blob in page.blobs {
                // What was deleted meanwhile is no longer there.
                let Some(found) = self.find(&blob.key).await? else {
                    continue;
                };
                let name = request.prefix.within(&blob.key).to_owned();
                let file = Piece::File(found.blob.clone(), name);
                if pieces.send(file).await.is_err() {
                    return Ok(());
                }
                let mut chunks = found.read_all();
                while let Some(bytes) = chunks.try_next().await? {
                    if pieces.send(Piece::Bytes(bytes)).await.is_err() {
                        return Ok(());
                    }
                }
            }
            if page.next.is_none() {
                return Ok(());
            }
            request.after = page.next;
            page = self.list(&request).await?;
        }
    }
}

/// Writes pieces as an archive.
fn write(
    mut pieces: mpsc::Receiver<Piece>,
    out: mpsc::Sender<Result<Bytes, Error>>,
) -> io::Result<()> {
    let mut zip = ZipWriter::new_stream(Out {
        sender: out,
        pending: Vec::new(),
    });
    while let Some(piece) = pieces.blocking_recv() {
        match piece {
            Piece::File(blob, name) => {
                let time = blob.modified.timestamp().to_zoned(jiff::tz::TimeZone::UTC);
                let time = DateTime::from_date_and_time(
                    u16::try_from(time.year()).unwrap_or(1980),
                    u8::try_from(time.month()).unwrap_or(1),
                    u8::try_from(time.day()).unwrap_or(1),
                    u8::try_from(time.hour()).unwrap_or(0),
                    u8::try_from(time.minute()).unwrap_or(0),
                    u8::try_from(time.second()).unwrap_or(0),
                );
                let options = SimpleFileOptions::default()
                    .compression_method(CompressionMethod::Deflated)
                    .last_modified_time(time.unwrap_or_default())
                    .large_file(blob.size > LARGE);
                zip.start_file(name, options)?;
            }
            Piece::Bytes(bytes) => zip.write_all(&bytes)?,
        }
    }
    zip.finish()?.into_inner().flush()
}

/// Gives bytes away in pieces.
struct Out {
    sender: mpsc::Sender<Result<Bytes, Error>>,
    pending: Vec<u8>,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let piece = std::mem::take(&mut self.pending).into();
        let sent = self.sender.blocking_send(Ok(piece));
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
