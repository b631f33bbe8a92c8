//! What a user named. It is looked into again and again: files that come later are found too.
//!
//! A path that is looked into once stays what it is: what becomes of it (rotation, removal) is known to its log.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use globset::{GlobBuilder, GlobMatcher};
use walkdir::{DirEntry, WalkDir};

use super::discover::{DiscoverError, kind};
use super::generations::origin;
use super::identity::FileId;
use super::options::Options;
use super::packed::Packing;

/// Packed files at the most: each is unpacked by a thread of its own.
const MAX_PACKED: usize = 1_000;
/// Directories below each other at the most.
const MAX_DEPTH: usize = 32;
/// How often it is looked for new files; where looking takes long, so many times as long passes between two looks, within
/// bounds.
const LOOK: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));
const PAUSE: u32 = 30;
/// What makes a path a pattern, where nothing lies at it.
const WILD: [char; 4] = ['*', '?', '[', '{'];

/// What was named, and what is known of it.
#[derive(Debug)]
pub(super) struct Roots {
    names: Vec<Root>,
    /// Logs at the most.
    most: usize,
    /// Whether what was rotated away is read behind its log.
    has_generations: bool,
    /// When it was begun to look.
    begun: SystemTime,
    /// How long nothing is looked for now; nothing before the first look.
    pause: Option<Duration>,
    /// Paths of files that were found.
    seen: HashSet<PathBuf>,
    /// Paths in directories where no log file lies.
    passed: HashSet<PathBuf>,
    logs: usize,
    packed: usize,
    /// Logs beyond the bounds.
    beyond: usize,
    left_out: BTreeMap<PathBuf, DiscoverError>,
    /// The same at the look before: it is tried again.
    left_before: BTreeMap<PathBuf, DiscoverError>,
}

/// A name, and whether a log was ever found by it.
#[derive(Debug)]
struct Root {
    path: PathBuf,
    /// Where nothing lies at the path.
    pattern: Option<Pattern>,
    /// Directories below each other that are looked into.
    depth: usize,
    has_any: bool,
}

#[derive(Debug)]
struct Pattern {
    /// The directory that everything lies in that fits.
    base: PathBuf,
    fits: GlobMatcher,
    /// Whether directories below those that fit are looked into.
    recursive: bool,
    takes_hidden: bool,
}

/// A file that is a log of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub path: PathBuf,
    /// How it is packed, if it is.
    pub packing: Option<Packing>,
    pub id: FileId,
}

impl Roots {
    /// Paths and, where nothing lies at them, patterns of paths: `/var/log/**/*.log`.
    ///
    /// # Errors
    /// A pattern is not understood.
    pub fn new(paths: &[PathBuf], options: &Options) -> Result<Self, DiscoverError> {
        let names = paths.iter().map(|path| Root::new(path, options.recursive));
        Ok(Self {
            names: names.collect::<Result<_, _>>()?,
            most: options.most_logs,
            has_generations: options.generations,
            begun: SystemTime::now(),
            pause: None,
            seen: HashSet::new(),
            passed: HashSet::new(),
            logs: 0,
            packed: 0,
            beyond: 0,
            left_out: BTreeMap::new(),
            left_before: BTreeMap::new(),
        })
    }

    /// Whether nothing more can come: files were named, and found.
    pub fn are_found(&self) -> bool {
        self.names.iter().all(|root| self.seen.contains(&root.path))
    }

    /// How long to wait until the next look.
    pub fn pause(&self) -> Duration {
        self.pause.unwrap_or_default()
    }

    /// When it was begun to look.
    pub fn begun(&self) -> SystemTime {
        self.begun
    }

    /// The log files that came since it was looked last: files that were named, and those of directories and patterns by
    /// name. What was rotated away from another of them is left to that, and what is open is the same under another name.
    /// Compressed files that come later are not taken unless they are named: they were rotated there.
    pub fn look(&mut self, mut open: HashSet<FileId>) -> Vec<Named> {
        let from = Instant::now();
        self.left_before = std::mem::take(&mut self.left_out);
        let mut found = Vec::new();
        let mut names = std::mem::take(&mut self.names);
        for root in &mut names {
            let (before, left_out) = (found.len(), self.left_out.len());
            self.look_into(root, &mut found);
            root.has_any |= found.len() > before;
            if !root.has_any && self.left_out.len() == left_out {
                let path = root.path.clone();
                let nothing = DiscoverError::Nothing(path.clone());
                self.left_out.insert(path, nothing);
            }
        }
        self.names = names;
        self.seen
            .extend(found.iter().map(|named| named.path.clone()));
        found.retain(|named| !self.is_generation(&named.path) && open.insert(named.id));
        found.retain(|named| {
            let most = named
                .packing
                .map_or(self.most, |_| MAX_PACKED.min(self.most));
            let count = self.count(named);
            let has_room = *count < most;
            *count += usize::from(has_room);
            self.beyond += usize::from(!has_room);
            has_room
        });
        if self.beyond > 0 {
            let beyond = PathBuf::from(format!("{} more log files", self.beyond));
            let most = self.most;
            self.left_out.insert(beyond, DiscoverError::TooMany(most));
        }
        self.pause = Some((from.elapsed() * PAUSE).clamp(LOOK.0, LOOK.1));
        found
    }

    /// What is not shown, and why.
    pub fn left_out(&self) -> impl Iterator<Item = (&Path, &DiscoverError)> {
        let left_out = self.left_out.iter();
        left_out.map(|(path, why)| (path.as_path(), why))
    }

    /// Why nothing is shown.
    pub fn failure(&mut self) -> Option<DiscoverError> {
        self.left_out.pop_first().map(|(_, why)| why)
    }

    /// A file that was found cannot be shown after all; it is tried again.
    pub fn leave_out(&mut self, named: Named, source: io::Error) {
        self.seen.remove(&named.path);
        *self.count(&named) -= 1;
        let why = unreadable(&named.path, source);
        self.left_out.insert(named.path, why);
    }

    /// How many of its kind were found.
    fn count(&mut self, named: &Named) -> &mut usize {
        match named.packing {
            None => &mut self.logs,
            Some(_) => &mut self.packed,
        }
    }

    fn look_into(&mut self, root: &Root, found: &mut Vec<Named>) {
        // What became of a file that was taken is known to its log.
        if self.seen.contains(&root.path) {
            return;
        }
        let base = match &root.pattern {
            Some(pattern) => &pattern.base,
            None => match std::fs::metadata(&root.path) {
                Ok(metadata) if metadata.is_dir() => &root.path,
                Ok(_) => return self.take(&root.path, true, found),
                Err(error) => return self.cannot_read(&root.path, error, true),
            },
        };
        let takes = |item: &DirEntry| item.depth() == 0 || root.takes_hidden() || !is_hidden(item);
        let walk = WalkDir::new(base)
            .min_depth(1)
            .max_depth(root.depth)
            .follow_links(root.follows_links())
            .sort_by_file_name();
        for item in walk.into_iter().filter_entry(takes) {
            match item {
                Ok(item) => {
                    let path = item.path();
                    let path = path.strip_prefix(".").unwrap_or(path);
                    match &root.pattern {
                        Some(pattern) if !pattern.fits.is_match(path) => {}
                        // A directory that fits stands for its files, as one that is named.
                        Some(pattern) if item.file_type().is_dir() => {
                            self.look_into(&Root::at(path, pattern.recursive), found);
                        }
                        None if item.file_type().is_dir() => {}
                        _ => self.take(path, false, found),
                    }
                }
                // What a link leads back to is looked into already.
                Err(error) if error.loop_ancestor().is_some() => {}
                Err(error) => {
                    let path = error.path().unwrap_or(base).to_owned();
                    // What the system says, without the path: that is told beside it.
                    let error = error.into_io_error();
                    let error = error.unwrap_or_else(|| io::ErrorKind::Other.into());
                    self.cannot_read(&path, error, false);
                }
            }
        }
    }

    /// Looks into a file, unless that was done.
    fn take(&mut self, path: &Path, is_named: bool, found: &mut Vec<Named>) {
        if self.seen.contains(path) || !is_named && self.passed.contains(path) {
            return;
        }
        // What is packed and comes later was rotated there.
        let may_be_packed = is_named || self.pause.is_none() || self.left_before.contains_key(path);
        match kind(path) {
            Ok((Ok(packing), metadata)) if packing.is_none() || may_be_packed => {
                found.push(Named {
                    path: path.to_owned(),
                    packing,
                    id: FileId::of(&metadata),
                });
            }
            Ok((Err(kind), _)) if is_named => {
                let path = path.to_owned();
                let why = DiscoverError::NotText {
                    path: path.clone(),
                    kind,
                };
                self.left_out.insert(path, why);
            }
            Ok(_) => {
                self.passed.insert(path.to_owned());
            }
            Err(error) => self.cannot_read(path, error, is_named),
        }
    }

    /// What vanished since it was seen, or is a link to nothing, is not missed unless it was named.
    fn cannot_read(&mut self, path: &Path, error: io::Error, is_named: bool) {
        if is_named || error.kind() != io::ErrorKind::NotFound {
            let path = path.to_owned();
            let why = unreadable(&path, error);
            self.left_out.insert(path, why);
        }
    }

    /// Whether a file was rotated away from another that was found.
    fn is_generation(&self, path: &Path) -> bool {
        let name = path.file_name().and_then(|name| name.to_str());
        let origin = name.filter(|_| self.has_generations).and_then(origin);
        origin.is_some_and(|origin| self.seen.contains(&path.with_file_name(origin)))
    }
}

impl Root {
    fn at(path: &Path, recursive: bool) -> Self {
        Self {
            path: path.to_owned(),
            pattern: None,
            depth: if recursive { MAX_DEPTH } else { 1 },
            has_any: false,
        }
    }

    fn new(path: &Path, recursive: bool) -> Result<Self, DiscoverError> {
        let mut root = Self::at(path, recursive);
        let text = path.to_string_lossy();
        let is_missing =
            || std::fs::metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        if let Some(wild) = text.find(WILD)
            && is_missing()
        {
            let (base, rest) = text.split_at(text[..wild].rfind('/').map_or(0, |at| at + 1));
            let pattern = text.strip_prefix("./").unwrap_or(&text);
            let glob = GlobBuilder::new(pattern).literal_separator(true).build();
            let glob = glob.map_err(|error| DiscoverError::Pattern(error.to_string()))?;
            root.depth = if rest.contains("**") {
                MAX_DEPTH
            } else {
                rest.matches('/').count() + 1
            };
            root.pattern = Some(Pattern {
                base: PathBuf::from(if base.is_empty() { "." } else { base }),
                fits: glob.compile_matcher(),
                recursive,
                takes_hidden: rest.starts_with('.') || rest.contains("/."),
            });
        }
        Ok(root)
    }

    fn takes_hidden(&self) -> bool {
        let pattern = self.pattern.as_ref();
        pattern.is_some_and(|pattern| pattern.takes_hidden)
    }

    /// As a shell does: links to directories are followed where each directory is a part of the pattern.
    fn follows_links(&self) -> bool {
        self.pattern.is_some() && self.depth < MAX_DEPTH
    }
}

fn is_hidden(item: &DirEntry) -> bool {
    item.file_name().as_encoded_bytes().starts_with(b".")
}

fn unreadable(path: &Path, source: io::Error) -> DiscoverError {
    DiscoverError::Unreadable {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Writes files into a directory, with those they lie in.
    fn tree(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a directory");
        for (name, bytes) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().expect("a directory")).expect("made");
            fs::write(path, bytes).expect("written");
        }
        dir
    }

    /// Looks at a name below a directory: the files that come to light, and what is left out.
    fn look(roots: &mut Roots, dir: &Path) -> (Vec<String>, Vec<String>) {
        let below = |path: &Path| {
            let path = path.strip_prefix(dir).expect("below");
            path.display().to_string()
        };
        let found = roots.look(HashSet::new());
        let found = found.iter().map(|named| below(&named.path)).collect();
        let left_out = roots.left_out();
        let told = left_out.map(|(path, why)| format!("{}: {}", below(path), why.reason()));
        (found, told.collect())
    }

    fn roots(dir: &Path, names: &[&str], recursive: bool) -> Roots {
        let paths: Vec<PathBuf> = names.iter().map(|name| dir.join(name)).collect();
        let options = Options {
            recursive,
            most_logs: 5,
            ..Options::default()
        };
        Roots::new(&paths, &options).expect("names")
    }

    #[test]
    fn text_is_found_and_the_rest_is_told() {
        let dir = tree(&[
            ("b.log", b"x\n"),
            ("a.log", b""),
            ("a.log.1", b"x\n"),
            ("c.gz", b"\x1f\x8b\x08"),
            ("d.zip", b"PK\x03\x04"),
            ("wtmp", &[0; 100]),
            (".hidden", b"x"),
            ("below/e.log", b"x\n"),
            ("empty/.none", b""),
        ]);
        let dir = dir.path();
        let none = Vec::<String>::new();
        for (names, recursive, wanted, left_out) in [
            (&[""][..], false, &["a.log", "b.log", "c.gz"][..], &[][..]),
            (&[""], true, &["a.log", "b.log", "below/e.log", "c.gz"], &[]),
            (&["a.log.1"], false, &["a.log.1"], &[]),
            (&["a.log.1", "a.log"], false, &["a.log"], &[]),
            (
                &["b.log", "b.log", ""],
                false,
                &["b.log", "a.log", "c.gz"],
                &[],
            ),
            (&["d.zip"], false, &[], &["d.zip: not a text file (zip)"]),
            (
                &["b.log", "wtmp", "none.log"],
                false,
                &["b.log"],
                &[
                    "none.log: No such file or directory (os error 2)",
                    "wtmp: not a text file (binary)",
                ],
            ),
            (
                &["", "wtmp", "b.log"],
                false,
                &["a.log", "b.log", "c.gz"],
                &["wtmp: not a text file (binary)"],
            ),
            (&["empty"], true, &[], &["empty: holds no log files"]),
            (&["*.log"], false, &["a.log", "b.log"], &[]),
            (
                &["**/*.log"],
                false,
                &["a.log", "b.log", "below/e.log"],
                &[],
            ),
            (&["*/?.log"], false, &["below/e.log"], &[]),
            (&["bel*"], false, &["below/e.log"], &[]),
            (&["{b,c}.*"], false, &["b.log", "c.gz"], &[]),
            (&[".h*"], false, &[".hidden"], &[]),
            (&["*.txt"], false, &[], &["*.txt: holds no log files"]),
        ] {
            let (found, told) = look(&mut roots(dir, names, recursive), dir);
            assert_eq!(found, wanted, "{names:?}");
            assert_eq!(told, left_out, "{names:?}");
        }
        let (again, told) = {
            let mut roots = roots(dir, &[""], true);
            look(&mut roots, dir);
            look(&mut roots, dir)
        };
        assert_eq!((again, told), (none.clone(), none));
        let wrong = Roots::new(&[dir.join("{a")], &Options::default());
        assert!(matches!(wrong, Err(DiscoverError::Pattern(_))));
    }

    #[test]
    fn more_than_can_be_open_are_told() {
        let dir = tree(&[]);
        for number in 0..8 {
            fs::write(dir.path().join(format!("{number}.log")), "").expect("written");
        }
        let mut roots = roots(dir.path(), &[""], false);
        for wanted in [5, 0] {
            assert_eq!(roots.look(HashSet::new()).len(), wanted);
            let told: Vec<_> = roots.left_out().collect();
            assert!(
                matches!(told[..], [(path, DiscoverError::TooMany(5))] if path.ends_with("3 more log files")),
                "{told:?}"
            );
        }
    }

    #[test]
    fn what_comes_later_is_found_once() {
        let dir = tree(&[("logs/a.log", b"x\n")]);
        let dir = dir.path();
        let mut roots = roots(dir, &["logs", "later.log", "logs/*.txt"], true);
        let (found, left_out) = look(&mut roots, dir);
        assert_eq!(found, ["logs/a.log"]);
        assert_eq!(left_out.len(), 2, "{left_out:?}");

        let write = |name: &str| fs::write(dir.join(name), "x\n").expect("written");
        write("later.log");
        write("logs/b.txt");
        fs::create_dir(dir.join("logs/pod")).expect("made");
        write("logs/pod/c.log");
        // Rotated away from a log, by name; or compressed; or a link to nothing.
        write("logs/a.log.1");
        fs::write(dir.join("logs/a.gz"), b"\x1f\x8b\x08").expect("written");
        std::os::unix::fs::symlink("nowhere", dir.join("logs/d.log")).expect("linked");
        // Renamed, or another name of what is there.
        let open = HashSet::from([FileId::of(
            &fs::metadata(dir.join("logs/a.log")).expect("it"),
        )]);
        fs::rename(dir.join("logs/a.log"), dir.join("logs/before")).expect("renamed");
        fs::hard_link(dir.join("later.log"), dir.join("logs/same.log")).expect("linked");
        let found = roots.look(open);
        let paths: Vec<&Path> = found.iter().map(|named| named.path.as_path()).collect();
        let wanted = ["logs/b.txt", "logs/pod/c.log", "logs/same.log"];
        assert_eq!(paths, wanted.map(|name| dir.join(name)));
        assert_eq!(roots.left_out().count(), 0);

        // What goes is known to its log.
        fs::remove_file(dir.join("later.log")).expect("removed");
        assert_eq!(look(&mut roots, dir), (Vec::new(), Vec::new()));
    }
}
