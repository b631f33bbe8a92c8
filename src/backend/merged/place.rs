//! Where an entry of a member lies among those of all.
//!
//! The position `p` of member `i` is `p * 16 + i` here: it says whose the entry is, and entries of one member stay in their
//! order. That holds for positions up to 2^60 - 3: an embedded log is never that long, a directory of binary logs when it
//! passes 128 GiB. What lies beyond has the last place of its member: such entries are shown, those of one time may be taken
//! for one another, and none is found by its position.

use crate::entry::Position;
use crate::query::Direction;

/// Members at the most.
pub(super) const MEMBERS: usize = 16;
const EACH: u64 = MEMBERS as u64;
/// The last place of a member. The very last number stays free: it means the end of a time, not an entry.
const LAST: u64 = u64::MAX / EACH - 1;
/// After every entry of its time, here as with every member.
const END: Position = Position(u64::MAX);

/// Whose an entry is, by its position: the index of a member.
#[must_use]
pub fn member_of(position: Position) -> usize {
    usize::try_from(position.0 % EACH).unwrap_or_default()
}

/// The position of a member's entry among those of all.
pub(super) fn merged(own: Position, member: usize) -> Position {
    Position(own.0.min(LAST) * EACH + member as u64)
}

/// The position of an entry with its member; `None` where several share a place.
pub(super) fn own(position: Position) -> Option<Position> {
    let own = position.0 / EACH;
    (own < LAST).then_some(Position(own))
}

/// Where a member is asked to begin: of its entries of that very time, those lie beyond the place given that lie beyond the
/// one asked for. Positions begin at 1, so there is always a place before them.
pub(super) fn start(position: Position, member: usize, direction: Direction) -> Position {
    if position == END {
        return END;
    }
    let beyond = position.0.saturating_sub(member as u64);
    let (own, most) = match direction {
        // The least of its positions that is not below.
        Direction::Older => (beyond.div_ceil(EACH), LAST),
        // The greatest that is not above.
        Direction::Newer => (beyond / EACH, LAST - 1),
    };
    if own > most { END } else { Position(own) }
}

/// The place here at which a member's page stopped: what it did not show lies beyond, as it lies beyond its own.
pub(super) fn edge(own: Position, member: usize) -> Position {
    if own == END { END } else { merged(own, member) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_places_are_places_too() {
        for member in 0..MEMBERS {
            let last = merged(Position(u64::MAX), member);
            assert!(last < END);
            assert_eq!((member_of(last), own(last)), (member, None));
            assert_eq!(start(last, member, Direction::Older), Position(LAST));
            assert_eq!(start(last, member, Direction::Newer), END);
            let before = merged(Position(LAST - 1), member);
            assert_eq!(own(before), Some(Position(LAST - 1)));
            for direction in [Direction::Older, Direction::Newer] {
                assert_eq!(start(END, member, direction), END);
            }
        }
        // What shares a last place with others is asked for as a whole, or not at all.
        let (low, high) = (merged(END, 3), merged(END, 4));
        assert_eq!(start(high, 3, Direction::Older), END);
        assert_eq!(start(low, 4, Direction::Older), Position(LAST));
        assert_eq!(start(low, 4, Direction::Newer), Position(LAST - 1));
        assert_eq!(start(high, 3, Direction::Newer), END);
    }

    proptest! {
        /// Beyond the one exactly when beyond the other.
        #[test]
        fn what_is_beyond_stays_beyond(
            place in prop_oneof![0..400_u64, u64::MAX - 400..u64::MAX - 32],
            near in 0..40_u64,
            member in 0..MEMBERS,
        ) {
            let own = Position((place / EACH + near).saturating_sub(20).clamp(1, LAST - 1));
            let here = merged(own, member);
            prop_assert_eq!(super::own(here), Some(own));
            prop_assert_eq!(member_of(here), member);
            let place = Position(place);
            prop_assert_eq!(own < start(place, member, Direction::Older), here < place);
            prop_assert_eq!(own > start(place, member, Direction::Newer), here > place);
        }

        /// Where a member stopped, it goes on.
        #[test]
        fn an_edge_leads_back(own in 0..LAST, member in 0..MEMBERS) {
            let edge = edge(Position(own), member);
            prop_assert_eq!(start(edge, member, Direction::Older), Position(own));
            prop_assert_eq!(start(edge, member, Direction::Newer), Position(own));
        }
    }
}
