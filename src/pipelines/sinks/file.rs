//! Files: rotated by size and age, kept within bounds, compressed when they are rotated away.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{Failure, Outcome};
use crate::base::Time;
use crate::pipelines::format::Format;
use crate::pipelines::options::{Compression, FileSinkOptions};
use crate::pipelines::record::Record;

/// How often bounds and the disk are looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// Writes `<name>.log` and rotates it to `<name>-<time>.log`.
#[derive(Debug)]
pub(in crate::pipelines) struct FileSink {
    format: Format,
    /// Taken along to where blocking is allowed.
    writing: Option<Writing>,
}

#[derive(Debug)]
struct Writing {
    options: FileSinkOptions,
    file: Option<Open>,
    looked: Option<SystemTime>,
    /// The disk has no room, as far as we have seen.
    is_full: Option<u64>,
    compressing: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct Open {
    file: File,
    bytes: u64,
    since: SystemTime,
    is_synced: bool,
}

impl FileSink {
    pub fn new(format: Format, options: FileSinkOptions) -> Self {
        Self {
            format,
            writing: Some(Writing {
                options,
                file: None,
                looked: None,
                is_full: None,
                compressing: None,
            }),
        }
    }

    pub async fn deliver(&mut self, records: &[Record]) -> Outcome {
        let mut text = Vec::with_capacity(records.len() * 128);
        let mut ends = Vec::with_capacity(records.len());
        for record in records {
            self.format.write_line(record, &mut text);
            ends.push(text.len());
        }
        let outcome = self
            .blocking(move |writing| writing.write(&text, &ends))
            .await;
        match outcome {
            Ok((delivered, bytes, None)) => Outcome::all(delivered, bytes),
            Ok((delivered, bytes, Some(reason))) => Outcome {
                delivered,
                bytes,
                failure: Some(Failure::passing(reason)),
                ..Outcome::default()
            },
            Err(failure) => Outcome::nothing(failure),
        }
    }

    pub async fn sync(&mut self) -> Result<(), Failure> {
        let synced = self.blocking(Writing::sync).await?;
        synced.map_err(|error| Failure::passing(format!("the file cannot be synced: {error}")))
    }

    async fn blocking<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Writing) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let gone = || Failure::passing("the file's writer is gone");
        let mut writing = self.writing.take().ok_or_else(gone)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work(&mut writing);
            (done, writing)
        });
        let (done, writing) = done.await.map_err(|_| gone())?;
        self.writing = Some(writing);
        Ok(done)
    }
}

impl Writing {
    fn path(&self) -> PathBuf {
        let name = format!("{}.log", self.options.file_name);
        self.options.directory.join(name)
    }

    /// Writes whole records; how many, their bytes, and why not all.
    fn write(&mut self, text: &[u8], ends: &[usize]) -> (usize, usize, Option<String>) {
        let (mut at, mut written) = (0, 0);
        while written < ends.len() {
            if let Err(reason) = self.prepare() {
                return (written, at, Some(reason));
            }
            let path = self.path();
            let Some(open) = &mut self.file else { break };
            // As many records as fit before the file is to be rotated, one at the least.
            let room = self.options.max_size.0.saturating_sub(open.bytes);
            let end = at
                + usize::try_from(room)
                    .unwrap_or(usize::MAX)
                    .min(text.len() - at);
            let count = ends[written..].partition_point(|one| *one <= end).max(1);
            let end = ends[written + count - 1];
            if let Err(error) = open.file.write_all(&text[at..end]) {
                // Nothing of it: it is written again.
                let _ = open.file.set_len(open.bytes);
                let path = path.display();
                return (
                    written,
                    at,
                    Some(format!("{path} cannot be written: {error}")),
                );
            }
            open.bytes += (end - at) as u64;
            open.is_synced = false;
            written += count;
            at = end;
        }
        (written, at, None)
    }

    /// Opens, rotates and looks at the disk, each when it is time.
    fn prepare(&mut self) -> Result<(), String> {
        let now = SystemTime::now();
        let is_due = |since: SystemTime, age: Duration| {
            now.duration_since(since).is_ok_and(|passed| passed >= age)
        };
        if self.file.is_none() {
            let directory = &self.options.directory;
            std::fs::create_dir_all(directory)
                .map_err(|error| format!("{} cannot be made: {error}", directory.display()))?;
        }
        if self
            .looked
            .is_none_or(|looked| is_due(looked, LOOK_INTERVAL) || looked > now)
        {
            self.looked = Some(now);
            self.look(now);
        }
        if let Some(free) = self.is_full {
            self.looked = None;
            let least = self.options.min_disk_free.0;
            return Err(format!(
                "the disk of {} has {free} bytes free, less than the {least} to be kept free",
                self.options.directory.display()
            ));
        }
        let age = self.options.max_age.map(|age| age.0);
        let is_over = |open: &Open| {
            let old = age.is_some_and(|age| is_due(open.since, age));
            open.bytes > 0 && (open.bytes >= self.options.max_size.0 || old)
        };
        // Somebody may have taken the file away.
        if self.file.as_ref().is_some_and(is_over) {
            self.rotate(now)
                .map_err(|error| format!("{} cannot be rotated: {error}", self.path().display()))?;
        }
        if self.file.is_none() {
            let open = self
                .open()
                .map_err(|error| format!("{} cannot be opened: {error}", self.path().display()))?;
            self.file = Some(open);
        }
        Ok(())
    }

    fn open(&self) -> io::Result<Open> {
        let path = self.path();
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let metadata = file.metadata()?;
        let now = SystemTime::now();
        Ok(Open {
            bytes: metadata.len(),
            since: metadata.created().unwrap_or(now).min(now),
            file,
            is_synced: true,
        })
    }

    fn rotate(&mut self, now: SystemTime) -> io::Result<()> {
        self.sync()?;
        self.file = None;
        let stamp = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_nanos());
        let time = Time(i64::try_from(stamp).unwrap_or(i64::MAX)).timestamp();
        let stamp = time.strftime("%Y%m%dT%H%M%S.%9f");
        let name = format!("{}-{stamp}.log", self.options.file_name);
        let rotated = self.options.directory.join(name);
        std::fs::rename(self.path(), &rotated)?;
        if self.options.compression != Compression::None {
            if let Some(before) = self.compressing.take() {
                let _ = before.join();
            }
            let compression = self.options.compression;
            let thread = std::thread::Builder::new().name("log-compressor".into());
            let spawned = thread.spawn(move || {
                if let Err(error) = compress(&rotated, compression) {
                    tracing::warn!(file = %rotated.display(), %error, "a rotated file is left as it is: it cannot be compressed");
                }
            });
            self.compressing = spawned.ok();
        }
        self.looked = None;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if let Some(open) = self.file.as_mut().filter(|open| !open.is_synced) {
            open.file.sync_data()?;
            open.is_synced = true;
        }
        Ok(())
    }

    /// Removes what is too old or too much, and looks whether there is room.
    fn look(&mut self, now: SystemTime) {
        // A file that was moved away by somebody else is begun anew.
        let is_ours = |open: &Open| same_file(&open.file, &self.path());
        if self.file.as_ref().is_some_and(|open| !is_ours(open)) {
            self.file = None;
        }
        let mut rotated = self.rotated();
        let is_old = |modified: SystemTime| {
            let age = now.duration_since(modified).unwrap_or_default();
            self.options.retention.is_some_and(|most| age > most.0)
        };
        let mut total: u64 = rotated.iter().map(|(_, bytes, _)| bytes).sum();
        total += self.file.as_ref().map_or(0, |open| open.bytes);
        let most = self.options.max_total_size.map_or(u64::MAX, |size| size.0);
        rotated.sort();
        for (path, bytes, modified) in rotated {
            if !is_old(modified) && total <= most {
                continue;
            }
            match std::fs::remove_file(&path) {
                Ok(()) => total -= bytes,
                Err(error) => {
                    tracing::warn!(file = %path.display(), %error, "a rotated file cannot be removed");
                }
            }
        }
        let free = rustix::fs::statvfs(&self.options.directory);
        let free = free.map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        self.is_full = (free < self.options.min_disk_free.0).then_some(free);
    }

    /// The files that were rotated away: their names are in the order of their times.
    fn rotated(&self) -> Vec<(PathBuf, u64, SystemTime)> {
        let prefix = format!("{}-", self.options.file_name);
        let stamp = |name: &str| -> bool {
            let rest = name.strip_prefix(&prefix).unwrap_or_default();
            rest.starts_with(|digit: char| digit.is_ascii_digit()) && rest.contains(".log")
        };
        let items = std::fs::read_dir(&self.options.directory);
        let items = items.into_iter().flatten().flatten();
        items
            .filter(|item| item.file_name().to_str().is_some_and(stamp))
            .filter_map(|item| {
                let metadata = item.metadata().ok()?;
                Some((item.path(), metadata.len(), metadata.modified().ok()?))
            })
            .collect()
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let Some(compressing) = self.compressing.take() {
            let _ = compressing.join();
        }
    }
}

fn same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(ours), Ok(theirs)) => identity(ours) == identity(theirs),
        _ => false,
    }
}

/// Writes a file compressed beside itself, then removes it.
fn compress(path: &Path, compression: Compression) -> io::Result<()> {
    let (ending, temporary) = match compression {
        Compression::None => return Ok(()),
        Compression::Gzip => ("log.gz", "gz.new"),
        Compression::Zstd => ("log.zst", "zst.new"),
    };
    let (mut from, temporary) = (File::open(path)?, path.with_extension(temporary));
    let into = File::create(&temporary)?;
    let copy = |into: &mut dyn Write, from: &mut File| -> io::Result<()> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            match from.read(&mut buffer)? {
                0 => return Ok(()),
                read => into.write_all(&buffer[..read])?,
            }
        }
    };
    let into = if compression == Compression::Gzip {
        let mut encoder = flate2::write::GzEncoder::new(into, flate2::Compression::default());
        copy(&mut encoder, &mut from)?;
        encoder.finish()?
    } else {
        let mut encoder = zstd::stream::write::Encoder::new(into, 3)?;
        copy(&mut encoder, &mut from)?;
        encoder.finish()?
    };
    into.sync_all()?;
    std::fs::rename(&temporary, path.with_extension(ending))?;
    std::fs::remove_file(path)
}
