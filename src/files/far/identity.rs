//! Which file over there is a file that was known before: names move on when logs are rotated.

use std::io::{self, ErrorKind};

use super::super::generations;
use super::content::FarContent;
use super::host::FarFile;

/// So often it is looked for what is not where it was: names may be moved on at this very moment.
pub const LOOKS_FOR: usize = 3;

impl FarContent {
    /// Whether a file holds what this one holds before its end: it is a copy of it, or itself. Nothing, where it is not known
    /// what it held.
    ///
    /// # Errors
    /// As [`Host::read`](super::host::Host::read).
    pub fn is_held_by(&self, other: &FarFile) -> io::Result<Option<bool>> {
        let length = self.len();
        if other.length < length {
            return Ok(Some(false));
        }
        let own = self.end_of(length);
        if own.is_empty() {
            return Ok(None);
        }
        let from = length - own.len() as u64;
        match self.host().read(other, from, own.len()) {
            Ok(found) => Ok(Some(found == own)),
            Err(error) if error.kind() == ErrorKind::NotConnected => Err(error),
            // One that cannot be read must not keep others from being followed.
            Err(_) => Ok(Some(false)),
        }
    }

    /// Whether a file is this one, perhaps under another name. Numbers are given again when files are removed: what it holds
    /// is looked at too, or, where that is not known, its length and its time, which no renaming changes.
    ///
    /// # Errors
    /// The host cannot be asked.
    pub fn is_itself(&self, other: &FarFile) -> io::Result<bool> {
        let own = self.file();
        if other.number != own.number {
            return Ok(false);
        }
        let is_as_long = (other.length, other.modified) == (own.length, own.modified);
        Ok(self.is_held_by(other)?.unwrap_or(is_as_long))
    }

    /// What lies beside the log it belongs to, itself among them.
    ///
    /// # Errors
    /// As [`Host::beside`](super::host::Host::beside).
    pub fn beside(&self) -> io::Result<Vec<FarFile>> {
        self.host().beside([self.origin()])
    }

    /// The file that it was compressed to, of those beside it: its time is kept then, or is that of what was written to it
    /// since it was looked at, so many seconds later at the most.
    #[must_use]
    pub fn compressed_in<'f>(&self, beside: &'f [FarFile], late: i64) -> Option<&'f FarFile> {
        let (own, log) = (self.file(), FarFile::name_of(self.origin()));
        let is_it = |other: &&FarFile| {
            let name = other.name();
            own.modified > 0
                && (0..=late).contains(&(other.modified - own.modified))
                && generations::is_compressed(name)
                && generations::origin(name).is_some_and(|origin| origin == log)
        };
        beside.iter().filter(is_it).min_by_key(|of| of.modified)
    }

    /// Finds it again after some time in which nobody looked at it: it may have another name, or may have been compressed.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where it is gone; as [`Host::beside`](super::host::Host::beside).
    pub fn find_again(&self) -> io::Result<()> {
        for _ in 0..LOOKS_FOR {
            let beside = self.beside()?;
            let found = match self.among(&beside)? {
                Some(found) => Some(found),
                None => self.compressed_in(&beside, 0),
            };
            if let Some(found) = found {
                self.move_to(found.clone());
                return Ok(());
            }
        }
        Err(io::Error::from(ErrorKind::NotFound))
    }

    /// The file itself, under whatever name.
    fn among<'f>(&self, files: &'f [FarFile]) -> io::Result<Option<&'f FarFile>> {
        for file in files {
            if self.is_itself(file)? {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    /// Asks something of the file where it lies: it may have been renamed since it was looked at.
    pub(super) fn where_it_lies<T>(
        &self,
        ask: impl Fn(&FarFile) -> io::Result<T>,
    ) -> io::Result<T> {
        let file = self.file();
        let mut answer = ask(&file);
        for _ in 0..LOOKS_FOR {
            match &answer {
                Err(error) if file.number > 0 && is_missing(error) => {}
                _ => break,
            }
            if let Some(moved) = self.among(&self.beside()?)? {
                answer = ask(moved);
            }
        }
        answer
    }
}

/// Whether a file is not where it was.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StaleNetworkFileHandle | ErrorKind::NotFound
    )
}
