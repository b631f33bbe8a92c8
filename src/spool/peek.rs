//! Looking into a spool that nobody has open, without changing it: what a program that is gone has left there.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::frame::{HEAD, payloads};
use super::segment::{MAGIC, first_of, read_head};

/// Shows each payload with its position, in order; a torn end, and what is damaged, are left out.
///
/// # Errors
/// The directory cannot be listed, or a file cannot be read.
pub fn peek(dir: &Path, mut see: impl FnMut(u64, &[u8])) -> std::io::Result<()> {
    let mut files: Vec<(u64, PathBuf)> = Vec::new();
    for item in std::fs::read_dir(dir)? {
        let item = item?;
        let first = item.file_name().to_str().and_then(first_of);
        files.extend(first.map(|first| (first, item.path())));
    }
    files.sort();
    for (_, path) in files {
        let file = File::open(path)?;
        let mut at = MAGIC.len() as u64;
        while let Some(head) = read_head(&file, at) {
            let mut frame = vec![0; head.length];
            let is_whole = file.read_exact_at(&mut frame, at + HEAD as u64).is_ok();
            if !is_whole || !head.fits(&frame) {
                break;
            }
            for (position, payload) in (head.first..).zip(payloads(&frame)) {
                see(position, payload);
            }
            at += (HEAD + head.length) as u64;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::Spool;

    #[test]
    fn what_was_left_is_seen_and_stays_as_it_is() {
        let dir = tempfile::tempdir().expect("a directory");
        let spool = Spool::open(dir.path(), 1 << 20).expect("a spool");
        spool.append(&[b"one".as_slice(), b"two"]).expect("taken");
        spool.append(&[b"three"]).expect("taken");
        drop(spool);
        let file = std::fs::read_dir(dir.path())
            .expect("listed")
            .flatten()
            .next()
            .expect("a file")
            .path();
        let mut bytes = std::fs::read(&file).expect("read");
        bytes.truncate(bytes.len() - 2);
        std::fs::write(&file, &bytes).expect("torn");
        let mut seen = Vec::new();
        peek(dir.path(), |position, payload| {
            seen.push((position, payload.to_vec()));
        })
        .expect("seen");
        assert_eq!(seen, [(1, b"one".to_vec()), (2, b"two".to_vec())]);
        assert_eq!(
            std::fs::read(&file).expect("read"),
            bytes,
            "nothing was changed"
        );
        assert!(peek(&dir.path().join("none"), |_, _| {}).is_err());
    }
}
