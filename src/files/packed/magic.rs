//! What a packed file is, told by its first bytes.

/// So many first bytes of a file tell every packing: a tar archive names itself within its first record.
pub const HEAD_BYTES: usize = 512;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// RFC 1952, one member or several.
    Gzip,
    /// RFC 8878, one frame or several.
    Zstd,
    /// The .xz format 1.2, one stream or several.
    Xz,
    /// One stream or several.
    Bzip2,
    /// LZ4 frame format 1.6, one frame or several.
    Lz4,
    /// An archive that is not compressed: POSIX ustar and pax, GNU.
    Tar,
}

impl Packing {
    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Lz4 => "lz4",
            Self::Tar => "tar",
        }
    }

    /// The name of what is within a file of this name: `app.log` of `app.log.gz`.
    pub(in crate::files) fn name_within(self, name: &str) -> &str {
        let endings: &[&str] = match self {
            Self::Gzip => &[".gz", ".z"],
            Self::Zstd => &[".zst", ".zstd"],
            Self::Xz => &[".xz"],
            Self::Bzip2 => &[".bz2"],
            Self::Lz4 => &[".lz4"],
            Self::Tar => &[],
        };
        let within = endings.iter().find_map(|ending| name.strip_suffix(ending));
        within.filter(|within| !within.is_empty()).unwrap_or(name)
    }
}

/// How a file is packed that begins so; `None` where it is not, as far as these bytes tell. An archive within a compressed
/// file shows only when that is unpacked.
pub fn packing(head: &[u8]) -> Option<Packing> {
    compression(head).or_else(|| is_tar(head).then_some(Packing::Tar))
}

/// How bytes are compressed that begin so.
pub(super) fn compression(head: &[u8]) -> Option<Packing> {
    match head {
        [0x1f, 0x8b, 0x08, ..] => Some(Packing::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Packing::Zstd),
        // A skippable frame, as pzstd puts it before each frame.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Packing::Zstd),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Packing::Xz),
        [0x04, 0x22, 0x4d, 0x18, ..] => Some(Packing::Lz4),
        // The size, then the first block's mark or, of an empty stream, the end's: text may well begin like the rest.
        [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..]
            if rest.starts_with(b"1AY&SY") || rest.starts_with(b"\x17\x72\x45\x38\x50\x90") =>
        {
            Some(Packing::Bzip2)
        }
        _ => None,
    }
}

/// Whether bytes that begin so are a tar archive.
pub(super) fn is_tar(head: &[u8]) -> bool {
    head.get(257..262).is_some_and(|magic| magic == b"ustar")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_the_packing() {
        let mut tar = [0; HEAD_BYTES];
        tar[257..263].copy_from_slice(b"ustar\0");
        let cases: &[(&[u8], Option<Packing>)] = &[
            (b"\x1f\x8b\x08\x00", Some(Packing::Gzip)),
            (b"\x28\xb5\x2f\xfd\x04", Some(Packing::Zstd)),
            (b"\x50\x2a\x4d\x18\x04", Some(Packing::Zstd)),
            (b"\xfd7zXZ\x00\x00", Some(Packing::Xz)),
            (b"BZh91AY&SY", Some(Packing::Bzip2)),
            (b"BZh9\x17\x72\x45\x38\x50\x90", Some(Packing::Bzip2)),
            (b"\x04\x22\x4d\x18", Some(Packing::Lz4)),
            (&tar, Some(Packing::Tar)),
            (&tar[..261], None),
            (b"BZh9 was the first word", None),
            (b"\x1f\x8b", None),
            (b"2026-03-14 09:00:00 INFO text", None),
            (b"", None),
        ];
        for (head, wanted) in cases {
            assert_eq!(packing(head), *wanted, "{head:02x?}");
        }
    }

    #[test]
    fn what_is_within_has_the_name_without_its_ending() {
        assert_eq!(Packing::Gzip.name_within("app.log.gz"), "app.log");
        assert_eq!(Packing::Zstd.name_within("app.log.zst"), "app.log");
        assert_eq!(Packing::Xz.name_within("app.log.gz"), "app.log.gz");
        assert_eq!(Packing::Gzip.name_within(".gz"), ".gz");
        assert_eq!(Packing::Tar.name_within("a.tar"), "a.tar");
    }
}
