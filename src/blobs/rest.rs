//! The form at rest: any zstd program reads it, and a range of it needs only the frames that it touches.
//!
//! ```text
//! value   = frame* trailer
//! frame   = zstd frame of the next 1 MiB of the value (the last one has what is left)
//! trailer = zstd skippable frame: 0x184D2A5B u32 | bytes that follow u32 | about | length of each frame u32*
//!           | length of about u32 | number of frames u32 | "TWBLOB01"
//! about   = JSON: size, digest (SHA-256, hexadecimal), type, notes
//! ```
//! All numbers little endian.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Notes;

/// Bytes of the value in a frame.
pub(super) const FRAME_BYTES: u64 = 1 << 20;
pub(super) const FRAME: usize = 1 << 20;
/// Bytes that a frame takes at most: what does not shrink grows by a little (`ZSTD_COMPRESSBOUND`).
pub(super) const MAX_STORED_FRAME: usize = FRAME + (FRAME >> 8) + 64;
const SKIPPABLE: u32 = 0x184D_2A5B;
const MAGIC: &[u8; 8] = b"TWBLOB01";
/// Bytes at the end that say how long the trailer is.
pub(super) const FOOT: usize = 16;
const HEAD: usize = 8;
/// Fast enough for the disk; logs shrink to a tenth all the same.
const LEVEL: i32 = 1;
/// Trailers beyond this are damage: it is that of 64 TiB.
const MAX_TRAILER_BYTES: u64 = 256 << 20;

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut digest = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (at, byte) in digest.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(Self(digest))
    }
}

/// Hexadecimal.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        Self::from_hex(&text).ok_or("expected 64 hexadecimal digits")
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// What the trailer says of the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    pub size: u64,
    pub digest: Digest,
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(default)]
    pub notes: Notes,
}

/// Makes frames of bytes as they come.
pub(super) struct Encoder {
    compressor: zstd::bulk::Compressor<'static>,
    frames: Vec<u32>,
}

impl Encoder {
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            compressor: zstd::bulk::Compressor::new(LEVEL)?,
            frames: Vec::new(),
        })
    }

    /// Appends a frame: of [`FRAME_BYTES`], or less in the last one.
    pub fn frame(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> std::io::Result<()> {
        let before = out.len();
        out.resize(before + MAX_STORED_FRAME, 0);
        let count = self
            .compressor
            .compress_to_buffer(bytes, &mut out[before..])?;
        out.truncate(before + count);
        self.frames.push(u32::try_from(count).unwrap_or(u32::MAX));
        Ok(())
    }

    /// Appends the trailer.
    pub fn finish(self, about: &About, out: &mut Vec<u8>) -> std::io::Result<()> {
        let about = serde_json::to_vec(about)?;
        let length = about.len() + 4 * self.frames.len() + FOOT;
        let word = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
        out.extend_from_slice(&SKIPPABLE.to_le_bytes());
        out.extend_from_slice(&word(length));
        out.extend_from_slice(&about);
        for frame in &self.frames {
            out.extend_from_slice(&frame.to_le_bytes());
        }
        out.extend_from_slice(&word(about.len()));
        out.extend_from_slice(&word(self.frames.len()));
        out.extend_from_slice(MAGIC);
        Ok(())
    }
}

/// What the end of a stored value says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trailer {
    pub about: About,
    /// Where each frame begins, and where the last one ends.
    starts: Vec<u64>,
}

/// What the last bytes of a stored value are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// The trailer, whole.
    Whole(Trailer),
    /// Its end: so many of the last bytes are needed.
    Needs(u64),
}

impl Tail {
    /// Reads the last bytes of a value that is `stored` bytes long.
    pub fn read(bytes: &[u8], stored: u64) -> Result<Self, &'static str> {
        let rest = bytes.strip_suffix(MAGIC).ok_or("it has no trailer")?;
        let (rest, frames) = number(rest).ok_or("its trailer is cut")?;
        let (rest, about) = number(rest).ok_or("its trailer is cut")?;
        let needed = HEAD as u64 + u64::from(about) + 4 * u64::from(frames) + FOOT as u64;
        if needed > stored || needed > MAX_TRAILER_BYTES {
            return Err("its trailer is longer than it is");
        }
        if needed > bytes.len() as u64 {
            return Ok(Self::Needs(needed));
        }
        let (frames, about) = (frames as usize, about as usize);
        let (rest, lengths) = rest.split_at(rest.len() - 4 * frames);
        let about = &rest[rest.len() - about..];
        let about: About = serde_json::from_slice(about).map_err(|_| "its trailer is no JSON")?;
        let mut starts = Vec::with_capacity(frames + 1);
        starts.push(0);
        let mut at = 0;
        for length in lengths.chunks_exact(4) {
            at += number(length).map_or(0, |(_, length)| u64::from(length));
            starts.push(at);
        }
        if at + needed != stored || about.size.div_ceil(FRAME_BYTES) != frames as u64 {
            return Err("its trailer does not fit its length");
        }
        Ok(Self::Whole(Trailer { about, starts }))
    }
}

/// The number at the end, and what is before it.
fn number(bytes: &[u8]) -> Option<(&[u8], u32)> {
    let (rest, number) = bytes.split_last_chunk::<4>()?;
    Some((rest, u32::from_le_bytes(*number)))
}

impl Trailer {
    /// The frames that a range of the value touches.
    pub fn frames(&self, range: &Range<u64>) -> Range<u64> {
        range.start / FRAME_BYTES..range.end.div_ceil(FRAME_BYTES)
    }

    /// Where frames lie.
    pub fn place(&self, frames: &Range<u64>) -> Range<u64> {
        let at = |frame: u64| {
            let frame = usize::try_from(frame).ok();
            frame.and_then(|frame| self.starts.get(frame)).copied()
        };
        at(frames.start).unwrap_or(0)..at(frames.end).unwrap_or(0)
    }
}

/// Appends the bytes of frames that lie one after the other.
pub(super) fn decode(mut frames: &[u8], bytes: &mut Vec<u8>) -> std::io::Result<()> {
    let mut decompressor = zstd::bulk::Decompressor::new()?;
    while !frames.is_empty() {
        let length = zstd::zstd_safe::find_frame_compressed_size(frames).map_err(|_| damaged())?;
        let (frame, rest) = frames.split_at_checked(length).ok_or_else(damaged)?;
        let before = bytes.len();
        bytes.resize(before + FRAME, 0);
        let count = decompressor.decompress_to_buffer(frame, &mut bytes[before..])?;
        bytes.truncate(before + count);
        frames = rest;
    }
    Ok(())
}

fn damaged() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, "a frame is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(range: Range<u64>) -> Range<usize> {
        let small = |at| usize::try_from(at).expect("small");
        small(range.start)..small(range.end)
    }

    fn encoded(value: &[u8]) -> (Vec<u8>, About) {
        let about = About {
            size: value.len() as u64,
            digest: Digest::of(value),
            content_type: Some("text/plain".into()),
            notes: Notes::default(),
        };
        let mut out = Vec::new();
        let mut encoder = Encoder::new().expect("an encoder");
        for some in value.chunks(FRAME) {
            encoder.frame(some, &mut out).expect("compressed");
        }
        encoder.finish(&about, &mut out).expect("finished");
        (out, about)
    }

    #[test]
    fn values_are_read_in_part_and_whole() {
        let value: Vec<u8> = (0..=250).cycle().take(2_500_000).collect();
        for value in [&value[..], &value[..1 << 20], b"a", b""] {
            let (stored, about) = encoded(value);
            assert_eq!(
                zstd::decode_all(&stored[..]).expect("any zstd reads it"),
                value
            );
            let total = stored.len() as u64;
            let needed = match Tail::read(&stored[stored.len() - FOOT..], total) {
                Ok(Tail::Needs(needed)) => usize::try_from(needed).expect("small"),
                other => panic!("{other:?}"),
            };
            let tail = Tail::read(&stored[stored.len() - needed..], total);
            let Ok(Tail::Whole(trailer)) = tail else {
                panic!("{tail:?}")
            };
            assert_eq!(trailer.about, about);
            let end = value.len() as u64;
            for range in [0..end, end / 3..end / 2, end.saturating_sub(1)..end] {
                let frames = trailer.frames(&range);
                let place = trailer.place(&frames);
                let mut bytes = Vec::new();
                decode(&stored[small(place)], &mut bytes).expect("read");
                let skipped = range.start - frames.start * FRAME_BYTES;
                let from = usize::try_from(skipped).expect("small");
                let length = usize::try_from(range.end - range.start).expect("small");
                let expected = &value[small(range)];
                assert_eq!(&bytes[from..from + length], expected);
            }
        }
    }

    #[test]
    fn damage_is_told_and_never_a_panic() {
        let (stored, _) = encoded(&vec![7; 100_000]);
        let total = stored.len() as u64;
        assert!(Tail::read(&stored[..stored.len() - 1], total - 1).is_err());
        for at in 1..stored.len().min(400) {
            let mut wrong = stored.clone();
            let place = wrong.len() - at;
            wrong[place] ^= 0x41;
            let _ = Tail::read(&wrong, total);
            let _ = decode(&wrong, &mut Vec::new());
        }
        assert!(Tail::read(&stored, total + 1).is_err());
        assert!(decode(b"no frame", &mut Vec::new()).is_err());
    }

    #[test]
    fn digests_are_written_as_they_are_read() {
        let digest = Digest::of(b"");
        let text = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest.to_string(), text);
        assert_eq!(Digest::from_hex(text), Some(digest));
        for wrong in [
            "",
            "e3",
            &text[1..],
            &text.replace('e', "x"),
            &"é".repeat(32),
        ] {
            assert_eq!(Digest::from_hex(wrong), None, "{wrong}");
        }
    }
}
