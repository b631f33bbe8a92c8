//! Places in a result.

use std::fmt;
use std::str::FromStr;

use crate::base::Time;
use crate::entry::{Key, Position};

/// Which way pages run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Towards older entries.
    #[default]
    Older,
    /// Towards newer entries.
    Newer,
}

/// A place between two entries and the way to read from there. Its printed form is opaque to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The entry last seen; reading goes on beyond it.
    pub key: Key,
    /// The way to go.
    pub direction: Direction,
}

/// A text that is no cursor of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a cursor as given in an earlier answer, found {0:?}")]
pub struct InvalidCursor(pub String);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self.direction {
            Direction::Older => 'o',
            Direction::Newer => 'n',
        };
        write!(f, "{way}{:016x}{:x}", self.key.time.0, self.key.position.0)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text).ok_or_else(|| InvalidCursor(text.chars().take(64).collect()))
    }
}

fn read(text: &str) -> Option<Cursor> {
    let direction = match text.get(..1)? {
        "o" => Direction::Older,
        "n" => Direction::Newer,
        _ => return None,
    };
    let time = u64::from_str_radix(text.get(1..17)?, 16)
        .ok()?
        .cast_signed();
    let position = u64::from_str_radix(text.get(17..)?, 16).ok()?;
    Some(Cursor {
        key: Key {
            time: Time(time),
            position: Position(position),
        },
        direction,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_and_nonsense_is_refused() {
        for (time, position) in [(0, 0), (-5, 7), (i64::MAX, u64::MAX), (i64::MIN, 1)] {
            for direction in [Direction::Older, Direction::Newer] {
                let cursor = Cursor {
                    key: Key {
                        time: Time(time),
                        position: Position(position),
                    },
                    direction,
                };
                assert_eq!(cursor.to_string().parse(), Ok(cursor));
            }
        }
        for bad in [
            "",
            "o",
            "x00000000000000001",
            "o0000000000000000",
            "oé",
            "o000000000000000g1",
        ] {
            assert!(bad.parse::<Cursor>().is_err(), "{bad}");
        }
    }
}
