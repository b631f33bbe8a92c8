//! Where values are: a directory or a bucket, through `object_store`.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Location;
use object_store::{GetOptions, GetResultPayload, ObjectStore, ObjectStoreExt};

use super::download::{Form, Source};
use super::key::STAGING;
use super::rest::{FOOT, Tail};
use super::{Blob, Download, Error, Key, Options, Prefix};
use crate::base::Time;

/// Bytes at the end of a value that are read first: its trailer, unless it is very large.
const TAIL_BYTES: u64 = 16 << 10;

/// Where values are.
#[derive(Debug)]
pub(super) enum Place {
    Directory {
        root: PathBuf,
        files: Arc<LocalFileSystem>,
    },
    #[cfg(feature = "s3")]
    Bucket(super::s3::Bucket),
}

/// A value as a listing shows it.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub key: Key,
    /// Bytes at rest.
    pub bytes: u64,
    pub modified: Time,
}

impl Place {
    pub fn open(options: &Options, dir: &Path) -> Result<Self, Error> {
        #[cfg(feature = "s3")]
        if let Some(s3) = &options.s3 {
            return Ok(Self::Bucket(super::s3::Bucket::open(s3)?));
        }
        #[cfg(not(feature = "s3"))]
        if options.s3.is_some() {
            let reason = "this tailwater was built without S3";
            return Err(Error::Place(reason.to_owned()));
        }
        let root = dir.join("data");
        let staging = root.join(STAGING);
        fs::create_dir_all(&staging).map_err(Error::disk("create", &staging))?;
        let files = LocalFileSystem::new_with_prefix(&root)?.with_automatic_cleanup(true);
        // What was left of uploads that never ended.
        let list = fs::read_dir(&staging).map_err(Error::disk("list", &staging))?;
        for left in list.flatten() {
            let _ = fs::remove_file(left.path());
        }
        Ok(Self::Directory {
            root,
            files: Arc::new(files),
        })
    }

    /// Removes what was left of uploads that never ended, where others may be under way.
    pub async fn tidy(&self) {
        match self {
            Self::Directory { .. } => {}
            #[cfg(feature = "s3")]
            Self::Bucket(bucket) => bucket.tidy().await,
        }
    }

    pub fn store(&self) -> Arc<dyn ObjectStore> {
        match self {
            Self::Directory { files, .. } => Arc::clone(files) as Arc<dyn ObjectStore>,
            #[cfg(feature = "s3")]
            Self::Bucket(bucket) => bucket.store(),
        }
    }

    pub fn location(&self, key: &Key) -> Result<Location, Error> {
        let path = match self {
            Self::Directory { .. } => key.file(),
            #[cfg(feature = "s3")]
            Self::Bucket(bucket) => bucket.path(key.as_str()),
        };
        Location::parse(path).map_err(|error| Error::Place(error.to_string()))
    }

    /// Where a value is while it comes.
    pub fn staging(&self) -> Result<Location, Error> {
        let name = format!("{STAGING}/{}", uuid::Uuid::new_v4());
        let path = match self {
            Self::Directory { .. } => name,
            #[cfg(feature = "s3")]
            Self::Bucket(bucket) => bucket.path(&name),
        };
        Location::parse(path).map_err(|error| Error::Place(error.to_string()))
    }

    /// Whether listings come in the order of keys.
    pub fn is_sorted(&self) -> bool {
        !matches!(self, Self::Directory { .. })
    }

    /// A value, to be read.
    pub async fn find(&self, key: &Key) -> Result<Option<Download>, Error> {
        #[cfg(feature = "s3")]
        if let Self::Bucket(bucket) = self {
            return bucket.find(key, &self.location(key)?).await;
        }
        let (store, location) = (self.store(), self.location(key)?);
        let found = match store.get_opts(&location, GetOptions::default()).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            // A folder that is no longer there, or a file where a folder would be.
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let modified = time(found.meta.last_modified);
        let GetResultPayload::File(file, path) = found.payload else {
            return Err(Error::Place("expected a file".to_owned()));
        };
        let stored = found.meta.size;
        let key = key.clone();
        let read = tokio::task::spawn_blocking(move || {
            let reading = Error::disk("read", path);
            let tail = match read_tail(&file, stored) {
                Ok(tail) => tail,
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    let reason = error.to_string();
                    return Err(Error::Damaged { key, reason });
                }
                Err(error) => return Err(reading(error)),
            };
            let blob = Blob {
                size: tail.about.size,
                digest: Some(tail.about.digest),
                tag: tail.about.digest.to_string(),
                content_type: tail.about.content_type.clone(),
                notes: tail.about.notes.clone(),
                modified,
                key,
            };
            let source = Source::File(Arc::new(file));
            Ok(Some(Download::new(
                blob,
                Form::Frames(Arc::new(tail)),
                source,
            )))
        });
        read.await
            .map_err(|_| Error::Place("the reading was ended".to_owned()))?
    }

    /// Bytes at rest, if there is such a value.
    pub async fn stored_size(&self, key: &Key) -> Result<Option<u64>, Error> {
        match self.store().head(&self.location(key)?).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub async fn delete(&self, key: &Key) -> Result<(), Error> {
        match self.store().delete(&self.location(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Shows what was staged under its name; where there is one already, only if it may be replaced.
    pub async fn show(&self, staged: &Location, key: &Key, only_new: bool) -> Result<(), Error> {
        let root = match self {
            Self::Directory { root, .. } => root.clone(),
            #[cfg(feature = "s3")]
            Self::Bucket(bucket) => {
                return bucket
                    .show(staged, &self.location(key)?, key, only_new)
                    .await;
            }
        };
        let (staged, key) = (root.join(staged.as_ref()), key.clone());
        let shown = tokio::task::spawn_blocking(move || show(&root, &staged, &key, only_new));
        shown
            .await
            .map_err(|_| Error::Place("the storing was ended".to_owned()))?
    }

    /// The values of a prefix, those after a name if it is given.
    pub fn below(
        &self,
        prefix: &Prefix,
        after: Option<&Key>,
    ) -> BoxStream<'static, Result<Stored, Error>> {
        let after = after.cloned();
        let exact = self.exactly(prefix.key().cloned());
        let folder = prefix.key().map(Key::folder);
        let listed = match self {
            Self::Directory { root, files } => {
                let is_there = folder
                    .as_ref()
                    .is_none_or(|folder| root.join(folder).is_dir());
                let folder = folder.and_then(|folder| Location::parse(folder).ok());
                let listed = files.list(folder.as_ref());
                let name = |path: &str| Key::of_file(path);
                if is_there {
                    listed_as(listed, name)
                } else {
                    futures_util::stream::empty().boxed()
                }
            }
            #[cfg(feature = "s3")]
            Self::Bucket(bucket) => bucket.below(prefix, after.as_ref()),
        };
        let is_after =
            move |stored: &Stored| after.as_ref().is_none_or(|after| stored.key > *after);
        exact
            .chain(listed)
            .try_filter(move |stored| std::future::ready(is_after(stored)))
            .boxed()
    }

    /// What lies directly below a prefix: names that go on, and values.
    pub async fn level(&self, prefix: &Prefix) -> Result<(Vec<Key>, Vec<Key>), Error> {
        let (folder, before) = match self {
            Self::Directory { root, .. } => {
                let folder = prefix.key().map(Key::folder).unwrap_or_default();
                if !root.join(&folder).is_dir() {
                    return Ok(Default::default());
                }
                (folder, "")
            }
            #[cfg(feature = "s3")]
            Self::Bucket(bucket) => (bucket.path(&prefix.to_string()), bucket.prefix()),
        };
        let folder = Location::parse(folder).map_err(|error| Error::Place(error.to_string()))?;
        let listed = self.store().list_with_delimiter(Some(&folder)).await?;
        let own = |path: &Location| path.as_ref().strip_prefix(before).map(str::to_owned);
        let folders = listed.common_prefixes.iter().filter_map(own);
        let values = listed.objects.iter().filter_map(|meta| own(&meta.location));
        Ok(match self {
            Self::Directory { .. } => (
                folders.filter_map(|path| Key::of_folder(&path)).collect(),
                values.filter_map(|path| Key::of_file(&path)).collect(),
            ),
            #[cfg(feature = "s3")]
            Self::Bucket(_) => (
                folders.filter_map(|path| Key::parse(&path).ok()).collect(),
                values.filter_map(|path| Key::parse(&path).ok()).collect(),
            ),
        })
    }

    /// The value that a prefix itself names.
    fn exactly(&self, key: Option<Key>) -> BoxStream<'static, Result<Stored, Error>> {
        let located = key.and_then(|key| Some((self.location(&key).ok()?, key)));
        let Some((location, key)) = located else {
            return futures_util::stream::empty().boxed();
        };
        let store = self.store();
        let look = async move {
            match store.head(&location).await {
                Ok(meta) => Some(Ok(Stored {
                    key,
                    bytes: meta.size,
                    modified: time(meta.last_modified),
                })),
                Err(object_store::Error::NotFound { .. }) => None,
                Err(error) if is_missing(&error) => None,
                Err(error) => Some(Err(error.into())),
            }
        };
        futures_util::stream::once(look)
            .filter_map(std::future::ready)
            .boxed()
    }

    pub async fn ping(&self) -> Result<(), Error> {
        match self {
            Self::Directory { root, .. } => fs::metadata(root)
                .map_err(Error::disk("look at", root))
                .map(|_| ()),
            #[cfg(feature = "s3")]
            Self::Bucket(bucket) => bucket.ping().await,
        }
    }
}

/// Objects by the names that their paths stand for; what is not ours is left out.
pub(super) fn listed_as(
    objects: BoxStream<'static, object_store::Result<object_store::ObjectMeta>>,
    name: impl Fn(&str) -> Option<Key> + Send + 'static,
) -> BoxStream<'static, Result<Stored, Error>> {
    objects
        .map_err(Error::from)
        .try_filter_map(move |meta| {
            let stored = name(meta.location.as_ref()).map(|key| Stored {
                key,
                bytes: meta.size,
                modified: time(meta.last_modified),
            });
            std::future::ready(Ok(stored))
        })
        .boxed()
}

/// The times of `object_store`.
pub(super) fn time(time: chrono::DateTime<chrono::Utc>) -> Time {
    Time(time.timestamp_nanos_opt().unwrap_or_default())
}

/// A path through a file, or into a folder, names nothing.
fn is_missing(error: &object_store::Error) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            let kind = error.kind();
            return kind == io::ErrorKind::NotADirectory || kind == io::ErrorKind::NotFound;
        }
        source = error.source();
    }
    false
}

fn read_tail(file: &File, stored: u64) -> io::Result<super::rest::Trailer> {
    let damaged = |reason: &str| io::Error::new(io::ErrorKind::InvalidData, reason.to_owned());
    let mut length = TAIL_BYTES.min(stored).max((FOOT as u64).min(stored));
    loop {
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        file.read_exact_at(&mut bytes, stored - length)?;
        match Tail::read(&bytes, stored).map_err(damaged)? {
            Tail::Whole(trailer) => return Ok(trailer),
            Tail::Needs(more) => length = more,
        }
    }
}

/// Syncs a file, gives it its name, and syncs the folders that say so.
fn show(root: &Path, staged: &Path, key: &Key, only_new: bool) -> Result<(), Error> {
    let path = root.join(key.file());
    let parent = path.parent().unwrap_or(root);
    let synced = File::open(staged).and_then(|file| file.sync_all());
    synced.map_err(Error::disk("sync", staged))?;
    // Another's deletion may take an empty folder away between making and using it.
    for attempt in 0.. {
        fs::create_dir_all(parent).map_err(Error::disk("create", parent))?;
        let named = if only_new {
            fs::hard_link(staged, &path)
        } else {
            fs::rename(staged, &path)
        };
        match named {
            Ok(()) => break,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let _ = fs::remove_file(staged);
                return Err(Error::Exists(key.clone()));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempt < 100 => {}
            Err(error) => return Err(Error::disk("name", path)(error)),
        }
    }
    if only_new {
        let _ = fs::remove_file(staged);
    }
    for folder in parent
        .ancestors()
        .take_while(|folder| folder.starts_with(root))
    {
        // A folder that has been taken away meanwhile has nothing to say.
        if let Ok(folder) = File::open(folder) {
            folder.sync_all().map_err(Error::disk("sync", parent))?;
        }
    }
    Ok(())
}
