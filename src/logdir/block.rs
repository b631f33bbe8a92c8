//! Blocks: the unit that is written, escaped and perhaps compressed. Section 3 of the format's description.

use std::borrow::Cow;

use libdeflater::{CompressionLvl, Compressor, DecompressionError, Decompressor};

use super::codec::Reader;
use super::entry::LogEntry;
use super::{Defect, MAX_BLOCK_BYTES, MAX_BLOCK_ENTRIES, wire};

/// Stands behind every block and nowhere else.
pub const SEPARATOR: u8 = 0xFA;
const ESCAPE: u8 = 0xF8;
const ESCAPED_ESCAPE: u8 = 0x01;
const ESCAPED_SEPARATOR: u8 = 0x02;
const SLICE: u8 = 0x03;
/// In front of a block: what stands before it is the rest of a run that was cut off.
pub const SLICE_MARKER: [u8; 2] = [ESCAPE, SLICE];
/// What release 3 wrote behind the escape byte for itself and for a separator.
const OLD_ESCAPED_ESCAPE: u8 = 0xF8;
const OLD_ESCAPED_SEPARATOR: u8 = 0xF9;
/// Set in the first byte of compressed entries, never in an event type.
const COMPRESSED: u8 = 0x80;
/// The buffer that entries are inflated into begins so large: a block's usual bound and something more.
const FIRST_BUFFER_BYTES: usize = 128 << 10;

/// So much is inflated to see a block's first entry; a longer one takes the whole.
const HEAD_BYTES: usize = 512;

/// A guess, so that memory for a block's entries is asked for once.
const TYPICAL_ENTRY_BYTES: usize = 48;

/// Decodes blocks, keeping its buffers from one to the next.
pub(super) struct Decoder {
    inflater: Decompressor,
    inflated: Vec<u8>,
    body_length: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            inflater: Decompressor::new(),
            inflated: Vec::new(),
            body_length: 0,
        }
    }
}

impl Decoder {
    /// Appends the entries of a block (without its separator) in the order they are stored.
    ///
    /// # Errors
    /// Anything is wrong with it; then nothing was appended.
    pub fn decode(&mut self, block: &[u8], entries: &mut Vec<LogEntry>) -> Result<(), Defect> {
        let mut length = 0;
        let decoded = self.with_body(block, |body| {
            length = body.len();
            let before = entries.len();
            entries.reserve(body.len() / TYPICAL_ENTRY_BYTES);
            let mut reader = Reader::new(body);
            while !reader.is_at_end() {
                if entries.len() - before >= MAX_BLOCK_ENTRIES {
                    entries.truncate(before);
                    return Err(Defect::TooLarge);
                }
                match wire::decode(&mut reader) {
                    Ok(entry) => entries.push(entry),
                    Err(defect) => {
                        entries.truncate(before);
                        return Err(defect);
                    }
                }
            }
            Ok(())
        });
        self.body_length = length;
        decoded
    }

    /// The entries of a block (without its separator).
    pub fn entries(&mut self, block: &[u8]) -> Result<Vec<LogEntry>, Defect> {
        let mut entries = Vec::new();
        self.decode(block, &mut entries)?;
        Ok(entries)
    }

    /// How many bytes the entries of the last block took, inflated.
    pub fn body_length(&self) -> usize {
        self.body_length
    }

    /// The first entry of a block.
    ///
    /// # Errors
    /// It cannot be read. The rest of the block is not looked at.
    pub fn first(&mut self, block: &[u8]) -> Result<LogEntry, Defect> {
        // Nine bytes tell most: they are not worth inflating a block for.
        if let Ok(body) = unescape(block)
            && body.first().is_some_and(|first| first & COMPRESSED != 0)
            && let Some(head) = inflate_head(body.into_owned())
            && let Ok(entry) = wire::decode(&mut Reader::new(&head))
        {
            return Ok(entry);
        }
        self.with_body(block, |body| wire::decode(&mut Reader::new(body)))
    }

    /// Hands on the entries' bytes. The rules of release 4 come first; what they refuse may be a block of release 3, or one
    /// whose cut-off beginning cannot be unescaped although a marker says that it does not count.
    fn with_body<T>(
        &mut self,
        block: &[u8],
        mut read: impl FnMut(&[u8]) -> Result<T, Defect>,
    ) -> Result<T, Defect> {
        let mut read = |body: Result<Cow<'_, [u8]>, Defect>| read(self.inflate(body?)?.as_ref());
        let defect = match read(unescape(block)) {
            Ok(value) => return Ok(value),
            Err(defect) => defect,
        };
        if let Some(body) = unescape_old(block)
            && let Ok(value) = read(Ok(body.into()))
        {
            return Ok(value);
        }
        match memchr::memmem::rfind(block, &SLICE_MARKER) {
            Some(at) if at > 0 => read(unescape(&block[at..])).map_err(|_| defect),
            _ => Err(defect),
        }
    }

    fn inflate<'s>(&'s mut self, body: Cow<'s, [u8]>) -> Result<Cow<'s, [u8]>, Defect> {
        match body.first() {
            None => return Err(Defect::Empty),
            Some(first) if first & COMPRESSED == 0 => return Ok(body),
            Some(_) => {}
        }
        let mut zlib = body.into_owned();
        zlib[0] = zlib[0].rotate_left(4);
        if self.inflated.len() < FIRST_BUFFER_BYTES {
            self.inflated.resize(FIRST_BUFFER_BYTES, 0);
        }
        loop {
            match self.inflater.zlib_decompress(&zlib, &mut self.inflated) {
                Ok(0) => return Err(Defect::Empty),
                Ok(length) => return Ok(Cow::Borrowed(&self.inflated[..length])),
                Err(DecompressionError::BadData) => return Err(Defect::Zlib),
                Err(DecompressionError::InsufficientSpace) => {
                    let length = self.inflated.len();
                    if length >= MAX_BLOCK_BYTES {
                        return Err(Defect::TooLarge);
                    }
                    self.inflated.resize((length * 4).min(MAX_BLOCK_BYTES), 0);
                }
            }
        }
    }
}

/// The first bytes of compressed entries, as far as they are inflated at once.
fn inflate_head(mut zlib: Vec<u8>) -> Option<Vec<u8>> {
    zlib[0] = zlib[0].rotate_left(4);
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let mut inflater = flate2::Decompress::new(true);
    inflater
        .decompress_vec(&zlib, &mut head, flate2::FlushDecompress::None)
        .ok()?;
    Some(head)
}

/// Undoes the escapes; a slice marker drops what stands before it.
///
/// # Errors
/// An escape is none of release 4.
pub fn unescape(block: &[u8]) -> Result<Cow<'_, [u8]>, Defect> {
    let Some(first) = memchr::memchr(ESCAPE, block) else {
        return Ok(Cow::Borrowed(block));
    };
    let mut body = Vec::with_capacity(block.len());
    let (mut at, mut found) = (0, Some(first));
    while let Some(escape) = found {
        body.extend_from_slice(&block[at..escape]);
        match block.get(escape + 1) {
            Some(&ESCAPED_ESCAPE) => body.push(ESCAPE),
            Some(&ESCAPED_SEPARATOR) => body.push(SEPARATOR),
            Some(&SLICE) => body.clear(),
            other => return Err(Defect::Escape(other.copied())),
        }
        at = escape + 2;
        found = memchr::memchr(ESCAPE, &block[at..]).map(|next| at + next);
    }
    body.extend_from_slice(&block[at..]);
    Ok(Cow::Owned(body))
}

/// Undoes the escapes of release 3; `None` where there are none, or others.
fn unescape_old(block: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::with_capacity(block.len());
    let mut bytes = block.iter();
    let mut any = false;
    while let Some(byte) = bytes.next() {
        if *byte != ESCAPE {
            body.push(*byte);
            continue;
        }
        any = true;
        body.push(match *bytes.next()? {
            OLD_ESCAPED_ESCAPE => ESCAPE,
            OLD_ESCAPED_SEPARATOR => SEPARATOR,
            _ => return None,
        });
    }
    any.then_some(body)
}

/// Escapes a body, so that no separator is left in it.
pub fn escape(body: &[u8]) -> Vec<u8> {
    let mut block = Vec::with_capacity(body.len() + body.len() / 64 + 8);
    let mut at = 0;
    for found in memchr::memchr2_iter(ESCAPE, SEPARATOR, body) {
        block.extend_from_slice(&body[at..found]);
        let code = if body[found] == ESCAPE {
            ESCAPED_ESCAPE
        } else {
            ESCAPED_SEPARATOR
        };
        block.extend_from_slice(&[ESCAPE, code]);
        at = found + 1;
    }
    block.extend_from_slice(&body[at..]);
    block
}

/// Compresses a body as the original does: zlib at its usual level, the halves of the first byte swapped.
///
/// # Errors
/// [`Defect::TooLarge`] of a body that readers refuse.
pub fn compress(body: &[u8]) -> Result<Vec<u8>, Defect> {
    if body.len() > MAX_BLOCK_BYTES {
        return Err(Defect::TooLarge);
    }
    let mut deflater = Compressor::new(CompressionLvl::default());
    let mut zlib = vec![0; deflater.zlib_compress_bound(body.len())];
    let length = deflater
        .zlib_compress(body, &mut zlib)
        .map_err(|_| Defect::TooLarge)?;
    zlib.truncate(length);
    if let Some(first) = zlib.first_mut() {
        *first = first.rotate_left(4);
    }
    Ok(zlib)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::logdir::entry::Body;
    use crate::logdir::{Lifecycle, LogLevel};

    fn entries(block: &[u8]) -> Result<Vec<LogEntry>, Defect> {
        let mut entries = Vec::new();
        Decoder::default().decode(block, &mut entries)?;
        Ok(entries)
    }

    /// Worker 32 logs {"foo":"bar"}; its nonce holds both bytes that are escaped.
    const LOG: &[u8] = b"\x24\x01\x8b\x41\x99\x0d\x51\xF8\xFA\x20\x0d{\"foo\":\"bar\"}";

    #[test]
    fn escapes_are_those_of_the_description() {
        for (body, block) in [
            (&b"\xF8"[..], &b"\xF8\x01"[..]),
            (b"\xFA", b"\xF8\x02"),
            (b"a\xFA\xF8b\xF9", b"a\xF8\x02\xF8\x01b\xF9"),
        ] {
            assert_eq!(escape(body), block);
            assert_eq!(unescape(block).as_deref(), Ok(body));
        }
        let every: Vec<u8> = (0..=255).collect();
        assert_eq!(escape(&every).len(), 258);
        for (block, body) in [
            (&b"\xF8\x03abc"[..], &b"abc"[..]),
            (b"xyz\xF8\x03abc", b"abc"),
            (b"x\xF8\x03y\xF8\x01z\xF8\x03abc", b"abc"),
        ] {
            assert_eq!(unescape(block).as_deref(), Ok(body));
        }
        assert_eq!(unescape(b"a\xF8"), Err(Defect::Escape(None)));
        assert_eq!(unescape(b"a\xF8\x07"), Err(Defect::Escape(Some(7))));
    }

    #[test]
    fn a_block_is_read_sliced_compressed_or_plain() {
        let plain = escape(LOG);
        let compressed = escape(&compress(&[LOG, LOG].concat()).expect("small"));
        assert_eq!(compressed[..2], [0x87, 0x9C]);
        let sliced = [b"\x2Crest\xF8\x01 of a run\xF8\x03", &plain[..]].concat();
        // The marker counts although what stands before it ends in half an escape, or in a broken one.
        let torn = [b"\x2Crest\xF8\xF8\x03", &plain[..]].concat();
        let broken = [b"\x2Crest\xF8\x09\xF8\x03", &plain[..]].concat();
        // Release 3 escaped otherwise.
        let old: Vec<u8> = LOG
            .iter()
            .flat_map(|byte| match byte {
                0xF8 => vec![0xF8, 0xF8],
                0xFA => vec![0xF8, 0xF9],
                other => vec![*other],
            })
            .collect();
        for block in [&plain, &compressed, &sliced, &torn, &broken, &old] {
            let found = entries(block).expect("whole");
            let entry = &found[0];
            assert_eq!(found.len(), if block == &compressed { 2 } else { 1 });
            assert_eq!(
                (entry.timestamp, entry.nonce, entry.level, entry.worker_id),
                (1_697_612_631_377, 0xF8FA, LogLevel::Info, Some(32))
            );
            assert_eq!(entry.data(), Some(r#"{"foo":"bar"}"#));
            assert_eq!(Decoder::default().first(block).as_ref(), Ok(entry));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let plain = escape(LOG);
        let mut zlib = compress(&[LOG, LOG].concat()).expect("small");
        let last = zlib.len() - 1;
        zlib[last] ^= 1;
        for (block, defect) in [
            (Vec::new(), Defect::Empty),
            (b"\xF8\x03".to_vec(), Defect::Empty),
            (plain[..plain.len() - 1].to_vec(), Defect::Short),
            ([&plain[..], b"\x28"].concat(), Defect::Short),
            (b"\x07\0\0\0\0\0\0\0\0\x01".to_vec(), Defect::EventType(7)),
            (b"\x0D\0\0\0\0\0\0\0\0\x01".to_vec(), Defect::EventType(13)),
            ([&plain[..], b"\xF8\x09"].concat(), Defect::Escape(Some(9))),
            (escape(&zlib), Defect::Zlib),
            (b"\x87\x9C".to_vec(), Defect::Zlib),
        ] {
            assert_eq!(entries(&block), Err(defect), "{block:02X?}");
        }
    }

    #[test]
    fn inflating_is_bounded() {
        let bomb = escape(&compress(&vec![0; MAX_BLOCK_BYTES]).expect("the bound"));
        assert_eq!(entries(&bomb), Err(Defect::EventType(0)));
        assert_eq!(
            compress(&vec![0; MAX_BLOCK_BYTES + 1]),
            Err(Defect::TooLarge)
        );
        let mut deflater = Compressor::new(CompressionLvl::default());
        let mut zlib = vec![0; 1 << 20];
        let length = deflater
            .zlib_compress(&vec![0; MAX_BLOCK_BYTES + 1], &mut zlib)
            .expect("small");
        zlib.truncate(length);
        zlib[0] = zlib[0].rotate_left(4);
        assert_eq!(entries(&escape(&zlib)), Err(Defect::TooLarge));
    }

    fn lifecycle() -> impl Strategy<Value = LogEntry> {
        (0_u64..1 << 48, any::<u16>()).prop_map(|(timestamp, nonce)| LogEntry {
            timestamp,
            nonce,
            level: LogLevel::Info,
            worker_id: None,
            body: Body::Lifecycle(Lifecycle::StartingUp),
        })
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(block in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = entries(&block);
            // The likelier mistakes: a beginning like an entry's.
            let _ = entries(&[&LOG[..10], &block].concat());
            let _ = entries(&[b"\x87\x9C", &block[..]].concat());
        }

        #[test]
        fn escaping_comes_back(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let block = escape(&body);
            prop_assert!(!block.contains(&SEPARATOR));
            prop_assert_eq!(unescape(&block).expect("ours").into_owned(), body);
        }

        #[test]
        fn entries_come_back(written in prop::collection::vec(lifecycle(), 1..40)) {
            let body: Vec<u8> = written
                .iter()
                .flat_map(|entry| wire::encode(entry).expect("an entry"))
                .collect();
            let compressed = compress(&body).expect("small");
            for body in [body, compressed] {
                let read = entries(&escape(&body)).expect("whole");
                prop_assert_eq!(&read, &written);
            }
        }
    }
}
