//! What every operation on a source begins with: bounds that are times, and the source open until it ends.

use super::scan::Blocks;
use super::vfs::Vfs;
use super::{Error, MAX_TIMESTAMP};

/// A source while it is open.
pub(super) struct Session<'r, V: Vfs>(&'r mut Blocks<V>);

impl<'r, V: Vfs> Session<'r, V> {
    pub fn open(blocks: &'r mut Blocks<V>) -> Result<Self, Error> {
        blocks.open()?;
        Ok(Self(blocks))
    }
}

impl<V: Vfs> std::ops::Deref for Session<'_, V> {
    type Target = Blocks<V>;

    fn deref(&self) -> &Blocks<V> {
        self.0
    }
}

impl<V: Vfs> std::ops::DerefMut for Session<'_, V> {
    fn deref_mut(&mut self) -> &mut Blocks<V> {
        self.0
    }
}

impl<V: Vfs> Drop for Session<'_, V> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A time that an entry may have.
pub(super) fn checked(time: i64) -> Result<u64, Error> {
    u64::try_from(time).map_err(|_| Error::Time(time))
}

/// Both ends of a range.
pub(super) fn bounds(min: i64, max: i64) -> Result<std::ops::RangeInclusive<u64>, Error> {
    let (first, last) = (checked(min)?, checked(max)?);
    if first > last {
        return Err(Error::Order { min, max });
    }
    Ok(first..=last.min(MAX_TIMESTAMP))
}
