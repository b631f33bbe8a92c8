//! Packed files that were named: their logs become known as they are unpacked.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::packed::{Packed, Packing, Unpacked};
use crate::base::Time;

/// Packed files that were named.
#[derive(Debug, Default)]
pub(super) struct Archives(Vec<Archive>);

#[derive(Debug)]
struct Archive {
    packed: Packed,
    path: PathBuf,
    modified: Time,
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
    /// When the packed file was modified.
    pub modified: Time,
    pub unpacked: Unpacked,
}

impl Archives {
    /// Takes a file in that is being unpacked.
    pub fn add(&mut self, path: &Path, packing: Packing, modified: Time, packed: Packed) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.0.push(Archive {
            packed,
            alone: packing.name_within(&name).to_owned(),
            path: path.to_owned(),
            modified,
            told: 0,
        });
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
                    modified: archive.modified,
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
