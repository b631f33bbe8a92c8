//! A bucket, and what is particular about it: values lie there as they are, unless they shall be compressed, so that links
//! to them can lead past the service.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use http::Method;
use object_store::aws::{AmazonS3, AmazonS3Builder, S3CopyIfNotExists};
use object_store::path::Path as Location;
use object_store::signer::Signer;
use object_store::{
    Attribute, AttributeValue, Attributes, ClientOptions, GetOptions, GetRange, ObjectStore,
    ObjectStoreExt, RetryConfig,
};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::download::{Form, Source};
use super::key::STAGING;
use super::place::{Stored, listed_as, time};
use super::rest::{About, Tail};
use super::{Blob, Digest, Download, Error, Key, Notes, Permit, Prefix, S3};

/// Bytes at the end of a compressed value that are read first.
const TAIL_BYTES: u64 = 64 << 10;
/// A bucket that does not answer is told to the caller, who may come again.
const PATIENCE: Duration = Duration::from_secs(20);
/// Metadata of objects is ASCII.
const PLAIN: &AsciiSet = &CONTROLS.add(b'%');
const DIGEST: Attribute = Attribute::Metadata(std::borrow::Cow::Borrowed("tailwater-sha256"));
const NOTES: Attribute = Attribute::Metadata(std::borrow::Cow::Borrowed("tailwater-notes"));
const FORM: Attribute = Attribute::Metadata(std::borrow::Cow::Borrowed("tailwater-form"));
const FRAMES: &str = "frames";
/// What is left of an upload after so long is nobody's.
const STALE: Duration = Duration::from_hours(24);

/// A bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    store: Arc<AmazonS3>,
    /// With a slash at its end, unless it is empty.
    prefix: String,
    pub compress: bool,
}

/// An object as it was found.
#[derive(Clone, Debug)]
pub(super) struct Object {
    store: Arc<AmazonS3>,
    location: Location,
    etag: Option<String>,
}

impl Object {
    pub async fn read(&self, range: Range<u64>) -> Result<Bytes, Error> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            // Half of one value and half of its successor are no value.
            if_match: self.etag.clone(),
            ..GetOptions::default()
        };
        let found = self.store.get_opts(&self.location, options).await?;
        Ok(found.bytes().await?)
    }
}

impl Bucket {
    pub fn open(options: &S3) -> Result<Self, Error> {
        let retry = RetryConfig {
            max_retries: 4,
            retry_timeout: PATIENCE,
            ..RetryConfig::default()
        };
        let client = ClientOptions::new()
            .with_allow_http(true)
            .with_connect_timeout(Duration::from_secs(5))
            // Large parts over slow lines; what stalls is ended by it too.
            .with_timeout(Duration::from_mins(10));
        // Keys that are not said come from where the machine has them.
        let mut builder = if options.access_key_id.is_some() {
            AmazonS3Builder::new()
        } else {
            AmazonS3Builder::from_env()
        };
        builder = builder
            .with_bucket_name(&options.bucket)
            .with_region(&options.region)
            .with_virtual_hosted_style_request(!options.path_style)
            .with_copy_if_not_exists(S3CopyIfNotExists::Multipart)
            .with_client_options(client)
            .with_retry(retry);
        if let Some(endpoint) = &options.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let (Some(id), Some(secret)) = (&options.access_key_id, &options.secret_access_key) {
            builder = builder
                .with_access_key_id(id)
                .with_secret_access_key(secret);
        }
        if let Some(token) = &options.session_token {
            builder = builder.with_token(token);
        }
        let prefix = options.prefix.trim_matches('/');
        Ok(Self {
            store: Arc::new(builder.build()?),
            prefix: if prefix.is_empty() {
                String::new()
            } else {
                format!("{prefix}/")
            },
            compress: options.compress,
        })
    }

    pub fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.store) as Arc<dyn ObjectStore>
    }

    /// What all paths begin with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    pub fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub async fn find(&self, key: &Key, location: &Location) -> Result<Option<Download>, Error> {
        let options = GetOptions {
            head: true,
            ..GetOptions::default()
        };
        let found = match self.store.get_opts(location, options).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let (meta, attributes) = (found.meta, found.attributes);
        let text = |name: &Attribute| attributes.get(name).map(|value| value.as_ref().to_owned());
        let source = Object {
            store: Arc::clone(&self.store),
            location: location.clone(),
            etag: meta.e_tag.clone(),
        };
        let modified = time(meta.last_modified);
        if text(&FORM).is_some_and(|form| form == FRAMES) {
            let trailer = self.trailer(&source, meta.size, key).await?;
            let about = trailer.about.clone();
            let blob = Blob {
                key: key.clone(),
                size: about.size,
                tag: about.digest.to_string(),
                digest: Some(about.digest),
                content_type: about.content_type,
                modified,
                notes: about.notes,
            };
            let form = Form::Frames(Arc::new(trailer));
            return Ok(Some(Download::new(blob, form, Source::Object(source))));
        }
        let digest = text(&DIGEST).and_then(|digest| Digest::from_hex(&digest));
        let etag = meta.e_tag.map(|tag| tag.trim_matches('"').to_owned());
        let blob = Blob {
            key: key.clone(),
            size: meta.size,
            tag: digest.map_or_else(|| etag.unwrap_or_default(), |digest| digest.to_string()),
            digest,
            content_type: text(&Attribute::ContentType),
            modified,
            notes: text(&NOTES)
                .map(|notes| read_notes(&notes))
                .unwrap_or_default(),
        };
        Ok(Some(Download::new(
            blob,
            Form::Plain,
            Source::Object(source),
        )))
    }

    async fn trailer(
        &self,
        object: &Object,
        stored: u64,
        key: &Key,
    ) -> Result<super::rest::Trailer, Error> {
        let mut length = TAIL_BYTES.min(stored);
        loop {
            let bytes = object.read(stored - length..stored).await?;
            match Tail::read(&bytes, stored) {
                Ok(Tail::Whole(trailer)) => return Ok(trailer),
                Ok(Tail::Needs(more)) => length = more,
                Err(reason) => {
                    return Err(Error::Damaged {
                        key: key.clone(),
                        reason: reason.to_owned(),
                    });
                }
            }
        }
    }

    /// What is said of an object when its bytes begin to come.
    pub fn attributes(
        &self,
        content_type: Option<&str>,
        digest: Option<Digest>,
        notes: &Notes,
    ) -> Attributes {
        let mut attributes = Attributes::new();
        let mut say = |name: Attribute, value: String| {
            attributes.insert(name, AttributeValue::from(value));
        };
        if self.compress {
            say(FORM, FRAMES.to_owned());
            return attributes;
        }
        if let Some(kind) = content_type {
            say(Attribute::ContentType, kind.to_owned());
        }
        if let Some(digest) = digest {
            say(DIGEST, digest.to_string());
        }
        if !notes.0.is_empty() {
            let text = serde_json::to_string(notes).unwrap_or_default();
            say(NOTES, utf8_percent_encode(&text, PLAIN).to_string());
        }
        attributes
    }

    pub async fn show(
        &self,
        staged: &Location,
        location: &Location,
        key: &Key,
        only_new: bool,
    ) -> Result<(), Error> {
        let copied = if only_new {
            self.store.copy_if_not_exists(staged, location).await
        } else {
            self.store.copy(staged, location).await
        };
        let _ = self.store.delete(staged).await;
        match copied {
            Err(object_store::Error::AlreadyExists { .. }) => Err(Error::Exists(key.clone())),
            other => Ok(other?),
        }
    }

    pub fn below(
        &self,
        prefix: &Prefix,
        after: Option<&Key>,
    ) -> BoxStream<'static, Result<Stored, Error>> {
        let folder = Location::parse(self.path(&prefix.to_string())).unwrap_or_default();
        let after = after.and_then(|key| Location::parse(self.path(key.as_str())).ok());
        let listed = match after {
            Some(after) => self.store.list_with_offset(Some(&folder), &after),
            None => self.store.list(Some(&folder)),
        };
        let before = self.prefix.clone();
        listed_as(listed, move |path| {
            Key::parse(path.strip_prefix(&before)?).ok()
        })
    }

    /// A link past the service; none to what has to be decompressed.
    pub async fn presigned(
        &self,
        location: &Location,
        key: &Key,
        permit: Permit,
        lasts: Duration,
    ) -> Result<Option<String>, Error> {
        let method = match permit {
            Permit::Upload => Method::PUT,
            Permit::Archive => return Ok(None),
            Permit::Download => {
                let found = self.find(key, location).await?;
                if found.is_some_and(|found| !matches!(found.form, Form::Plain)) {
                    return Ok(None);
                }
                Method::GET
            }
        };
        let url = self.store.signed_url(method, location, lasts).await?;
        Ok(Some(url.to_string()))
    }

    pub async fn tidy(&self) {
        let folder = Location::parse(self.path(STAGING)).unwrap_or_default();
        let mut left = self.store.list(Some(&folder));
        let stale = crate::base::Time::now().earlier(STALE);
        // What is not seen now is seen the next time.
        while let Ok(Some(meta)) = left.try_next().await {
            if time(meta.last_modified) < stale {
                let _ = self.store.delete(&meta.location).await;
            }
        }
    }

    pub async fn ping(&self) -> Result<(), Error> {
        let folder = Location::parse(self.path(STAGING)).unwrap_or_default();
        match self.store.list(Some(&folder)).next().await {
            Some(Err(error)) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// What an upload says of itself when it has ended, unless it is compressed.
    pub fn about(&self, about: &About) -> Attributes {
        let kind = about.content_type.as_deref();
        self.attributes(kind, Some(about.digest), &about.notes)
    }
}

fn read_notes(text: &str) -> Notes {
    let text = percent_decode_str(text).decode_utf8_lossy();
    serde_json::from_str(&text).unwrap_or_default()
}
