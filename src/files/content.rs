//! Bytes of a file, wherever they come from.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::far::{FarContent, FarReader};
use super::packed::{HEAD_BYTES, Packed, Packing, Unpacked, packing};

/// What can be read at any place.
#[derive(Debug)]
pub(super) enum Content {
    /// A file as it lies. It stays readable when it is renamed or removed.
    File(File),
    /// A file of which nothing is known until somebody needs it.
    Closed(Closed),
    /// A log that is unpacked, or being unpacked.
    Unpacked(Unpacked),
    /// A file on another host.
    Far(Arc<FarContent>),
    /// It is gone: it was cut, and no copy was made; or it cannot be opened.
    Gone,
}

/// A file that was not looked into.
#[derive(Clone, Debug)]
pub(super) enum Closed {
    /// It is compressed.
    Packed(PathBuf, Packing),
    /// It lies on another host, compressed or not.
    Far(Arc<FarContent>),
}

impl Closed {
    /// Looks into it.
    ///
    /// # Errors
    /// It cannot be read, or there can be no temporary file.
    pub fn open(&self, spool: Option<&Path>) -> io::Result<Opened> {
        match self {
            Self::Packed(path, packing) => Packed::open(path, *packing, spool).map(Opened::Packed),
            Self::Far(far) => {
                far.find_again()?;
                if let Some((packed, _)) = unpacked_afar(far, spool)? {
                    return Ok(Opened::Packed(packed));
                }
                far.warm_ends()?;
                Ok(Opened::Plain(Content::Far(Arc::clone(far))))
            }
        }
    }
}

/// What is in a file that was looked into.
pub(super) enum Opened {
    /// It is being unpacked.
    Packed(Packed),
    /// It is as it lies.
    Plain(Content),
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Packed(path, _) => path.display().fmt(f),
            Self::Far(far) => write!(f, "{}:{}", far.host().name(), far.file().path),
        }
    }
}

/// Begins to unpack a file on another host, if it is packed.
///
/// # Errors
/// It cannot be read, or there can be no temporary file.
pub(super) fn unpacked_afar(
    far: &Arc<FarContent>,
    spool: Option<&Path>,
) -> io::Result<Option<(Packed, Packing)>> {
    let mut head = [0; HEAD_BYTES];
    let filled = Content::Far(Arc::clone(far)).read(&mut head, 0)?;
    let Some(packing) = packing(&head[..filled]) else {
        return Ok(None);
    };
    let file = far.file();
    let path = Path::new(&file.path);
    let packed = Packed::read(FarReader::new(far), file.length, path, packing, spool)?;
    Ok(Some((packed, packing)))
}

impl Content {
    /// Bytes that can be read now.
    pub fn length(&self) -> io::Result<u64> {
        match self {
            Self::File(file) => Ok(file.metadata()?.len()),
            Self::Unpacked(unpacked) => Ok(unpacked.len()),
            Self::Far(far) => Ok(far.len()),
            Self::Closed(..) | Self::Gone => Ok(0),
        }
    }

    /// Bytes that can be read now, and when a file was last written to.
    pub fn look(&self) -> io::Result<(u64, Option<SystemTime>)> {
        match self {
            Self::File(file) => {
                let metadata = file.metadata()?;
                Ok((metadata.len(), metadata.modified().ok()))
            }
            _ => Ok((self.length()?, None)),
        }
    }

    /// Whether it was packed and is unpacked to its end.
    pub fn is_unpacked(&self) -> bool {
        matches!(self, Self::Unpacked(unpacked) if unpacked.is_whole())
    }

    /// The file, where it lies as it is.
    pub fn file(&self) -> Option<&File> {
        match self {
            Self::File(file) => Some(file),
            Self::Closed(..) | Self::Unpacked(_) | Self::Far(_) | Self::Gone => None,
        }
    }

    /// Fills the buffer from a place on; how many bytes there were.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn read(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            let (rest, from) = (&mut buffer[filled..], at + filled as u64);
            let read = match self {
                Self::File(file) => file.read_at(rest, from),
                Self::Unpacked(unpacked) => unpacked.read_at(rest, from),
                Self::Far(far) => far.read_at(rest, from),
                Self::Closed(..) | Self::Gone => Ok(0),
            };
            match read {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// What is still being unpacked.
    pub fn unpacking(&self) -> Option<Unpacked> {
        match self {
            Self::Unpacked(unpacked) if !unpacked.is_whole() => Some(unpacked.clone()),
            _ => None,
        }
    }

    /// The file on another host.
    pub fn far(&self) -> Option<Arc<FarContent>> {
        match self {
            Self::Far(far) => Some(Arc::clone(far)),
            _ => None,
        }
    }

    /// Bytes of a packed file that are unpacked, of all it has.
    pub fn progress(&self) -> Option<(u64, u64)> {
        match self {
            Self::Unpacked(unpacked) => Some(unpacked.progress()),
            Self::File(_) | Self::Closed(..) | Self::Far(_) | Self::Gone => None,
        }
    }

    /// Why it is not there to its end.
    pub fn trouble(&self) -> Option<String> {
        match self {
            Self::Unpacked(unpacked) => unpacked.failure().map(|failure| failure.to_string()),
            Self::Gone => Some("it was cut or removed, and no copy was made of it".to_owned()),
            Self::Far(far) => far.host().trouble(),
            Self::File(_) | Self::Closed(..) => None,
        }
    }

    /// The same bytes, held once more.
    pub fn again(&self) -> Self {
        match self {
            Self::File(file) => file.try_clone().map_or(Self::Gone, Self::File),
            Self::Closed(closed) => Self::Closed(closed.clone()),
            Self::Unpacked(unpacked) => Self::Unpacked(unpacked.clone()),
            Self::Far(far) => Self::Far(Arc::clone(far)),
            Self::Gone => Self::Gone,
        }
    }

    /// What nobody has looked into.
    pub fn closed(&self) -> Option<Closed> {
        match self {
            Self::Closed(closed) => Some(closed.clone()),
            _ => None,
        }
    }
}
