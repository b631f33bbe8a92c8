//! Reading a value, or a range of it.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

use super::buffers::Buffers;
use super::rest::{FRAME, FRAME_BYTES, MAX_STORED_FRAME, Trailer, decode};
use super::{Blob, Blobs, Error, Key};

/// Frames read together: a few round trips of a bucket, and a bound on memory.
const FRAMES: u64 = 4;
/// Bytes of a plain value read together.
#[cfg(feature = "s3")]
const PLAIN_BYTES: u64 = FRAMES * FRAME_BYTES;

/// The bytes of a value, in order; ends with the first failure.
pub type Chunks = BoxStream<'static, Result<Bytes, Error>>;

/// A value that was found: it is read as it is now, whatever becomes of its name.
#[derive(Debug)]
pub struct Download {
    /// What is known of it.
    pub blob: Blob,
    pub(super) form: Form,
    pub(super) source: Source,
    pub(super) buffers: Buffers,
}

/// How a value lies there.
#[derive(Clone, Debug)]
pub(super) enum Form {
    Frames(Arc<Trailer>),
    #[cfg(feature = "s3")]
    Plain,
}

/// What its bytes are read from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    File(Arc<File>),
    #[cfg(feature = "s3")]
    Object(super::s3::Object),
}

impl Source {
    /// Frames that are read together: every request to a bucket takes its time.
    fn frames(&self) -> u64 {
        match self {
            Self::File(_) => 1,
            #[cfg(feature = "s3")]
            Self::Object(_) => FRAMES,
        }
    }

    async fn read(&self, place: Range<u64>, buffers: &Buffers) -> Result<Bytes, Error> {
        match self {
            Self::File(file) => {
                let file = Arc::clone(file);
                let length = usize::try_from(place.end - place.start).unwrap_or(usize::MAX);
                let mut bytes = buffers.take(length.max(MAX_STORED_FRAME));
                let read = tokio::task::spawn_blocking(move || {
                    bytes.resize(length, 0);
                    file.read_exact_at(&mut bytes, place.start)?;
                    Ok(bytes.into())
                });
                let read = read.await.map_err(std::io::Error::other);
                read.flatten().map_err(Error::disk("read", "a blob"))
            }
            #[cfg(feature = "s3")]
            Self::Object(object) => object.read(place).await,
        }
    }
}

impl Download {
    pub(super) fn new(blob: Blob, form: Form, source: Source) -> Self {
        Self {
            blob,
            form,
            source,
            buffers: Buffers::default(),
        }
    }

    /// The bytes of a range of it; what is beyond its end is left out.
    #[must_use]
    pub fn read(&self, range: Range<u64>) -> Chunks {
        let range = range.start.min(self.blob.size)..range.end.min(self.blob.size);
        let (form, source) = (self.form.clone(), self.source.clone());
        let (key, buffers) = (self.blob.key.clone(), self.buffers.clone());
        let next = move |at: u64| {
            let (form, source) = (form.clone(), source.clone());
            let (key, buffers) = (key.clone(), buffers.clone());
            let end = range.end;
            async move {
                if at >= end {
                    return None;
                }
                match part(&form, &source, at..end, (&key, &buffers)).await {
                    Ok(bytes) => {
                        let at = at + bytes.len() as u64;
                        Some((Ok(bytes), at))
                    }
                    // Nothing comes after a failure.
                    Err(error) => Some((Err(error), u64::MAX)),
                }
            }
        };
        stream::unfold(range.start, next).boxed()
    }

    /// All of it.
    #[must_use]
    pub fn read_all(&self) -> Chunks {
        self.read(0..u64::MAX)
    }
}

/// The first bytes of a range.
async fn part(
    form: &Form,
    source: &Source,
    range: Range<u64>,
    (key, buffers): (&Key, &Buffers),
) -> Result<Bytes, Error> {
    match form {
        Form::Frames(trailer) => {
            let mut frames = trailer.frames(&range);
            frames.end = frames.end.min(frames.start + source.frames());
            let count = usize::try_from(frames.end - frames.start).unwrap_or(1);
            let mut bytes = buffers.take(count * FRAME);
            let stored = source.read(trailer.place(&frames), buffers).await?;
            let decoded =
                tokio::task::spawn_blocking(move || decode(&stored, &mut bytes).map(|()| bytes));
            let decoded = decoded.await.map_err(std::io::Error::other).flatten();
            let bytes = decoded.map_err(|error| Error::Damaged {
                key: key.clone(),
                reason: error.to_string(),
            })?;
            let bytes = Bytes::from(bytes);
            let first = frames.start * FRAME_BYTES;
            let from = usize::try_from(range.start - first).unwrap_or(usize::MAX);
            let until = usize::try_from(range.end - first).unwrap_or(usize::MAX);
            if from >= bytes.len() {
                let reason = "a frame is shorter than its trailer says".to_owned();
                let key = key.clone();
                return Err(Error::Damaged { key, reason });
            }
            Ok(bytes.slice(from..until.min(bytes.len())))
        }
        #[cfg(feature = "s3")]
        Form::Plain => {
            let end = range.end.min(range.start + PLAIN_BYTES);
            source.read(range.start..end, buffers).await
        }
    }
}

impl Blobs {
    /// A value, to be read.
    ///
    /// # Errors
    /// The place does not answer, or what it holds is damaged.
    pub async fn find(&self, key: &Key) -> Result<Option<Download>, Error> {
        let found = self.0.place.find(key).await?;
        Ok(found.map(|found| Download {
            buffers: self.0.buffers.clone(),
            ..found
        }))
    }
}
