//! Plain files, here or on another host, and standard input, as something to explore.

use std::path::PathBuf;
use std::sync::Arc;

use super::Error;
use super::args::LineArgs;
use super::loading::{Feeder, read_stdin};
use super::open::{Opened, shortened};
use crate::backend::{Backend, FileStanding};
use crate::base::Gauge;
use crate::config::Settings;
use crate::files::{self, LogFiles};

impl Opened {
    /// Plain files, where they lie; usable while they are indexed.
    pub(super) fn files(
        settings: &Settings,
        sources: &[String],
        lines: &LineArgs,
    ) -> Result<Self, Error> {
        let paths: Vec<PathBuf> = sources.iter().map(PathBuf::from).collect();
        let options = line_options(settings, lines)?;
        let files = tokio::task::block_in_place(|| LogFiles::open(&paths, options))?;
        let name = match paths.as_slice() {
            [one] => shortened(one),
            many => format!("{} files", many.len()),
        };
        let indexing = files.gauge();
        let mut opened = Self::of(Backend::Files(files), name);
        opened.indexing = Some(indexing);
        Ok(opened)
    }

    /// Files on another host, through `ssh`.
    pub(super) fn far(settings: &Settings, source: &str, lines: &LineArgs) -> Result<Self, Error> {
        let address = files::Address::parse(source).map_err(Error::Said)?;
        let options = line_options(settings, lines)?;
        let opened = tokio::task::block_in_place(|| {
            let host = files::Host::connect(&address)?;
            LogFiles::open_far(&host, &address.path, options)
        });
        let files = opened.map_err(|error| Error::Said(error.to_string()))?;
        Ok(Self::of(Backend::Files(files), address.name()))
    }

    /// Standard input, read into a temporary log; usable while it comes.
    pub(super) fn stdin(settings: &Settings, lines: &LineArgs) -> Result<Self, Error> {
        let options = line_options(settings, lines)?;
        let (mut opened, store) = Self::temporary("standard input".to_owned())?;
        let feeder = Feeder::new(&store, opened.stopping());
        let ended = Arc::new(Gauge::default());
        opened.stdin = Some(Arc::clone(&ended));
        std::thread::Builder::new()
            .name("stdin-reader".to_owned())
            .spawn(move || read_stdin(&options, feeder, &ended))
            .map_err(Error::io("start a thread"))?;
        Ok(opened)
    }
}

/// As many as can be open beside what was rotated away from them, and whatever else this process does.
fn most_logs() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let limit = limit.current.and_then(|limit| usize::try_from(limit).ok());
    limit.map_or(usize::MAX, |limit| limit / 2).min(10_000)
}

/// Which files are not shown, or not to their ends, in one sentence.
pub(super) fn not_shown(files: &[FileStanding]) -> Option<String> {
    let troubles = files.iter().filter_map(|file| {
        let what = if file.bytes == 0 {
            "is left out"
        } else {
            "is not shown to its end"
        };
        let why = file.trouble.as_ref()?;
        Some(format!("{} {what}: {why}", file.path.display()))
    });
    let troubles: Vec<String> = troubles.collect();
    let (first, others) = troubles.split_first()?;
    Some(match others.len() {
        0 => first.clone(),
        others => format!("{first}; and {others} more"),
    })
}

/// How plain lines are read.
pub(super) fn line_options(settings: &Settings, lines: &LineArgs) -> Result<files::Options, Error> {
    let formats = settings.files.described();
    let formats = formats
        .map_err(|error| Error::Said(format!("{}{error}", settings.place("files.formats"))))?;
    let told = settings.files.told(&formats, lines.format.as_deref());
    let zone = settings.files.zoned(lines.from_zone.as_deref());
    let cache = settings.cache.clone().filter(|_| settings.files.index);
    Ok(files::Options {
        namespace: namespace_of(settings),
        format: told.map_err(Error::Said)?,
        formats,
        zone: zone.map_err(Error::Said)?,
        recursive: lines.recursive,
        most_logs: most_logs(),
        cache: cache.map(|cache| cache.join("files")),
        spool: settings.cache.clone(),
        ..files::Options::default()
    })
}

/// Namespace of entries that name none.
fn namespace_of(settings: &Settings) -> String {
    let namespace = settings.namespace.clone();
    namespace.unwrap_or_else(|| "default".to_owned())
}
