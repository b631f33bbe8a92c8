//! Where an entry lies, as a position: its block's place in the row of bytes, and its number in the block.
//!
//! Positions rise in the order entries are stored and stay what they are as long as a directory is open.

use crate::entry::Position;
use crate::logdir::MAX_BLOCK_BYTES;

/// Bits for the number of an entry in its block: no entry takes fewer than nine bytes.
const NUMBER_BITS: u32 = 23;
const _: () = assert!(MAX_BLOCK_BYTES / 9 < 1 << NUMBER_BITS);

/// The position of an entry, of a directory of up to two TiB.
pub(super) fn position(block: u64, number: usize) -> Position {
    Position((block << NUMBER_BITS | number as u64).saturating_add(1))
}

/// The position that everything before an edge is at or before, and nothing behind it.
pub(super) fn before(edge: u64) -> Position {
    Position(edge << NUMBER_BITS)
}

/// The block and the number in it; `None` of the position before all others.
pub(super) fn place(position: Position) -> Option<(u64, usize)> {
    let place = position.0.checked_sub(1)?;
    let number = usize::try_from(place & ((1 << NUMBER_BITS) - 1)).ok()?;
    Some((place >> NUMBER_BITS, number))
}

/// The first block that may hold entries after a position.
pub(super) fn block_after(position: Position) -> u64 {
    position.0 >> NUMBER_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_rise_and_come_back() {
        let places = [(0, 0), (0, 1), (0, 8_000_000), (12, 0), (1 << 40, 3)];
        let positions = places.map(|(block, number)| position(block, number));
        assert!(positions.is_sorted());
        assert!(positions[0] > Position(0));
        assert_eq!(positions.map(place), places.map(Some));
        assert_eq!(place(Position(0)), None);
        assert!(before(12) > positions[2] && before(12) < positions[3]);
        assert_eq!(block_after(before(12)), 12);
        assert_eq!(block_after(positions[3]), 12);
    }
}
