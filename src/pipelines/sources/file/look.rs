//! What is in the directory: files that are read, and those that were rotated away from them.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use crate::files::FileId;
use crate::pipelines::Error;
use crate::pipelines::options::FilesOptions;

/// Files that are looked at, at the most: a directory with more is a mistake.
const MAX_FILES: usize = 100_000;
/// Directories below each other.
const MAX_DEPTH: usize = 32;
/// Endings of files that are compressed, or are being written by somebody who rotates.
const COMPRESSED: [&str; 9] = ["gz", "zst", "xz", "bz2", "zip", "Z", "lz4", "lzma", "tgz"];
/// How zip archives begin, which nobody here unpacks.
const ZIP: &[u8] = b"PK\x03\x04";

/// What is looked for, and where.
#[derive(Debug)]
pub(super) struct Places {
    root: PathBuf,
    pattern: GlobMatcher,
    exclude: Vec<GlobMatcher>,
    depth: usize,
    allow_symlinks: bool,
    /// Patterns look at paths below the root, not at names.
    by_path: bool,
}

/// A file in the directory.
#[derive(Debug)]
pub(super) struct Found {
    pub path: PathBuf,
    pub id: FileId,
    pub length: u64,
    pub modified: SystemTime,
    /// Its name does not fit, but that of a file whose name it has grown from does: `app.log.1`.
    pub is_rotated: bool,
}

impl Places {
    /// What the options mean: a directory and a pattern, or a file.
    ///
    /// # Errors
    /// There is no path, or a pattern is not understood.
    pub fn new(options: &FilesOptions) -> Result<Self, Error> {
        let said = |reason: String| Error::Said(reason);
        if options.path.as_os_str().is_empty() {
            return Err(said("expected `path`, found nothing".to_owned()));
        }
        let (root, pattern) = if options.pattern.is_empty() {
            let name = options.path.file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| {
                said(format!(
                    "expected the path of a file, found {}",
                    options.path.display()
                ))
            })?;
            let root = options.path.parent().unwrap_or(Path::new(""));
            let root = if root.as_os_str().is_empty() {
                Path::new(".")
            } else {
                root
            };
            (root.to_owned(), globset::escape(name))
        } else {
            (options.path.clone(), options.pattern.clone())
        };
        let glob = |pattern: &str| {
            let glob = GlobBuilder::new(pattern).literal_separator(true).build();
            let glob = glob.map_err(|error| said(error.to_string()))?;
            Ok::<GlobMatcher, Error>(glob.compile_matcher())
        };
        let exclude = options.exclude.iter().map(|pattern| glob(pattern));
        Ok(Self {
            by_path: pattern.contains('/'),
            pattern: glob(&pattern)?,
            exclude: exclude.collect::<Result<_, _>>()?,
            depth: if options.recursive { MAX_DEPTH } else { 1 },
            allow_symlinks: options.allow_symlinks,
            root,
        })
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether directories below are looked at.
    pub fn is_recursive(&self) -> bool {
        self.depth > 1
    }

    /// The files there are: what was rotated away before what is new, older before newer.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn look(&self) -> io::Result<Vec<Found>> {
        let root = self.root.canonicalize()?;
        let mut found = Vec::new();
        let walk = WalkDir::new(&self.root)
            .min_depth(1)
            .max_depth(self.depth)
            .follow_links(true);
        for item in walk {
            let item = match item {
                Ok(item) => item,
                // One that vanished or may not be read does not hide the others.
                Err(error) if error.depth() > 0 => continue,
                Err(error) => return Err(error.into()),
            };
            if !item.file_type().is_file() || found.len() >= MAX_FILES {
                continue;
            }
            let Some(is_rotated) = self.judge(item.path()) else {
                continue;
            };
            let is_within = || {
                let real = item.path().canonicalize();
                real.is_ok_and(|real| real.starts_with(&root))
            };
            let has_link = item.path_is_symlink() || item.depth() > 1;
            if has_link && !self.allow_symlinks && !is_within() {
                continue;
            }
            if let Ok(metadata) = item.metadata() {
                found.push(Found::new(item.path(), &metadata, is_rotated));
            }
        }
        // What was rotated away is older than what took its place; the highest number is the oldest.
        found.sort_by(|a, b| {
            let rotated = b.is_rotated.cmp(&a.is_rotated);
            let age = a.modified.cmp(&b.modified);
            rotated.then(age).then_with(|| b.path.cmp(&a.path))
        });
        Ok(found)
    }

    /// Whether a file is read (`false`), was rotated away from one that is (`true`), or is neither.
    fn judge(&self, path: &Path) -> Option<bool> {
        let below = path.strip_prefix(&self.root).ok()?;
        let name = below.file_name()?.to_str()?;
        let ending = name.rsplit('.').next().unwrap_or_default();
        if COMPRESSED.contains(&ending) {
            return None;
        }
        let is_excluded = |glob: &GlobMatcher| glob.is_match(name) || glob.is_match(below);
        if self.exclude.iter().any(is_excluded) {
            return None;
        }
        if self.fits(&below.with_file_name(name)) {
            return Some(false);
        }
        let has_fitting_origin =
            origins(name).any(|origin| self.fits(&below.with_file_name(origin)));
        has_fitting_origin.then_some(true)
    }

    fn fits(&self, below: &Path) -> bool {
        if self.by_path {
            return self.pattern.is_match(below);
        }
        below
            .file_name()
            .is_some_and(|name| self.pattern.is_match(name))
    }
}

impl Found {
    fn new(path: &Path, metadata: &Metadata, is_rotated: bool) -> Self {
        Self {
            path: path.to_owned(),
            id: FileId::of(metadata),
            length: metadata.len(),
            modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            is_rotated,
        }
    }
}

/// What a file may have been called before it was rotated: `app.log` of `app.log.1`, `app.log-20260314` and
/// `app-20260314.log`.
fn origins(name: &str) -> impl Iterator<Item = String> {
    let cuts = name.match_indices(['.', '-', '_']).map(|(at, _)| at);
    let cuts: Vec<usize> = cuts.filter(|at| *at > 0).collect();
    let ending = name.rfind('.').map_or("", |at| &name[at..]).to_owned();
    let name = name.to_owned();
    cuts.into_iter().rev().flat_map(move |at| {
        let origin = name[..at].to_owned();
        let with_ending = format!("{origin}{ending}");
        [origin, with_ending]
    })
}

/// Whether a file is compressed, whatever it is called.
pub(super) fn is_compressed(file: &File) -> bool {
    use std::os::unix::fs::FileExt;
    let mut head = [0; ZIP.len()];
    let read = file.read_at(&mut head, 0).unwrap_or_default();
    &head[..read] == ZIP || crate::files::is_packed(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(options: &FilesOptions) -> Vec<(String, bool)> {
        let places = Places::new(options).expect("places");
        let found = places.look().expect("looked");
        let name = |found: &Found| {
            let below = found.path.strip_prefix(places.root()).expect("below");
            (below.display().to_string(), found.is_rotated)
        };
        let mut names: Vec<_> = found.iter().map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn what_fits_is_found_and_what_was_rotated_away() {
        let dir = tempfile::tempdir().expect("a directory");
        let outside = tempfile::tempdir().expect("a directory");
        for name in [
            "app.log",
            "app.log.1",
            "app.log-20260314",
            "app.log.2.gz",
            "web.log",
            "note.txt",
            "sub/x.log",
        ] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("one")).expect("created");
            std::fs::write(path, "x\n").expect("written");
        }
        std::fs::write(outside.path().join("secret.log"), "x\n").expect("written");
        let link = |from: &Path, to: &str| {
            std::os::unix::fs::symlink(from, dir.path().join(to)).expect("linked");
        };
        link(&outside.path().join("secret.log"), "out.log");
        link(outside.path(), "outdir");
        link(&dir.path().join("note.txt"), "in.log");
        let options = FilesOptions {
            path: dir.path().to_owned(),
            pattern: "*.log".to_owned(),
            exclude: vec!["web*".to_owned()],
            ..FilesOptions::default()
        };
        let told = |names: &[(&str, bool)]| -> Vec<(String, bool)> {
            names
                .iter()
                .map(|(name, rotated)| ((*name).to_owned(), *rotated))
                .collect()
        };
        let usual = told(&[
            ("app.log", false),
            ("app.log-20260314", true),
            ("app.log.1", true),
            ("in.log", false),
        ]);
        assert_eq!(names(&options), usual);
        let deep = FilesOptions {
            recursive: true,
            ..options.clone()
        };
        assert!(names(&deep).contains(&("sub/x.log".to_owned(), false)));
        assert!(!names(&deep).iter().any(|(name, _)| name.starts_with("out")));
        let open = FilesOptions {
            allow_symlinks: true,
            ..deep
        };
        assert!(names(&open).contains(&("outdir/secret.log".to_owned(), false)));
        assert!(names(&open).contains(&("out.log".to_owned(), false)));
        let one = FilesOptions {
            path: dir.path().join("app.log"),
            pattern: String::new(),
            ..options.clone()
        };
        assert_eq!(
            names(&one),
            told(&[
                ("app.log", false),
                ("app.log-20260314", true),
                ("app.log.1", true)
            ])
        );
        let by_path = FilesOptions {
            pattern: "s*/*.log".to_owned(),
            recursive: true,
            exclude: Vec::new(),
            ..options
        };
        assert_eq!(names(&by_path), told(&[("sub/x.log", false)]));
    }
}
