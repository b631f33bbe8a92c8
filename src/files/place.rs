//! Where an entry lies, as a position: the number of its file, and the byte it begins at.
//!
//! Positions rise in the order entries lie in a file, and stay what they are as long as the files are open. A file that took
//! the place of another has the higher number.

use crate::entry::Position;

/// Bits for the byte: files of up to 16 TiB.
const OFFSET_BITS: u32 = 44;

/// Where an entry lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub slot: u16,
    pub offset: u64,
}

/// The position of a place.
pub(super) fn position(place: Place) -> Position {
    let offset = place.offset.min((1 << OFFSET_BITS) - 2);
    Position((u64::from(place.slot) << OFFSET_BITS) + offset + 1)
}

/// The place of a position; `None` of the position before all others.
pub(super) fn place(position: Position) -> Option<Place> {
    let place = position.0.checked_sub(1)?;
    Some(Place {
        slot: u16::try_from(place >> OFFSET_BITS).ok()?,
        offset: place & ((1 << OFFSET_BITS) - 1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_rise_and_come_back() {
        let places = [(0, 0), (0, 1), (0, 1 << 43), (1, 0), (65_000, 7)];
        let places = places.map(|(slot, offset)| Place { slot, offset });
        let positions = places.map(position);
        assert!(positions.is_sorted());
        assert_eq!(positions.map(place), places.map(Some));
        assert_eq!(place(Position(0)), None);
    }
}
