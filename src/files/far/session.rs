//! One shell on another host, which is asked one question after the other.

use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use memchr::memmem;

use super::address::Address;

/// It asks for no password, gives up on a host that is silent, and compresses; nothing of what the user has configured for
/// logins stands between the shell and us.
const OPTIONS: [&str; 14] = [
    "-T",
    "-o",
    "RemoteCommand=none",
    "-o",
    "ClearAllForwardings=yes",
    "-o",
    "BatchMode=yes",
    "-o",
    "ConnectTimeout=10",
    "-o",
    "ServerAliveInterval=15",
    "-o",
    "ServerAliveCountMax=3",
    "-C",
];

/// Bytes and messages mean the same everywhere; `measure FILE…` prints of each its length, when it was modified, its number
/// there and its path; `opened FILE NUMBER` makes it the input, unless another file has its name.
const SETUP: &str = r#"LC_ALL=C; export LC_ALL
if stat -L -c %s / >/dev/null 2>&1; then measure() { stat -L -c '%s %Y %i %n' "$@"; }
elif stat -L -f %z / >/dev/null 2>&1; then measure() { stat -L -f '%z %m %i %N' "$@"; }
else measure() { for f; do n=$(wc -c <"$f") && set -- $(ls -diL "$f") && echo $n 0 $1 "$f"; done; }
fi
opened() {
exec <"$1" || exit 1
[ "$2" = 0 ] || [ "$(set -- $(measure "$1"); echo $3)" = "$2" ] || { echo 'another file has its name' >&2; exit 98; }
}
true"#;

/// What a host says before it answers the first time, such as a greeting, has at most so many bytes.
const GREETING: usize = 1 << 20;

/// Of what is said on stderr, so many bytes are kept.
const KEPT: usize = 4096;

/// Of what is said on stderr, so many lines are told.
const TOLD: usize = 5;

/// What is said on stderr may come this much later than the answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Bytes that are read at once.
const READ: usize = 64 * 1024;

/// What a command gave.
pub(super) struct Answer {
    pub bytes: Vec<u8>,
    /// 0 where it succeeded.
    pub status: i32,
    /// The last lines of stderr, where it failed.
    pub said: String,
}

/// A running `ssh … sh`. It ends when it is dropped.
pub(super) struct Session {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    said: Arc<Said>,
}

impl Session {
    /// Starts the program, and asks the shell whether it is there.
    ///
    /// # Errors
    /// There is no such program, or the host refuses.
    pub fn start(program: &OsStr, address: &Address) -> io::Result<Self> {
        let mut child = command(program, address).spawn().map_err(|error| {
            let text = format!("{} cannot be started: {error}", program.display());
            io::Error::new(error.kind(), text)
        })?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(io::Error::other("ssh has no pipes"));
        };
        let mut session = Self {
            child,
            stdin,
            stdout,
            said: Said::listen(stderr)?,
        };
        session.exchange(SETUP, GREETING)?;
        Ok(session)
    }

    /// Itself, unless the program has ended.
    pub fn if_alive(mut self) -> Option<Self> {
        matches!(self.child.try_wait(), Ok(None)).then_some(self)
    }

    /// Runs a command in a shell of its own; it has no input. An answer longer than `most` bytes is an error.
    ///
    /// # Errors
    /// The connection is lost: the session is of no use any more.
    pub fn ask(&mut self, command: &str, most: usize) -> io::Result<Answer> {
        self.exchange(&format!("( {command}\n) </dev/null"), most)
    }

    fn exchange(&mut self, script: &str, most: usize) -> io::Result<Answer> {
        let token = format!("{:032x}", fastrand::u128(..));
        let script = format!(
            "{script}\ns=$?; printf '\\n%s %s\\n' {token} $s; [ $s -eq 0 ] || echo {token} >&2\n"
        );
        let received = self.send(&script).and_then(|()| self.receive(&token, most));
        match received {
            Ok((bytes, status)) => {
                let said = if status == 0 {
                    String::new()
                } else {
                    self.said.wait_for(&token)
                };
                self.said.forget();
                Ok(Answer {
                    bytes,
                    status,
                    said,
                })
            }
            Err(error) => Err(self.lost(&error, &token)),
        }
    }

    fn send(&mut self, script: &str) -> io::Result<()> {
        self.stdin.write_all(script.as_bytes())?;
        self.stdin.flush()
    }

    /// Reads up to the marker, which comes last; the bytes before it, and the status it tells.
    fn receive(&mut self, token: &str, most: usize) -> io::Result<(Vec<u8>, i32)> {
        let marker = format!("\n{token} ");
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; READ]);
        loop {
            match self.stdout.read(&mut buffer) {
                Ok(0) => {
                    let text = "the connection ended";
                    return Err(io::Error::new(ErrorKind::UnexpectedEof, text));
                }
                Ok(count) => bytes.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            if let Some((end, status)) = find_marker(&bytes, marker.as_bytes()) {
                bytes.truncate(end);
                return Ok((bytes, status));
            }
            if bytes.len() > most.saturating_add(READ) {
                let text = format!("expected an answer of at most {most} bytes; found more");
                return Err(io::Error::new(ErrorKind::InvalidData, text));
            }
        }
    }

    /// Why there is no answer: what `ssh` said, where it said something.
    fn lost(&self, error: &io::Error, token: &str) -> io::Error {
        let said = self.said.wait_for(token);
        let text = if said.is_empty() {
            error.to_string()
        } else {
            said
        };
        io::Error::new(error.kind(), text)
    }

    /// Ends the program, as a lost connection does.
    #[cfg(test)]
    pub fn end(&mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(program: &OsStr, address: &Address) -> Command {
    let mut command = Command::new(program);
    command.args(OPTIONS);
    if let Some(port) = address.port {
        command.args(["-p", &port.to_string()]);
    }
    command
        .arg(address.destination())
        .arg("sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Where a marker that ends the bytes begins, and the status after it.
fn find_marker(bytes: &[u8], marker: &[u8]) -> Option<(usize, i32)> {
    // A status has at most three digits; a newline is last.
    let from = bytes.len().saturating_sub(marker.len() + 4);
    let at = from + memmem::find(&bytes[from..], marker)?;
    let status = bytes[at + marker.len()..].strip_suffix(b"\n")?;
    let status = std::str::from_utf8(status).ok()?.parse().ok()?;
    Some((at, status))
}

/// The end of what is said on stderr.
#[derive(Default)]
struct Said {
    heard: Mutex<Heard>,
    more: Condvar,
}

#[derive(Default)]
struct Heard {
    bytes: Vec<u8>,
    ended: bool,
}

impl Said {
    fn listen(stderr: ChildStderr) -> io::Result<Arc<Self>> {
        let said = Arc::new(Self::default());
        let own = Arc::clone(&said);
        thread::Builder::new()
            .name("ssh-stderr".to_owned())
            .spawn(move || own.hear(stderr))?;
        Ok(said)
    }

    fn hear(&self, mut stderr: ChildStderr) {
        let mut buffer = [0; 1024];
        loop {
            match stderr.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => self.heard().push(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
            self.more.notify_all();
        }
        self.heard().ended = true;
        self.more.notify_all();
    }

    /// What was said until the token, or the end; or until now, where neither comes soon.
    fn wait_for(&self, token: &str) -> String {
        let is_open = |heard: &mut Heard| {
            !heard.ended && memmem::find(&heard.bytes, token.as_bytes()).is_none()
        };
        let (heard, _) = self
            .more
            .wait_timeout_while(self.heard(), PATIENCE, is_open)
            .unwrap_or_else(PoisonError::into_inner);
        heard.text(token)
    }

    fn forget(&self) {
        self.heard().bytes.clear();
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        let over = self.bytes.len().saturating_sub(KEPT);
        self.bytes.drain(..over);
    }

    /// The last lines, as one, without what could steer a terminal.
    fn text(&self, token: &str) -> String {
        let text = String::from_utf8_lossy(&self.bytes);
        let lines = text.lines().map(str::trim);
        let lines: Vec<&str> = lines
            .filter(|line| !line.is_empty() && *line != token)
            .collect();
        let last = &lines[lines.len().saturating_sub(TOLD)..];
        last.join("; ").replace(char::is_control, " ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_only_at_the_end_and_whole() {
        type Case = (&'static [u8], Option<(usize, i32)>);
        let table: [Case; 7] = [
            (b"abc\nT 0\n", Some((3, 0))),
            (b"\nT 255\n", Some((0, 255))),
            (b"abc\n\nT 1\n", Some((4, 1))),
            (b"abc\nT 0", None),
            (b"abc\nT \n", None),
            (b"abc\nT 0\nmore of it\n", None),
            (b"", None),
        ];
        for (bytes, expected) in table {
            assert_eq!(find_marker(bytes, b"\nT "), expected, "{bytes:?}");
        }
    }

    #[test]
    fn the_last_lines_are_told_without_control() {
        let mut heard = Heard::default();
        heard.push(&b"x\n".repeat(KEPT));
        heard.push(b"one\r\n\x1b[31mtwo\n\nT\n");
        assert_eq!(heard.bytes.len(), KEPT);
        assert_eq!(heard.text("T"), "x; x; x; one;  [31mtwo");
    }
}
