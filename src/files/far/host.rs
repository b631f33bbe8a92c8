//! Another host, and what it is asked.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::address::Address;
use super::session::{Answer, Session};
use super::words::{expressions, quote, quote_pattern};
use crate::base::Zone;

/// `ssh` is started this often at the most.
const BETWEEN_STARTS: Duration = Duration::from_secs(1);

/// A list of files has at most so many bytes.
const LIST: usize = 16 << 20;

/// An answer that takes no time and has not come after this is missed.
const MISSED: Duration = Duration::from_secs(5);

/// What tells a zone has at most so many bytes.
const ZONE: usize = 4096;

/// A number and its newline have at most so many bytes.
const NUMBER: usize = 21;

/// Of more names than these all of their directories is listed.
const MOST_STEMS: usize = 50;

/// The status that tells of a `grep` without `-a` or `-b`.
const NO_OFFSETS: i32 = 97;

/// The status that tells that another file has a name.
const STALE: i32 = 98;

/// A host that is reached by `ssh`. Copies share the connection; they wait for each other.
///
/// Errors have the kind [`ErrorKind::NotConnected`] where the host cannot be asked, [`ErrorKind::NotFound`] and
/// [`ErrorKind::PermissionDenied`] where it answers that of a file, [`ErrorKind::StaleNetworkFileHandle`] where another file
/// has its name by now.
#[derive(Clone)]
pub struct Host(Arc<Shared>);

struct Shared {
    program: OsString,
    address: Address,
    name: String,
    line: Mutex<Line>,
    standing: Mutex<Standing>,
}

/// How it is with a host.
#[derive(Default)]
struct Standing {
    /// When it was asked what takes no time, and it has not answered yet.
    asked: Option<Instant>,
    /// Why it could not be asked the last time.
    failure: Option<String>,
}

/// The connection, while there is one.
#[derive(Default)]
struct Line {
    session: Option<Session>,
    started: Option<Instant>,
}

/// A file on another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FarFile {
    /// Its absolute path there.
    pub path: String,
    /// In bytes.
    pub length: u64,
    /// When it was modified, in seconds since 1970; 0 where the host does not tell.
    pub modified: i64,
    /// Its number there, which it keeps when it is renamed; 0 is any file that has the path.
    pub number: u64,
}

impl FarFile {
    /// The last part of its path.
    #[must_use]
    pub fn name(&self) -> &str {
        Self::name_of(&self.path)
    }

    /// The last part of a path.
    #[must_use]
    pub fn name_of(path: &str) -> &str {
        path.rsplit('/').next().unwrap_or(path)
    }
}

impl Host {
    /// Connects, so that a host that refuses is told at once.
    ///
    /// # Errors
    /// There is no `ssh`, or it does not get through; what it said is told.
    pub fn connect(address: &Address) -> io::Result<Self> {
        Self::with_program(OsStr::new("ssh"), address)
    }

    /// Connects by another program that takes the arguments of `ssh`.
    ///
    /// # Errors
    /// As [`Host::connect`].
    pub fn with_program(program: &OsStr, address: &Address) -> io::Result<Self> {
        let host = Self(Arc::new(Shared {
            program: program.to_owned(),
            address: address.clone(),
            name: address.name(),
            line: Mutex::default(),
            standing: Mutex::default(),
        }));
        host.ask("answer", "true", 0)?;
        Ok(host)
    }

    /// What a user calls it: `host`, or `host:port`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The regular files that a pattern of the shell gives, in the order of their names. Names with newlines, and those that
    /// are no UTF-8, are left out.
    ///
    /// # Errors
    /// The host cannot be asked.
    pub fn list(&self, pattern: &str) -> io::Result<Vec<FarFile>> {
        self.measured(&format!("list {pattern}"), &quote_pattern(pattern)?)
    }

    /// The files that have these paths now; others are left out.
    ///
    /// # Errors
    /// The host cannot be asked.
    pub fn look(&self, paths: &[String]) -> io::Result<Vec<FarFile>> {
        let words: io::Result<Vec<String>> = paths.iter().map(|path| quote(path)).collect();
        self.measured("look at files", &words?.join(" "))
    }

    /// The files of the same directories whose names begin as one of these does up to its first dot, itself among them:
    /// `app.log.1` and `app-2026-03-14.log` beside `app.log`.
    ///
    /// # Errors
    /// The host cannot be asked.
    pub fn beside<'p>(&self, paths: impl IntoIterator<Item = &'p str>) -> io::Result<Vec<FarFile>> {
        let mut stems: BTreeSet<&str> = paths.into_iter().map(stem).collect();
        if stems.len() > MOST_STEMS {
            // Each is looked for in all of its directory.
            let dir = |stem: &'p str| &stem[..=stem.rfind('/').unwrap_or(0)];
            stems = stems.into_iter().map(dir).collect();
        }
        let words: io::Result<Vec<String>> = stems
            .into_iter()
            .map(|stem| Ok(format!("{}*", quote(stem)?)))
            .collect();
        let mut found = self.measured("look beside files", &words?.join(" "))?;
        found.sort_by(|one, other| one.path.cmp(&other.path));
        found.dedup_by(|one, other| one.path == other.path);
        Ok(found)
    }

    /// The files that words of the shell give.
    fn measured(&self, what: &str, words: &str) -> io::Result<Vec<FarFile>> {
        // A command has a bounded number of arguments.
        let command = format!(
            "for f in {words}; do
case $f in *'\n'*) continue;; esac
[ -f \"$f\" ] && set -- \"$@\" \"$f\"
[ $# -lt 100 ] || {{ measure \"$@\" 2>/dev/null; set --; }}
done
[ $# = 0 ] || measure \"$@\" 2>/dev/null
true"
        );
        let answer = self.ask(what, &command, LIST)?;
        let lines = answer.split(|byte| *byte == b'\n');
        Ok(lines.filter_map(far_file).collect())
    }

    /// The zone of its clock: by its variable `TZ`, by the name that its local time has, or else its offset of today.
    ///
    /// # Errors
    /// The host cannot be asked, or tells none that is known here.
    pub fn zone(&self) -> io::Result<Zone> {
        let what = "tell its zone";
        let command = "echo \"$TZ\"; readlink /etc/localtime || echo; date +%z";
        let answer = self.ask(what, command, ZONE)?;
        let text = String::from_utf8_lossy(&answer);
        let mut lines = text.lines().map(str::trim);
        let mut next = || lines.next().unwrap_or_default();
        let (variable, link, offset) = (next(), next(), next());
        let linked = link.split_once("zoneinfo/").map(|(_, name)| name);
        let told = Zone::of_variable(variable).or_else(|| Zone::named(linked?).ok());
        told.map_or_else(|| Zone::named(offset), Ok)
            .map_err(|reason| self.error(ErrorKind::InvalidData, what, &reason))
    }

    /// Why what is shown of its files may be old; nothing while it answers.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let standing = self.standing();
        let late = standing.asked.map(|asked| asked.elapsed());
        let late = late.filter(|late| *late > MISSED);
        let name = self.name();
        match (&standing.failure, late) {
            (Some(failure), _) => Some(format!("{name} is not answering: {failure}")),
            (None, Some(late)) => Some(format!("{name} is not answering for {} s", late.as_secs())),
            (None, None) => None,
        }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        let standing = self.0.standing.lock();
        standing.unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes of a file from an offset on; fewer than `length` only at its end.
    ///
    /// # Errors
    /// It is gone, another has its name, or the host cannot be asked.
    pub fn read(&self, file: &FarFile, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        if length == 0 {
            return Ok(Vec::new());
        }
        let command = format!(
            "{}; tail -c +{} | head -c {length}",
            opened(file)?,
            offset.saturating_add(1)
        );
        self.ask_patiently(&format!("read {}", file.path), &command, length)
    }

    /// Where the lines begin that hold one of the words, in any ASCII case; the last `most` of them. `from` is where a line
    /// begins.
    ///
    /// # Errors
    /// The file is gone, another has its name, a word holds a newline or NUL, or the host cannot be asked;
    /// [`ErrorKind::Unsupported`] where its `grep` tells no offsets, as busybox's: the file has to be read.
    pub fn hits(
        &self,
        file: &FarFile,
        words: &[String],
        from: u64,
        most: usize,
    ) -> io::Result<Vec<u64>> {
        if words.is_empty() || most == 0 {
            return Ok(Vec::new());
        }
        let command = format!(
            "echo x | grep -a -b -i -F -e X >/dev/null 2>&1 || {{ echo 'its grep has no -a -b' >&2; exit {NO_OFFSETS}; }}
{}; tail -c +{} | grep -a -b -i -F{} | cut -d: -f1 | tail -n {most}",
            opened(file)?,
            from.saturating_add(1),
            expressions(words)?
        );
        let bound = most.saturating_mul(NUMBER);
        let answer = self.ask_patiently(&format!("search {}", file.path), &command, bound)?;
        let text = String::from_utf8_lossy(&answer);
        let offsets = text.lines().filter_map(|line| line.parse::<u64>().ok());
        Ok(offsets.map(|offset| from.saturating_add(offset)).collect())
    }

    /// Asks one question that takes no time over there; `what` says in an error what it was.
    fn ask(&self, what: &str, command: &str, most: usize) -> io::Result<Vec<u8>> {
        let mut line = self.line();
        self.standing().asked = Some(Instant::now());
        self.exchange(&mut line, what, command, most)
    }

    /// Asks for what may take its time: a search of a large file, many bytes over a slow line.
    fn ask_patiently(&self, what: &str, command: &str, most: usize) -> io::Result<Vec<u8>> {
        self.exchange(&mut self.line(), what, command, most)
    }

    fn exchange(
        &self,
        line: &mut Line,
        what: &str,
        command: &str,
        most: usize,
    ) -> io::Result<Vec<u8>> {
        let answer = line
            .session(&self.0)
            .and_then(|session| session.ask(command, most));
        *self.standing() = Standing {
            asked: None,
            failure: answer.as_ref().err().map(ToString::to_string),
        };
        match answer {
            Ok(answer) if answer.status == 0 => Ok(answer.bytes),
            Ok(answer) => Err(self.refusal(what, &answer)),
            Err(error) => {
                line.session = None;
                Err(self.error(ErrorKind::NotConnected, what, &error.to_string()))
            }
        }
    }

    fn refusal(&self, what: &str, answer: &Answer) -> io::Error {
        // Shells differ in how they begin.
        let says = |said: &str, what: &str| said.to_ascii_lowercase().contains(what);
        let kind = match &answer.said {
            _ if answer.status == NO_OFFSETS => ErrorKind::Unsupported,
            _ if answer.status == STALE => ErrorKind::StaleNetworkFileHandle,
            said if says(said, "no such file") => ErrorKind::NotFound,
            said if says(said, "permission denied") => ErrorKind::PermissionDenied,
            _ => ErrorKind::Other,
        };
        if answer.said.is_empty() {
            return self.error(kind, what, &format!("it failed with {}", answer.status));
        }
        self.error(kind, what, &answer.said)
    }

    fn error(&self, kind: ErrorKind, what: &str, said: &str) -> io::Error {
        let text = format!("the host {} was asked to {what}: {said}", self.name());
        io::Error::new(kind, text)
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Host").field(&self.0.name).finish()
    }
}

impl Line {
    /// The connection; a new one where it was lost.
    fn session(&mut self, shared: &Shared) -> io::Result<&mut Session> {
        let session = match self.session.take().and_then(Session::if_alive) {
            Some(session) => session,
            None => self.start(shared)?,
        };
        Ok(self.session.insert(session))
    }

    fn start(&mut self, shared: &Shared) -> io::Result<Session> {
        if let Some(started) = self.started {
            thread::sleep(BETWEEN_STARTS.saturating_sub(started.elapsed()));
        }
        self.started = Some(Instant::now());
        Session::start(&shared.program, &shared.address)
    }
}

/// A path up to the first dot of its name; that of a hidden file ends no name.
fn stem(path: &str) -> &str {
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    let dot = path[name..].char_indices().skip(1).find(|(_, c)| *c == '.');
    dot.map_or(path, |(dot, _)| &path[..name + dot])
}

/// A line of a list: length, time, number and path.
fn far_file(line: &[u8]) -> Option<FarFile> {
    let mut words = std::str::from_utf8(line).ok()?.splitn(4, ' ');
    Some(FarFile {
        length: words.next()?.parse().ok()?,
        modified: words.next()?.parse().ok()?,
        number: words.next()?.parse().ok()?,
        path: words.next()?.to_owned(),
    })
}

/// The command that makes a file the input.
fn opened(file: &FarFile) -> io::Result<String> {
    Ok(format!("opened {} {}", quote(&file.path)?, file.number))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::fake::Fake;
    use super::*;

    /// Whatever file has a path.
    fn named(path: &str) -> FarFile {
        FarFile {
            path: path.to_owned(),
            length: 0,
            modified: 0,
            number: 0,
        }
    }

    #[test]
    fn files_are_listed_by_a_pattern() {
        let fake = Fake::new();
        let names = ["it's $(id).log", "a 1.log", "b\n2.log", "c.txt", "d.log"];
        for name in names {
            fs::write(fake.path(name), name).expect("write");
        }
        fs::create_dir(fake.path("dir.log")).expect("directory");
        let listed = |pattern: &str| fake.host().list(&fake.path(pattern)).expect("a list");
        let found = listed("*.log");
        let paths: Vec<&str> = found.iter().map(|file| file.path.as_str()).collect();
        let expected = ["a 1.log", "d.log", "it's $(id).log"].map(|name| fake.path(name));
        assert_eq!(paths, expected);
        assert_eq!(found[0].length, 7);
        assert!(found[0].modified > 1_700_000_000);
        assert_eq!(listed("it's $(id)*").len(), 1);
        assert_eq!(listed("[!b-z]*.log").len(), 1);
        assert_eq!(listed("none*").len(), 0);
    }

    #[test]
    fn bytes_are_read_as_they_are() {
        let fake = Fake::new();
        let path = fake.path("it's a \"file\"");
        let mut bytes = b"\n0123456789abcdef0123456789abcdef 0\n\0\xff\r\n\n".repeat(9000);
        bytes.extend_from_slice(b"\n0123456789abcdef0123456789abcdef 0\n");
        fs::write(&path, &bytes).expect("write");
        let host = fake.host();
        let all = bytes.len();
        let found = host.look(&[path]).expect("a file");
        assert_eq!(found[0].length, all as u64);
        for (offset, length) in [
            (0, all),
            (0, 0),
            (1, 100),
            (300_000, 70_000),
            (all - 3, 10),
            (all, 5),
            (all + 9, 5),
        ] {
            let read = host.read(&found[0], offset as u64, length);
            let read = read.expect("bytes");
            let from = offset.min(all);
            let expected = &bytes[from..(from + length).min(all)];
            assert!(read == expected, "{length} bytes at {offset}");
        }
    }

    #[test]
    fn lines_are_found_by_their_words() {
        let fake = Fake::new();
        let path = fake.path("a.log");
        let text = "one Error\n\0two: -x\nthree's\nerror: 4\nlast";
        fs::write(&path, text).expect("write");
        let (host, file) = (fake.host(), named(&path));
        let at = |line: &str| text.find(line).expect("a line") as u64;
        let (one, two, three, four) = (0, at("\0two"), at("three"), at("error"));
        let table = [
            (vec!["ERROR"], 0, 9, vec![one, four]),
            (vec!["ERROR"], 0, 1, vec![four]),
            (vec!["error"], two, 9, vec![four]),
            (vec!["-X", "three's"], 0, 9, vec![two, three]),
            (vec!["LAST"], 0, 9, vec![at("last")]),
            (vec!["e.r"], 0, 9, vec![]),
            (vec![], 0, 9, vec![]),
            (vec!["error"], 0, 0, vec![]),
        ];
        for (words, from, most, expected) in table {
            let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
            let found = host.hits(&file, &words, from, most).expect("hits");
            assert_eq!(found, expected, "{words:?} from {from}");
        }
        let error = host.hits(&file, &["a\nb".to_owned()], 0, 9);
        assert_eq!(error.expect_err("refused").kind(), ErrorKind::InvalidInput);
    }

    #[test]
    fn a_file_that_is_gone_is_told_and_the_host_goes_on() {
        let fake = Fake::new();
        let (host, path) = (fake.host(), fake.path("gone.log"));
        let words = ["x".to_owned()];
        for error in [
            host.read(&named(&path), 0, 9).expect_err("gone"),
            host.hits(&named(&path), &words, 0, 9).expect_err("gone"),
        ] {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
            let text = error.to_string();
            assert!(text.contains("far.example") && text.contains("gone.log"));
        }
        assert_eq!(
            host.look(std::slice::from_ref(&path)).expect("an answer"),
            []
        );
        fs::write(&path, "back").expect("write");
        assert_eq!(host.read(&named(&path), 0, 9).expect("bytes"), b"back");
    }

    #[test]
    fn a_name_that_is_anothers_is_told() {
        let fake = Fake::new();
        let path = fake.path("a.log");
        fs::write(&path, "old").expect("write");
        let host = fake.host();
        let look = || host.look(std::slice::from_ref(&path)).expect("a file");
        let old = look().remove(0);
        fs::rename(&path, fake.path("a.log.1")).expect("renamed");
        fs::write(&path, "new").expect("write");
        let words = ["new".to_owned()];
        for error in [
            host.read(&old, 0, 9).expect_err("another"),
            host.hits(&old, &words, 0, 9).expect_err("another"),
        ] {
            assert_eq!(error.kind(), ErrorKind::StaleNetworkFileHandle, "{error}");
        }
        assert_eq!(host.read(&look()[0], 0, 9).expect("bytes"), b"new");
    }

    #[test]
    fn a_host_without_stat_tells_numbers_too() {
        let script = "#!/bin/sh\n{ echo 'stat() { false; }'; cat; } | sh\n";
        let fake = Fake::with_script(script);
        let path = fake.path("a *.log");
        fs::write(&path, "text").expect("write");
        let number = std::os::unix::fs::MetadataExt::ino(&fs::metadata(&path).expect("a file"));
        let host = fake.host();
        let found = host.look(&[path]).expect("a file").remove(0);
        assert_eq!((found.length, found.number), (4, number));
        assert_eq!(host.read(&found, 1, 9).expect("bytes"), b"ext");
    }

    #[test]
    fn a_host_that_refuses_is_told_with_what_ssh_said() {
        let said = "me@far.example: Permission denied (publickey).";
        let fake = Fake::with_script(&format!("#!/bin/sh\necho '{said}' >&2\nexit 255\n"));
        let error = fake.connect().expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::NotConnected);
        let text = error.to_string();
        assert!(text.contains("the host far.example:2222"), "{text}");
        assert!(text.contains(said), "{text}");
    }

    #[test]
    fn a_program_that_is_not_there_is_told() {
        let address = Address::parse("ssh://far.example/a").expect("an address");
        let error = Host::with_program(OsStr::new("/nowhere/ssh"), &address).expect_err("none");
        assert!(error.to_string().contains("/nowhere/ssh cannot be started"));
    }

    #[test]
    fn a_connection_that_ended_is_made_again() {
        let fake = Fake::new();
        let path = fake.path("a.log");
        fs::write(&path, "text").expect("write");
        let (begun, host) = (Instant::now(), fake.host());
        host.line().session.as_mut().expect("a session").end();
        assert_eq!(host.read(&named(&path), 0, 9).expect("bytes"), b"text");
        assert!(begun.elapsed() >= BETWEEN_STARTS, "it was waited");
    }

    #[test]
    fn what_lies_beside_a_file_is_listed_by_its_name_alone() {
        let fake = Fake::new();
        for name in [
            "a*.log",
            "a*.log.1",
            "ab.log",
            "a*-2026-03-14.log",
            "a*.log-2026 $(id)",
        ] {
            fs::write(fake.path(name), name).expect("write");
        }
        let host = fake.host();
        let found = host
            .beside([&*fake.path("a*.log"), &*fake.path("a*")])
            .expect("a list");
        let paths: Vec<&str> = found.iter().map(|file| file.path.as_str()).collect();
        let expected = [
            "a*-2026-03-14.log",
            "a*.log",
            "a*.log-2026 $(id)",
            "a*.log.1",
        ];
        let expected = expected.map(|name| fake.path(name));
        assert_eq!(paths, expected);
        let many: Vec<String> = (0..99).map(|n| fake.path(&format!("{n}.log"))).collect();
        let all = host
            .beside(many.iter().map(String::as_str))
            .expect("a list");
        assert_eq!(all.len(), 5);
        assert!(found[0].number != found[1].number && found[0].number > 0);
    }

    #[test]
    fn the_zone_is_that_of_the_other_clock() {
        for (variable, id) in [
            ("Asia/Tokyo", "Asia/Tokyo"),
            ("JST-9", "+09 +09"),
            ("CET-1CEST,M3.5.0,M10.5.0/3", "+01 +02"),
        ] {
            let script = format!("#!/bin/sh\nTZ='{variable}' exec sh\n");
            let zone = Fake::with_script(&script).host().zone().expect("a zone");
            assert_eq!(zone.id(), id);
        }
    }

    #[test]
    fn a_host_that_does_not_answer_is_told_until_it_does() {
        let fake = Fake::new();
        let down = fake.path("down");
        let script =
            format!("#!/bin/sh\n[ -e {down} ] && echo 'no route' >&2 && exit 255\nexec sh\n");
        let gone = Fake::with_script(&script);
        let host = gone.host();
        assert_eq!(host.trouble(), None);
        fs::write(&down, "").expect("write");
        host.line().session = None;
        assert!(host.look(std::slice::from_ref(&down)).is_err());
        let trouble = host.trouble().expect("it is told");
        assert_eq!(trouble, "far.example:2222 is not answering: no route");
        fs::remove_file(&down).expect("removed");
        host.look(&[down]).expect("an answer");
        assert_eq!(host.trouble(), None);
        host.standing().asked = Instant::now().checked_sub(2 * MISSED);
        let trouble = host.trouble().expect("it is told");
        let late = trouble
            .strip_prefix("far.example:2222 is not answering for ")
            .and_then(|rest| rest.strip_suffix(" s"));
        let late: u64 = late.expect("how long").parse().expect("a number");
        assert!(late >= 10, "{trouble}");
    }

    #[test]
    fn a_greeting_is_no_answer() {
        let fake = Fake::with_script("#!/bin/sh\necho Welcome\nexec sh\n");
        fs::write(fake.path("a"), "text").expect("write");
        let read = fake.host().read(&named(&fake.path("a")), 0, 9);
        assert_eq!(read.expect("bytes"), b"text");
    }
}
