//! Packed files that were named: their logs become known as they are unpacked.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::packed::{Packed, Packing, Unpacked};

/// Packed files that were named.
#[derive(Debug, Default)]
pub(super) struct Archives(Vec<Archive>);

#[derive(Debug)]
struct Archive {
    packed: Packed,
    path: PathBuf,
    /// What a log is called that is all there is in it.
    alone: String,
    /// Logs that were told.
    told: usize,
}

/// A log of a packed file.
pub(super) struct Within {
    pub name: Arc<str>,
    /// Where the packed file lies.
    pub path: PathBuf,
    pub unpacked: Unpacked,
}

impl Archives {
    /// Begins to unpack a file.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn add(&mut self, path: &Path, packing: Packing, spool: Option<&Path>) -> io::Result<()> {
        let packed = Packed::open(path, packing, spool)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.0.push(Archive {
            packed,
            alone: packing.name_within(&name).to_owned(),
            path: path.to_owned(),
            told: 0,
        });
        Ok(())
    }

    /// Logs that became known since.
    pub fn news(&mut self) -> Vec<Within> {
        let mut news = Vec::new();
        for archive in &mut self.0 {
            for unpacked in archive.packed.members().into_iter().skip(archive.told) {
                archive.told += 1;
                let own = archive.path.display();
                let name = if unpacked.name() == archive.alone {
                    own.to_string()
                } else {
                    format!("{own}/{}", unpacked.name())
                };
                news.push(Within {
                    name: name.into(),
                    path: archive.path.clone(),
                    unpacked,
                });
            }
        }
        news
    }

    /// Those that cannot be unpacked at all, and why; damage within a log is the log's own.
    pub fn failed(&self) -> impl Iterator<Item = (&Path, String)> {
        self.0.iter().filter_map(|archive| {
            let failure = archive.packed.failure()?;
            (archive.told == 0).then(|| (archive.path.as_path(), failure.to_string()))
        })
    }

    /// What is still being unpacked.
    pub fn unpacking(&self) -> Option<Packed> {
        let mut packed = self.0.iter().map(|archive| &archive.packed);
        packed.find(|packed| !packed.is_whole()).cloned()
    }
}
