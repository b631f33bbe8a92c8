//! Any bytes at all.

use std::fs;

use proptest::prelude::*;

use super::*;
use crate::logdir::block::SEPARATOR;
use crate::logdir::scan::{Blocks, CHUNK_BYTES};
use crate::query::Direction;

/// Bytes in memory: a source of another kind.
struct Memory(Vec<u8>);

impl Vfs for Memory {
    fn size(&mut self, _: &mut PageCache) -> Result<u64, Error> {
        Ok(self.0.len() as u64)
    }

    fn read(&mut self, offset: u64, length: usize, _: &mut PageCache) -> Result<Vec<u8>, Error> {
        let start = usize::try_from(offset).expect("small").min(self.0.len());
        Ok(self.0[start..self.0.len().min(start + length)].to_vec())
    }
}

/// Bytes in memory that cannot be read from a place on.
struct Failing(Vec<u8>, u64);

impl Vfs for Failing {
    fn size(&mut self, _: &mut PageCache) -> Result<u64, Error> {
        Ok(self.0.len() as u64)
    }

    fn read(&mut self, offset: u64, length: usize, _: &mut PageCache) -> Result<Vec<u8>, Error> {
        if offset + length as u64 > self.1 {
            return Err(Error::io("read", "it")(std::io::Error::other("gone")));
        }
        let start = usize::try_from(offset).expect("small");
        Ok(self.0[start..start + length].to_vec())
    }
}

#[test]
fn what_was_read_before_an_error_is_given_before_it() {
    let bytes = fs::read(fixture("rotated/logs/01714781055000.log")).expect("read");
    let whole: Vec<LogEntry> = LogReader::new(Memory(bytes.clone()))
        .range(0, FOREVER)
        .expect("opened")
        .collect::<Result<_, _>>()
        .expect("memory");
    // The first 32 KiB can be read, of some more than twice as much.
    let many = bytes.repeat(5);
    let readable = many[..CHUNK_BYTES]
        .iter()
        .rposition(|byte| *byte == SEPARATOR);
    let mut before = Vec::new();
    let mut blocks = Blocks::new(Memory(many[..=readable.expect("blocks")].to_vec()));
    blocks.open().expect("opened");
    let mut edge = 0;
    while let Some(block) = blocks.next(&mut edge, Direction::Newer).expect("memory") {
        before.extend(block.entries);
    }
    assert!(before.len() > whole.len());
    let mut reader = LogReader::new(Failing(many, CHUNK_BYTES as u64));
    let read: Vec<_> = reader.range(0, FOREVER).expect("opened").collect();
    let (last, read) = read.split_last().expect("entries and an error");
    assert!(last.is_err());
    let read: Vec<LogEntry> = read
        .iter()
        .map(|entry| entry.as_ref().expect("read").clone())
        .collect();
    assert_eq!(read, before);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_passed_over(
        bytes in prop::collection::vec(prop_oneof![
            3 => any::<u8>(),
            1 => Just(SEPARATOR),
            1 => Just(0xF8),
            1 => 0_u8..0x39,
        ], 0..20_000),
        (min, max) in (0_i64..1 << 48, 0_i64..1 << 48),
    ) {
        let mut reader = LogReader::new(Memory(bytes));
        let (min, max) = (min.min(max), min.max(max));
        for entry in reader.range(min, max).expect("opened") {
            entry.expect("memory never fails");
        }
        for entry in reader.range_reversed(min, max).expect("opened") {
            entry.expect("memory never fails");
        }
        let pieces: Vec<_> = reader.bulk_range_reversed(min, max).expect("opened").collect();
        for block in BulkParser::read_reversed(pieces) {
            let _ = BulkParser::parse(&block.expect("our own pieces"));
        }
    }

    #[test]
    fn any_pieces_are_taken_apart(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20),
    ) {
        for block in BulkParser::read(pieces.iter().map(Ok::<_, Error>)) {
            let _ = BulkParser::parse(&block.expect("never fails"));
        }
        for block in BulkParser::read_reversed(pieces.iter().map(Ok::<_, Error>)).flatten() {
            let _ = BulkParser::parse(&block);
        }
    }

    /// Bytes flipped anywhere: blocks without one keep their entries.
    #[test]
    fn what_is_not_damaged_is_kept(
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..=255), 1..8),
    ) {
        let path = fixture("rotated/logs/01714781055000.log");
        let whole = fs::read(path).expect("read");
        let mut bytes = whole.clone();
        for (index, bits) in &flips {
            let at = index.index(bytes.len());
            bytes[at] ^= bits;
        }
        let mut damaged = Blocks::new(Memory(bytes.clone()));
        damaged.open().expect("opened");
        let mut edge = 0;
        let mut found = Vec::new();
        while let Some(block) = damaged.next(&mut edge, Direction::Newer).expect("memory") {
            found.push((block.place, block.entries));
        }
        let mut blocks = Blocks::new(Memory(whole.clone()));
        blocks.open().expect("opened");
        let mut edge = 0;
        while let Some(block) = blocks.next(&mut edge, Direction::Newer).expect("memory") {
            let place = usize::try_from(block.place.start).expect("small")
                ..usize::try_from(block.place.end).expect("small");
            // Also the separator before it must be there.
            let from = place.start.saturating_sub(1);
            if bytes[from..place.end] == whole[from..place.end] {
                prop_assert!(found.contains(&(block.place, block.entries)));
            }
        }
    }
}
