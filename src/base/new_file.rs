//! A file that has its name when it is whole: a full disk leaves nothing half written behind, and nothing is written over
//! unless that is meant.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file that is being written, beside where it will be.
#[derive(Debug)]
pub struct NewFile {
    out: BufWriter<NamedTempFile>,
    path: PathBuf,
    /// Whether a file of the name makes room.
    replaces: bool,
}

impl NewFile {
    /// Begins a file of this name.
    ///
    /// # Errors
    /// There is such a file, or none can be made there.
    pub fn create(path: &Path) -> io::Result<Self> {
        if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Self::begin(path, false)
    }

    /// Begins a file that takes the place of that of this name.
    ///
    /// # Errors
    /// None can be made there.
    pub fn replacing(path: &Path) -> io::Result<Self> {
        Self::begin(path, true)
    }

    fn begin(path: &Path, replaces: bool) -> io::Result<Self> {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        let file = tempfile::Builder::new()
            .prefix(".tailwater-")
            .tempfile_in(dir.unwrap_or(Path::new(".")))?;
        Ok(Self {
            out: BufWriter::new(file),
            path: path.to_owned(),
            replaces,
        })
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// What is left cannot be written, or there is such a file by now.
    pub fn finish(self) -> io::Result<()> {
        let file = self
            .out
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        let named = if self.replaces {
            file.persist(&self.path)
        } else {
            file.persist_noclobber(&self.path)
        };
        named.map(drop).map_err(|error| error.error)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_when_it_is_whole_and_never_written_over() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a");
        let mut file = NewFile::create(&path).expect("begun");
        file.write_all(b"words").expect("written");
        assert!(!path.exists());
        file.finish().expect("named");
        assert_eq!(std::fs::read(&path).expect("read"), b"words");
        let kind = NewFile::create(&path).map_err(|error| error.kind());
        assert_eq!(kind.err(), Some(io::ErrorKind::AlreadyExists));
        let mut file = NewFile::replacing(&path).expect("begun");
        file.write_all(b"others").expect("written");
        file.finish().expect("named");
        assert_eq!(std::fs::read(&path).expect("read"), b"others");
        drop(NewFile::create(&dir.path().join("b")).expect("begun"));
        let left = std::fs::read_dir(dir.path()).expect("listed").count();
        assert_eq!(left, 1, "nothing is left of what was given up");
    }
}
