//! What others hold: the packed file, and each log in it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::blocks::{BLOCK, Blocks};
use super::{Failure, Packing, unpack};

/// A packed file that is being unpacked. Clones mean the same file; with the last handle, those of its logs included,
/// unpacking stops and the temporary file is gone.
#[derive(Clone, Debug)]
pub struct Packed {
    blocks: Arc<Blocks>,
}

impl Packed {
    /// Opens a packed file and begins to unpack it, on a thread of its own.
    ///
    /// The temporary file lies in `spool_dir`, else in the system's directory for such, which is often in memory. It takes
    /// about what the content takes with zstd at its fastest.
    ///
    /// # Errors
    /// The file cannot be opened, the temporary file cannot be made, or there can be no thread. Damage shows later, in
    /// [`Packed::failure`].
    pub fn open(path: &Path, packing: Packing, spool_dir: Option<&Path>) -> io::Result<Self> {
        let packed = File::open(path)?;
        let bytes = packed.metadata()?.len();
        Self::read(packed, bytes, path, packing, spool_dir)
    }

    /// Begins to unpack what somebody reads, of so many bytes, as [`Packed::open`] does a file. Errors of reading are told with
    /// its path.
    ///
    /// # Errors
    /// As [`Packed::open`].
    pub fn read(
        packed: impl Read + Send + 'static,
        bytes: u64,
        path: &Path,
        packing: Packing,
        spool_dir: Option<&Path>,
    ) -> io::Result<Self> {
        let dir = spool_dir.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let file = tempfile::tempfile_in(&dir)?;
        let shown = path.display().to_string();
        let blocks = Blocks::new(file, shown, bytes, dir.display().to_string());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Self::begin(packed, packing, packing.name_within(&name), blocks)
    }

    /// Begins to unpack a stream; a log that is no member of an archive gets the name.
    pub(super) fn begin(
        packed: impl Read + Send + 'static,
        packing: Packing,
        name: &str,
        blocks: Blocks,
    ) -> io::Result<Self> {
        let blocks = Arc::new(blocks);
        let (held, name) = (Arc::downgrade(&blocks), name.to_owned());
        std::thread::Builder::new()
            .name("unpacker".to_owned())
            .spawn(move || unpack::run(packed, packing, &name, &held))?;
        Ok(Self { blocks })
    }

    /// The logs in it that are known so far, in its order: one of a compressed file, of an archive each regular file.
    pub fn members(&self) -> Vec<Unpacked> {
        let state = self.blocks.state();
        let members = state.members.iter().enumerate();
        members
            .map(|(member, known)| Unpacked {
                blocks: Arc::clone(&self.blocks),
                member,
                name: Arc::clone(&known.name),
            })
            .collect()
    }

    /// Whether nothing more will come: all is unpacked, or it failed.
    pub fn is_whole(&self) -> bool {
        self.blocks.state().ended
    }

    /// Why it is not unpacked to its end, if that is so.
    pub fn failure(&self) -> Option<Arc<Failure>> {
        self.blocks.state().failure.clone()
    }

    /// Waits until so many logs are known or nothing more will come; `usize::MAX` waits for the latter. Whether that came
    /// about in time.
    pub fn wait(&self, members: usize, timeout: Duration) -> bool {
        self.blocks.wait(timeout, |state| {
            state.ended || state.members.len() >= members
        })
    }
}

/// A log in a packed file: bytes that can be read at any place. Clones mean the same log.
#[derive(Clone, Debug)]
pub struct Unpacked {
    blocks: Arc<Blocks>,
    member: usize,
    name: Arc<str>,
}

impl Unpacked {
    /// Its path in the archive, or the name of the file without the ending of its packing. As it was written: it may hold
    /// anything.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of content that can be read now; it grows, by 256 KiB at a time, until [`Unpacked::is_whole`].
    pub fn len(&self) -> u64 {
        self.blocks.state().length(self.member)
    }

    /// Whether nothing more will come: all is unpacked, or it failed.
    pub fn is_whole(&self) -> bool {
        self.blocks.state().is_whole(self.member)
    }

    /// Why it is not unpacked to its end, if that is so.
    pub fn failure(&self) -> Option<Arc<Failure>> {
        let state = self.blocks.state();
        let known = state.members.get(self.member);
        known.and_then(|known| known.failure.clone())
    }

    /// Bytes of the packed file that are unpacked, and all it has.
    pub fn progress(&self) -> (u64, u64) {
        self.blocks.progress()
    }

    /// Reads content at a place, as much as is there and fits; how much that was. 0 at the end of what is there.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            let at = offset.saturating_add(filled as u64);
            let Ok(index) = usize::try_from(at / BLOCK as u64) else {
                break;
            };
            let Some(block) = self.blocks.block(self.member, index)? else {
                break;
            };
            let within = usize::try_from(at % BLOCK as u64).unwrap_or(BLOCK);
            let rest = block.get(within..).unwrap_or_default();
            let count = rest.len().min(buffer.len() - filled);
            if count == 0 {
                break;
            }
            buffer[filled..filled + count].copy_from_slice(&rest[..count]);
            filled += count;
        }
        Ok(filled)
    }

    /// Waits until so many bytes of content can be read or nothing more will come; `u64::MAX` waits for the latter.
    /// Whether that came about in time.
    pub fn wait(&self, bytes: u64, timeout: Duration) -> bool {
        self.blocks.wait(timeout, |state| {
            state.is_whole(self.member) || state.length(self.member) >= bytes
        })
    }
}
