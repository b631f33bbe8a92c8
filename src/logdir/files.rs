//! Where log files lie: in a folder here, or wherever else somebody can list and read them.

use std::fmt;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

/// A place that holds log files.
///
/// Bodies: [`Folder`], and a directory behind a web server.
pub trait LogFiles: fmt::Debug + Send + Sync {
    /// What it is called in messages.
    fn place(&self) -> String;

    /// The names of what lies in it, in any order; of directories, none.
    ///
    /// # Errors
    /// The place cannot be listed.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Opens a file for reading.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] where there is none; any other refusal.
    fn open(&self, name: &str) -> io::Result<Arc<dyn LogFile>>;
}

/// A file that may grow.
pub trait LogFile: fmt::Debug + Send + Sync {
    /// Its size in bytes, now.
    ///
    /// # Errors
    /// The place refuses.
    fn size(&self) -> io::Result<u64>;

    /// So many bytes from an offset on; fewer only where the file ends.
    ///
    /// # Errors
    /// The place refuses.
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>>;
}

/// Whether a file is a log file by its name: 14 digits, the milliseconds since 1970 at which it was made, and `.log`.
#[must_use]
pub fn is_log_name(name: &str) -> bool {
    name.strip_suffix(".log")
        .is_some_and(|stem| stem.len() == 14 && stem.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The name of a log file that is made at a time, in milliseconds since 1970.
#[must_use]
pub fn log_name(millis: u64) -> String {
    format!("{millis:014}.log")
}

/// A folder on this machine.
#[derive(Clone, Debug)]
pub struct Folder(pub PathBuf);

impl LogFiles for Folder {
    fn place(&self) -> String {
        self.0.display().to_string()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for item in std::fs::read_dir(&self.0)? {
            let item = item?;
            let Ok(name) = item.file_name().into_string() else {
                continue;
            };
            // Only what could be one is asked what it is; links lead to files too.
            if is_log_name(&name) && std::fs::metadata(item.path()).is_ok_and(|it| it.is_file()) {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn LogFile>> {
        Ok(Arc::new(std::fs::File::open(self.0.join(name))?))
    }
}

impl LogFile for std::fs::File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match FileExt::read_at(self, &mut bytes[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_fourteen_digits() {
        assert_eq!(log_name(1_714_521_600_000), "01714521600000.log");
        for (name, is) in [
            ("01714521600000.log", true),
            ("1714521600000.log", false),
            ("01714521600000.LOG", false),
            ("01714521600000.log.gz", false),
            (".01714521600000.log", false),
            ("0171452160000x.log", false),
            ("", false),
        ] {
            assert_eq!(is_log_name(name), is, "{name}");
        }
    }
}
