//! Storing a value as it comes.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use object_store::path::Path as Location;
use object_store::{
    Attributes, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, WriteMultipart,
};
use sha2::{Digest as _, Sha256};

use super::buffers::Buffer;
use super::place::Place;
use super::rest::{About, Encoder, FRAME, MAX_STORED_FRAME};
use super::{Blob, Blobs, Digest, Error, Key, Notes};
use crate::base::Time;

/// Bytes that are sent to a bucket together; a value of no more is sent at once.
const PART_BYTES: usize = 8 << 20;
/// Bytes that are written to a disk together.
const WRITE_BYTES: usize = 1 << 20;
/// Parts under way while the next one fills.
const PARTS: usize = 1;

/// What a value shall be.
#[derive(Clone, Debug, Default)]
pub struct NewBlob {
    /// Its type, kept as it is.
    pub content_type: Option<String>,
    /// What its SHA-256 has to be.
    pub digest: Option<Digest>,
    /// Whether there may be none of this name yet.
    pub only_new: bool,
    /// Words beside it.
    pub notes: Notes,
}

/// A value that is coming: nobody sees it before [`Upload::finish`]; dropped, it never was.
pub struct Upload {
    blobs: Blobs,
    key: Key,
    new: NewBlob,
    /// Makes the form at rest; `None` where values lie as they are.
    encoder: Option<Encoder>,
    hash: Sha256,
    size: u64,
    stored: u64,
    /// Stored bytes that there is room for.
    room: Option<u64>,
    /// Bytes as they came, up to a frame.
    coming: Buffer,
    /// Bytes of the form at rest, up to a part.
    pending: Buffer,
    parts: Option<(WriteMultipart, Location)>,
}

impl Blobs {
    /// Begins to store a value.
    ///
    /// # Errors
    /// The account is full, there is one already and there shall not be, or the place does not answer.
    pub async fn upload(&self, key: &Key, new: NewBlob) -> Result<Upload, Error> {
        let room = self.room(key.account()).await?;
        // Told before the bytes are sent; who comes first is decided when they are there.
        if new.only_new && self.0.place.stored_size(key).await?.is_some() {
            return Err(Error::Exists(key.clone()));
        }
        let encoder = if self.compresses() {
            let encoder = Encoder::new().map_err(Error::disk("compress", "a blob"))?;
            Some(encoder)
        } else {
            None
        };
        Ok(Upload {
            blobs: self.clone(),
            key: key.clone(),
            new,
            encoder,
            hash: Sha256::new(),
            size: 0,
            stored: 0,
            room,
            coming: self.0.buffers.take(FRAME),
            pending: self.0.buffers.take(0),
            parts: None,
        })
    }

    /// Stores a value that is at hand.
    ///
    /// # Errors
    /// As [`Blobs::upload`] and [`Upload::finish`].
    pub async fn put(&self, key: &Key, new: NewBlob, value: Bytes) -> Result<Blob, Error> {
        let mut upload = self.upload(key, new).await?;
        upload.write(value).await?;
        upload.finish().await
    }

    fn compresses(&self) -> bool {
        match &self.0.place {
            Place::Directory { .. } => true,
            #[cfg(feature = "s3")]
            Place::Bucket(bucket) => bucket.compress,
        }
    }
}

impl Upload {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// The value or the account grows too large, or the place does not answer; then it is over.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.size += bytes.len() as u64;
        let most = self.blobs.0.options.most;
        if self.size > most {
            return Err(Error::TooLarge { most });
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let room = FRAME - self.coming.len();
            let (now, more) = rest.split_at(room.min(rest.len()));
            self.coming.extend_from_slice(now);
            rest = more;
            if self.coming.len() == FRAME {
                self.frame().await?;
            }
        }
        Ok(())
    }

    /// Takes what has come into the digest, and sends it in the form at rest.
    async fn frame(&mut self) -> Result<(), Error> {
        let buffers = &self.blobs.0.buffers;
        let came = std::mem::replace(&mut self.coming, buffers.take(FRAME));
        let mut made = buffers.take(MAX_STORED_FRAME);
        let mut hash = std::mem::take(&mut self.hash);
        let encoder = self.encoder.take();
        let made = tokio::task::spawn_blocking(move || {
            hash.update(&*came);
            let Some(mut encoder) = encoder else {
                return Ok((hash, None, came));
            };
            encoder.frame(&came, &mut made)?;
            Ok((hash, Some(encoder), made))
        });
        let made = made.await.map_err(std::io::Error::other).flatten();
        let (hash, encoder, made) = made.map_err(Error::disk("compress", "a blob"))?;
        (self.hash, self.encoder) = (hash, encoder);
        self.send(&made).await
    }

    /// Shows the value under its name once it is safe.
    ///
    /// # Errors
    /// It is not what was promised, there is one already and there shall not be, or the place does not answer: then
    /// what was there before is there still.
    pub async fn finish(mut self) -> Result<Blob, Error> {
        if !self.coming.is_empty() {
            self.frame().await?;
        }
        let found = Digest(std::mem::take(&mut self.hash).finalize().into());
        if let Some(expected) = self.new.digest
            && expected != found
        {
            return Err(Error::Digest { expected, found });
        }
        let about = About {
            size: self.size,
            digest: found,
            content_type: self.new.content_type.clone(),
            notes: self.new.notes.clone(),
        };
        if let Some(encoder) = self.encoder.take() {
            let mut last = Vec::new();
            let finished = encoder.finish(&about, &mut last);
            finished.map_err(Error::disk("compress", "a blob"))?;
            self.send(&last).await?;
        }
        let before = if self.blobs.0.usage.is_counted(self.key.account()) {
            self.blobs.0.place.stored_size(&self.key).await?
        } else {
            None
        };
        self.name(&about).await?;
        let usage = &self.blobs.0.usage;
        usage.freed(self.key.account(), before.unwrap_or(0));
        usage.taken(self.key.account(), self.stored);
        let counted = &self.blobs.0.figures;
        counted.stored.fetch_add(1, Ordering::Relaxed);
        counted.bytes.fetch_add(about.size, Ordering::Relaxed);
        Ok(Blob {
            key: self.key.clone(),
            size: about.size,
            digest: Some(found),
            tag: found.to_string(),
            content_type: about.content_type,
            modified: Time::now(),
            notes: about.notes,
        })
    }

    async fn name(&mut self, about: &About) -> Result<(), Error> {
        let last = self.take_pending();
        let place = &self.blobs.0.place;
        let only_new = self.new.only_new;
        if let Some((parts, location)) = self.parts.take() {
            let mut parts = parts;
            parts.put(last);
            parts.finish().await?;
            if self.is_staged() || only_new {
                return place.show(&location, &self.key, only_new).await;
            }
            return Ok(());
        }
        let payload = last.into();
        let store = place.store();
        match place {
            Place::Directory { .. } => {
                let location = place.staging()?;
                store.put(&location, payload).await?;
                place.show(&location, &self.key, only_new).await
            }
            #[cfg(feature = "s3")]
            Place::Bucket(bucket) => {
                let mode = if only_new {
                    PutMode::Create
                } else {
                    PutMode::Overwrite
                };
                let options = PutOptions {
                    mode,
                    attributes: bucket.about(about),
                    ..PutOptions::default()
                };
                let location = place.location(&self.key)?;
                match object_store::ObjectStore::put_opts(&*store, &location, payload, options)
                    .await
                {
                    Ok(_) => Ok(()),
                    Err(object_store::Error::AlreadyExists { .. }) => {
                        Err(Error::Exists(self.key.clone()))
                    }
                    // A bucket may refuse before it has read the body, and then only the connection is seen to break.
                    Err(error) => {
                        let is_there = only_new && place.stored_size(&self.key).await?.is_some();
                        Err(if is_there {
                            Error::Exists(self.key.clone())
                        } else {
                            error.into()
                        })
                    }
                }
            }
        }
    }

    /// Whether its bytes go somewhere else first.
    fn is_staged(&self) -> bool {
        matches!(self.blobs.0.place, Place::Directory { .. })
    }

    /// Sends bytes of the form at rest.
    async fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.stored += bytes.len() as u64;
        if let Some(room) = self.room
            && self.stored > room
        {
            return Err(Error::Quota {
                account: self.key.account().to_owned(),
                quota: self.blobs.0.options.quota.unwrap_or_default(),
            });
        }
        if self.pending.capacity() == 0 {
            let room = self.part_bytes() + MAX_STORED_FRAME;
            self.pending = self.blobs.0.buffers.take(room);
        }
        self.pending.extend_from_slice(bytes);
        if self.pending.len() < self.part_bytes() {
            return Ok(());
        }
        if self.parts.is_none() {
            self.parts = Some(self.begin().await?);
        }
        if let Some((parts, _)) = &mut self.parts {
            parts.wait_for_capacity(PARTS).await?;
            let none = self.blobs.0.buffers.take(0);
            let part = std::mem::replace(&mut self.pending, none);
            parts.put(part.into());
        }
        Ok(())
    }

    fn take_pending(&mut self) -> Bytes {
        let none = self.blobs.0.buffers.take(0);
        std::mem::replace(&mut self.pending, none).into()
    }

    fn part_bytes(&self) -> usize {
        if self.is_staged() {
            WRITE_BYTES
        } else {
            PART_BYTES
        }
    }

    async fn begin(&mut self) -> Result<(WriteMultipart, Location), Error> {
        let place = &self.blobs.0.place;
        let attributes = match place {
            Place::Directory { .. } => Attributes::new(),
            #[cfg(feature = "s3")]
            Place::Bucket(bucket) => {
                let new = &self.new;
                bucket.attributes(new.content_type.as_deref(), new.digest, &new.notes)
            }
        };
        let location = if self.is_staged() || self.new.only_new {
            place.staging()?
        } else {
            place.location(&self.key)?
        };
        let options = PutMultipartOptions {
            attributes,
            ..PutMultipartOptions::default()
        };
        let store = place.store();
        let parts =
            object_store::ObjectStore::put_multipart_opts(&*store, &location, options).await?;
        let parts = WriteMultipart::new_with_chunk_size(parts, self.part_bytes());
        Ok((parts, location))
    }
}

/// What was sent of it is taken back.
impl Drop for Upload {
    fn drop(&mut self) {
        if let Some((parts, _)) = self.parts.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move {
                if let Err(error) = parts.abort().await {
                    tracing::warn!(%error, "the parts of an upload that was given up are left");
                }
            });
        }
    }
}
