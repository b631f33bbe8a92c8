//! What became of a file on another host whose name is another's, or that holds something else: it was rotated.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use super::far::{FarContent, FarFile, LOOKS_FOR};
use super::generations;

/// By so many of its first bytes a copy is known that is being made.
const HEAD: usize = 1024;

/// A file that was rotated.
pub(super) struct Rotated {
    pub content: Arc<FarContent>,
    pub fate: Fate,
    /// What its log wrote after it, the oldest first: files that came and went between two looks, and what has its name now.
    pub newer: Vec<Arc<FarContent>>,
}

/// Where the bytes of a file are that has another name, or holds something else than it did.
pub(super) enum Fate {
    /// It has another name.
    Renamed(FarFile),
    /// It was cut or removed; this is a copy of it.
    Copied(FarFile),
    /// It was removed; this holds what it held.
    Compressed(FarFile),
    /// It was cut or removed, and there is no copy.
    Lost,
}

impl Fate {
    /// The file that holds what it held.
    pub fn file(&self) -> Option<&FarFile> {
        match self {
            Self::Renamed(file) | Self::Copied(file) | Self::Compressed(file) => Some(file),
            Self::Lost => None,
        }
    }
}

/// Looks at a file among those that have the names it was asked for; what became of it, if it is another. It may be rotated
/// at this very moment: what is found to be different is looked at once more, as a whole.
pub(super) fn rotated(
    content: &Arc<FarContent>,
    found: &[FarFile],
    all: &[Arc<FarContent>],
) -> io::Result<Option<Rotated>> {
    let before = content.file();
    let is_newest = before.path == content.origin();
    let is_same = match found.iter().find(|file| file.path == before.path) {
        Some(now) => content.look(now)?,
        // A log that is gone for a moment is being rotated.
        None => is_newest,
    };
    if is_same {
        return Ok(None);
    }
    let mut beside = content.beside()?;
    let mut fate = fate_of(content, &beside, all)?;
    for _ in 1..LOOKS_FOR {
        if !matches!(fate, Some(Fate::Lost)) {
            break;
        }
        // Names move on while they are listed.
        beside = content.beside()?;
        fate = fate_of(content, &beside, all)?;
    }
    let Some(fate) = fate else { return Ok(None) };
    let newer = if is_newest {
        let origin = beside.iter().find(|file| file.path == content.origin());
        let Some(origin) = origin else {
            return Ok(None);
        };
        newer(content, fate.file(), origin, &beside, all)?
    } else {
        Vec::new()
    };
    match &fate {
        Fate::Renamed(to) => {
            content.move_to(FarFile {
                length: content.len(),
                ..to.clone()
            });
            // What was written until then is there before what was written afterwards; or else it comes a look later.
            let _ = content.look(to);
        }
        Fate::Copied(to) => content.move_to_copy(to.clone()),
        Fate::Compressed(_) | Fate::Lost => {}
    }
    Ok(Some(Rotated {
        content: Arc::clone(content),
        fate,
        newer,
    }))
}

/// What a log wrote after a file that is this one now, the oldest first.
fn newer(
    content: &Arc<FarContent>,
    after: Option<&FarFile>,
    origin: &FarFile,
    beside: &[FarFile],
    all: &[Arc<FarContent>],
) -> io::Result<Vec<Arc<FarContent>>> {
    let mut newer = Vec::new();
    for file in passed(after, content.file().modified, origin, beside) {
        if is_new(content, &file, origin, all)? {
            let host = content.host().clone();
            let new = FarContent::new(host, file, content.origin().to_owned());
            // Where it cannot be read now, it is tried again.
            let _ = new.warm_ends();
            newer.push(Arc::new(new));
        }
    }
    Ok(newer)
}

/// What became of a file, by all that lies beside it; nothing, where it only seemed so.
fn fate_of(
    content: &FarContent,
    beside: &[FarFile],
    all: &[Arc<FarContent>],
) -> io::Result<Option<Fate>> {
    let before = content.file();
    let (same, others): (Vec<_>, Vec<_>) =
        beside.iter().partition(|file| file.number == before.number);
    for file in same {
        if file.path == before.path && content.look(file)? {
            return Ok(None);
        }
        let is_renamed = file.path != before.path;
        if is_renamed && (before.length == 0 || content.is_itself(file)?) {
            return Ok(Some(Fate::Renamed(file.clone())));
        }
    }
    let mut unknown = Vec::new();
    for file in others {
        let is_of_it = file.path.starts_with(content.origin())
            || log_of(file).is_some_and(|log| log == content.origin());
        if is_of_it && file.modified >= before.modified && !is_known(content, file, all)? {
            unknown.push(file.clone());
        }
    }
    // Each is a question: the copy is likely the newest.
    unknown.sort_by_key(|file| Reverse(file.modified));
    for file in &unknown {
        if content.is_held_by(file)? == Some(true) {
            return Ok(Some(Fate::Copied(file.clone())));
        }
    }
    // The host may have been away while it was written to: then it is the oldest that is not older.
    let is_newest = before.path == content.origin();
    let late = if is_newest { i64::MAX } else { 0 };
    let compressed = content.compressed_in(&unknown, late).cloned();
    Ok(Some(compressed.map_or(Fate::Lost, Fate::Compressed)))
}

/// The path of the log that a file is a generation of.
fn log_of(file: &FarFile) -> Option<String> {
    let name = file.name();
    let dir = &file.path[..file.path.len() - name.len()];
    Some(format!("{dir}{}", generations::origin(name)?))
}

/// The generations of each log among files, by its path, the oldest first.
pub(super) fn generations_among(files: &[FarFile]) -> HashMap<String, Vec<FarFile>> {
    let mut found: HashMap<String, Vec<FarFile>> = HashMap::new();
    for file in files {
        if let Some(log) = log_of(file) {
            found.entry(log).or_default().push(file.clone());
        }
    }
    for generations in found.values_mut() {
        generations.sort_by_cached_key(|file| generations::rank(file.modified, file.name()));
    }
    found
}

/// The generations of a log that are newer than one, the oldest first, and the log itself. Of one that is lost, those that
/// were written to since.
fn passed(
    after: Option<&FarFile>,
    since: i64,
    origin: &FarFile,
    beside: &[FarFile],
) -> Vec<FarFile> {
    let mut all = generations_among(beside);
    let mut all = all.remove(&origin.path).unwrap_or_default();
    let place = all.iter().position(|file| Some(file) == after);
    let first = place.map_or_else(
        || all.partition_point(|file| file.modified < since),
        |place| place + 1,
    );
    let mut newer = all.split_off(first);
    newer.push(origin.clone());
    newer
}

/// Whether a file is none that is known, and no copy that is being made of what will be cut.
fn is_new(
    content: &Arc<FarContent>,
    file: &FarFile,
    origin: &FarFile,
    all: &[Arc<FarContent>],
) -> io::Result<bool> {
    if is_known(content, file, all)? {
        return Ok(false);
    }
    let head = |file| content.host().read(file, 0, HEAD);
    Ok(match (file == origin, head(file), head(origin)) {
        (true, ..) => true,
        (false, Ok(own), Ok(live)) => !own.is_empty() && own != live,
        // One that cannot be read must not keep others from being followed.
        (false, own, _) => own.is_ok(),
    })
}

/// Whether a file is one of the others that are known.
fn is_known(content: &FarContent, file: &FarFile, all: &[Arc<FarContent>]) -> io::Result<bool> {
    let others = all.iter().map(Arc::as_ref);
    for other in others.filter(|other| !std::ptr::eq(*other, content)) {
        if other.is_itself(file)? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::far::Host;
    use super::super::far::fake::Fake;
    use super::*;

    /// A log over there.
    struct Far {
        fake: Fake,
        host: Host,
    }

    impl Far {
        /// With these lines.
        fn new(text: &str) -> (Self, Arc<FarContent>) {
            let fake = Fake::new();
            fs::write(fake.path("a.log"), text).expect("written");
            let host = fake.host();
            let far = Self { fake, host };
            let content = far.content("a.log");
            (far, content)
        }

        fn look(&self, name: &str) -> Vec<FarFile> {
            self.host.look(&[self.fake.path(name)]).expect("an answer")
        }

        fn content(&self, name: &str) -> Arc<FarContent> {
            let (file, origin) = (self.look(name).remove(0), self.fake.path("a.log"));
            let content = FarContent::new(self.host.clone(), file, origin);
            content.warm_ends().expect("read");
            Arc::new(content)
        }

        fn move_on(&self, most: u64) {
            for age in (1..most).rev() {
                let (from, to) = (format!("a.log.{age}"), format!("a.log.{}", age + 1));
                // There may be fewer.
                let _ = fs::rename(self.fake.path(&from), self.fake.path(&to));
            }
        }

        fn rename(&self, new: &str) {
            self.move_on(9);
            let (log, old) = (self.fake.path("a.log"), self.fake.path("a.log.1"));
            fs::rename(&log, old).expect("renamed");
            fs::write(log, new).expect("written");
        }

        fn copytruncate(&self, new: &str) {
            self.move_on(9);
            let (log, old) = (self.fake.path("a.log"), self.fake.path("a.log.1"));
            fs::copy(&log, old).expect("copied");
            fs::write(log, new).expect("written");
        }

        /// What became of a file: where it is, and what came after it.
        fn told(&self, content: &Arc<FarContent>, found: &[FarFile]) -> Option<Told> {
            let all = [Arc::clone(content)];
            let rotated = rotated(content, found, &all).expect("looked at")?;
            let newer = rotated.newer.iter().map(|new| new.file().name().to_owned());
            let to = rotated.fate.file().map(|file| file.name().to_owned());
            Some((to, newer.collect()))
        }
    }

    type Told = (Option<String>, Vec<String>);

    fn told(to: &str, newer: &[&str]) -> Told {
        let newer = newer.iter().map(|name| (*name).to_owned());
        (Some(to.to_owned()), newer.collect())
    }

    fn text(content: &FarContent) -> String {
        let mut bytes = vec![0; 99];
        let count = content.read_at(&mut bytes, 0).expect("bytes");
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    }

    #[test]
    fn files_that_came_and_went_between_two_looks_are_found() {
        let (far, content) = Far::new("one\n");
        assert_eq!(far.told(&content, &far.look("a.log")), None);
        fs::write(far.fake.path("a.log.1"), "older\n").expect("written");
        let log = fs::File::open(far.fake.path("a.log.1")).expect("opened");
        log.set_modified(std::time::UNIX_EPOCH).expect("a time");
        far.rename("two\n");
        far.rename("three\n");
        far.rename("four\n");
        let found = far.told(&content, &far.look("a.log"));
        assert_eq!(
            found,
            Some(told("a.log.3", &["a.log.2", "a.log.1", "a.log"]))
        );
        assert_eq!(text(&content), "one\n");
    }

    #[test]
    fn copies_that_came_between_two_looks_are_found() {
        let (far, content) = Far::new("the first of them\n");
        far.copytruncate("two\n");
        far.copytruncate("three\n");
        let found = far.told(&content, &far.look("a.log"));
        assert_eq!(found, Some(told("a.log.2", &["a.log.1", "a.log"])));
        assert_eq!(text(&content), "the first of them\n");
    }

    #[test]
    fn what_is_rotated_while_it_is_looked_at_is_not_lost() {
        let (far, content) = Far::new("one\n");
        fs::write(far.fake.path("a.log"), "one\nand more\n").expect("written");
        let found = far.look("a.log");
        far.rename("2\n");
        let found = far.told(&content, &found);
        assert_eq!(found, Some(told("a.log.1", &["a.log"])));
        assert_eq!(text(&content), "one\nand more\n");
    }

    #[test]
    fn a_copy_that_is_being_made_waits_for_its_original_to_be_cut() {
        let (far, content) = Far::new("one\n");
        far.rename("two\n");
        far.move_on(9);
        let (log, copy) = (far.fake.path("a.log"), far.fake.path("a.log.1"));
        fs::copy(log, copy).expect("copied");
        let found = far.told(&content, &far.look("a.log"));
        assert_eq!(found, Some(told("a.log.2", &["a.log"])));
    }

    #[test]
    fn what_was_compressed_is_found_by_its_time() {
        let (far, content) = Far::new("one\n");
        far.rename("two\n");
        let found = far.told(&content, &far.look("a.log"));
        assert_eq!(found, Some(told("a.log.1", &["a.log"])));
        let (old, packed) = (far.fake.path("a.log.1"), far.fake.path("a.log.2.gz"));
        let modified = fs::metadata(&old).and_then(|of| of.modified());
        let file = fs::File::create(packed).expect("created");
        file.set_modified(modified.expect("a time")).expect("set");
        fs::remove_file(old).expect("removed");
        assert_eq!(far.told(&content, &[]), Some(told("a.log.2.gz", &[])));
    }

    #[test]
    fn what_was_rotated_while_nobody_could_look_is_found() {
        let (far, content) = Far::new("one\n");
        let now = std::time::SystemTime::now();
        let log = far.fake.path("a.log");
        for (name, text, minutes) in [
            ("a.log.3.gz", "one", 1),
            ("a.log.2.gz", "two", 2),
            ("a.log.1", "three", 3),
        ] {
            let path = far.fake.path(name);
            fs::write(&path, text).expect("written");
            let file = fs::File::options().append(true).open(path);
            let modified = now + std::time::Duration::from_mins(minutes);
            let set = file.and_then(|file| file.set_modified(modified));
            set.expect("a time");
        }
        fs::rename(&log, far.fake.path("gone")).expect("renamed");
        fs::remove_file(far.fake.path("gone")).expect("removed");
        fs::write(&log, "4\n").expect("written");
        let found = far.told(&content, &far.look("a.log"));
        let newer = ["a.log.2.gz", "a.log.1", "a.log"];
        assert_eq!(found, Some(told("a.log.3.gz", &newer)));
    }

    #[test]
    fn a_number_that_was_given_again_is_that_of_another_file() {
        let (far, content) = Far::new("one\n");
        // An older generation that nobody looked into, whose number the copy has.
        far.copytruncate("three\n");
        let copy = far.look("a.log.1").remove(0);
        let old = FarFile {
            length: 9,
            modified: copy.modified - 99,
            ..copy
        };
        let old = FarContent::new(far.host.clone(), old, far.fake.path("a.log"));
        let all = [Arc::new(old), Arc::clone(&content)];
        let rotated = rotated(&content, &far.look("a.log"), &all).expect("looked at");
        let fate = rotated.expect("it was cut").fate;
        assert!(matches!(fate, Fate::Copied(_)));
    }

    #[test]
    fn of_a_file_that_is_gone_the_later_ones_are_found() {
        let (far, content) = Far::new("one\n");
        far.rename("two\n");
        far.rename("three\n");
        let lost = far.fake.path("a.log.2");
        fs::remove_file(lost).expect("removed");
        let rotated = rotated(&content, &far.look("a.log"), &[]).expect("looked at");
        let rotated = rotated.expect("it is gone");
        assert!(matches!(rotated.fate, Fate::Lost));
        let newer = rotated.newer.iter().map(|new| new.file().name().to_owned());
        assert_eq!(newer.collect::<Vec<_>>(), ["a.log.1", "a.log"]);
    }

    #[test]
    fn a_log_that_is_gone_for_a_moment_is_waited_for() {
        let (far, content) = Far::new("one\n");
        far.rename("two\n");
        let found = far.look("a.log");
        fs::rename(far.fake.path("a.log"), far.fake.path("a.log.0")).expect("renamed");
        assert_eq!(far.told(&content, &[]), None);
        assert_eq!(far.told(&content, &found), None);
        fs::write(far.fake.path("a.log"), "three\n").expect("written");
        let found = far.told(&content, &far.look("a.log"));
        assert_eq!(found, Some(told("a.log.1", &["a.log.0", "a.log"])));
    }
}
