//! `tailwater store` and `tailwater cistore`: blobs at a service.

use std::io::Write;
use std::path::{Path, PathBuf};

use futures_util::StreamExt;

use super::stream::key;
use crate::api::{BlobAnswer, KeysParams};
use crate::base::Backoff;
use crate::base::units::print_size;
use crate::blobs::Key;
use crate::cli::args::{BlobWork, Listing, Name, StoreAction};
use crate::cli::{Error, Verdict, remote};
use crate::client::{BlobBody, Client, Origin};
use crate::config::Settings;
use crate::entry::visible;

/// First and longest wait before a download goes on.
const RETRY: (std::time::Duration, std::time::Duration) = (
    std::time::Duration::from_millis(500),
    std::time::Duration::from_secs(8),
);
/// How often a download goes on without a byte before it is given up.
const ATTEMPTS: usize = 8;

pub(in crate::cli) async fn run(
    settings: &Settings,
    action: &StoreAction,
) -> Result<Verdict, Error> {
    match action {
        StoreAction::Blob(action) => work(settings, action).await,
        StoreAction::List { prefix, output } => {
            list(&remote::service(settings).await?, prefix, *output).await
        }
        StoreAction::Delete { name, prefix } => {
            let (client, key) = (remote::service(settings).await?, key(name)?);
            if *prefix {
                let count = client.delete_blobs(key.as_str()).await?;
                eprintln!("{count} blobs were deleted");
                return Ok(if count > 0 {
                    Verdict::Done
                } else {
                    Verdict::NothingFound
                });
            }
            client.delete_blob(key.as_str()).await?;
            Ok(Verdict::Done)
        }
        StoreAction::Zip { name, path } => {
            let client = remote::service(settings).await?;
            let archive = client.read_archive(key(name)?.as_str()).await?;
            let mut target = Target::open(path.as_deref())?;
            target.take(archive).await?;
            target.finish()
        }
    }
}

/// What can be done with one blob.
pub(in crate::cli) async fn work<N: Name>(
    settings: &Settings,
    action: &BlobWork<N>,
) -> Result<Verdict, Error> {
    let client = remote::service(settings).await?;
    match action {
        BlobWork::Upload {
            name,
            path,
            content_type,
            only_new,
        } => {
            let path = path.as_deref().filter(|path| *path != Path::new("-"));
            let origin = path.map_or(Origin::Input, Origin::File);
            let guessed = path.map(|path| mime_guess::from_path(path).first_or_octet_stream());
            let guessed = guessed.map(|kind| kind.to_string());
            let kind = content_type.clone().or(guessed);
            let kind = kind.unwrap_or_else(|| "application/octet-stream".to_owned());
            let key = key(name)?;
            let stored = client
                .store_blob(key.as_str(), origin, &kind, *only_new)
                .await?;
            let (size, digest) = (print_size(stored.size), stored.sha256.unwrap_or_default());
            eprintln!("{} is stored, {size}, SHA-256 {digest}", stored.key);
            Ok(Verdict::Done)
        }
        BlobWork::Download { name, path } => download(&client, &key(name)?, path.as_deref()).await,
        BlobWork::DownloadLink { name, expires } => {
            link(&client, &key(name)?, "download", expires.as_deref()).await
        }
        BlobWork::UploadLink { name, expires } => {
            link(&client, &key(name)?, "upload", expires.as_deref()).await
        }
    }
}

async fn link(
    client: &Client,
    key: &Key,
    way: &str,
    expires: Option<&str>,
) -> Result<Verdict, Error> {
    let link = client.blob_link(key.as_str(), way, expires).await?;
    writeln!(std::io::stdout(), "{}", link.link).map_err(Error::io("write the link"))?;
    eprintln!("for {}, until {}", link.method, link.expires);
    Ok(Verdict::Done)
}

/// Writes a blob; one whose connection is lost goes on where it was.
async fn download(client: &Client, key: &Key, path: Option<&Path>) -> Result<Verdict, Error> {
    let mut target = Target::open(path)?;
    let (mut tag, mut attempts) = (None, 0);
    let mut backoff = Backoff::new(RETRY.0, RETRY.1);
    loop {
        let before = target.bytes;
        let read = client.read_blob(key.as_str(), before, tag.as_deref()).await;
        let failed = match read {
            Ok(body) => {
                tag = body.tag.clone().or(tag);
                target.take(body).await
            }
            Err(error) => Err(error.into()),
        };
        match failed {
            Ok(()) => return target.finish(),
            Err(Error::Client(error)) if error.is_passing() && attempts < ATTEMPTS => {
                attempts = if target.bytes > before {
                    0
                } else {
                    attempts + 1
                };
                tokio::time::sleep(backoff.delay()).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// A file that is being written, and has its name when it is whole; or standard output.
struct Target {
    file: Option<(tempfile::NamedTempFile, PathBuf)>,
    bytes: u64,
}

impl Target {
    fn open(path: Option<&Path>) -> Result<Self, Error> {
        let file = match path.filter(|path| *path != Path::new("-")) {
            None => None,
            Some(path) => {
                let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
                let file = tempfile::Builder::new()
                    .prefix(".tailwater-")
                    .tempfile_in(dir.unwrap_or(Path::new(".")));
                Some((file.map_err(Error::io("create a file"))?, path.to_owned()))
            }
        };
        Ok(Self { file, bytes: 0 })
    }

    async fn take(&mut self, mut body: BlobBody) -> Result<(), Error> {
        while let Some(bytes) = body.bytes.next().await {
            let bytes = bytes?;
            let written = match &mut self.file {
                Some((file, _)) => file.write_all(&bytes),
                None => std::io::stdout().write_all(&bytes),
            };
            written.map_err(Error::io("write the blob"))?;
            self.bytes += bytes.len() as u64;
        }
        Ok(())
    }

    fn finish(self) -> Result<Verdict, Error> {
        match self.file {
            None => std::io::stdout()
                .flush()
                .map_err(Error::io("write the blob"))?,
            Some((file, path)) => {
                use std::os::unix::fs::PermissionsExt;
                let readable = std::fs::Permissions::from_mode(0o644);
                let set = file.as_file().set_permissions(readable);
                set.map_err(Error::io("write the blob"))?;
                let named = file.persist(&path).map_err(|error| error.error);
                named.map_err(Error::io("name the file"))?;
                eprintln!("{} is written, {}", path.display(), print_size(self.bytes));
            }
        }
        Ok(Verdict::Done)
    }
}

async fn list(client: &Client, prefix: &str, output: Listing) -> Result<Verdict, Error> {
    let mut params = KeysParams {
        prefix: Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty()),
        ..KeysParams::default()
    };
    let (mut out, mut count) = (std::io::stdout(), 0);
    // Page by page: there may be many.
    loop {
        let page = client.blobs(&params).await?;
        for blob in &page.blobs {
            count += 1;
            let line = match output {
                Listing::Json => serde_json::to_string(blob).unwrap_or_default(),
                Listing::Text => shown(blob),
            };
            writeln!(out, "{line}").map_err(Error::io("write the list"))?;
        }
        params.cursor = page.next;
        if params.cursor.is_none() {
            break;
        }
    }
    Ok(if count > 0 {
        Verdict::Done
    } else {
        Verdict::NothingFound
    })
}

fn shown(blob: &BlobAnswer) -> String {
    let (key, size) = (visible(&blob.key).text, print_size(blob.size));
    let kind = blob.content_type.as_deref().unwrap_or("-");
    format!(
        "{size:>10}  {}  {}  {key}",
        blob.modified,
        visible(kind).text
    )
}
