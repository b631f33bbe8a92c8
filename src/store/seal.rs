//! Writing a full memtable as a segment.

use std::sync::{Arc, PoisonError};

use super::Error;
use super::memtable::Memtable;
use super::segment::{Segment, Shape, Writer, name_of};
use super::state::Shared;

/// Writes the memtable as a segment and lets readers see that in its place; its write-ahead logs are removed afterwards.
/// Whoever comes second finds it done.
pub(super) fn write(shared: &Shared, frozen: &Arc<Memtable>) -> Result<(), Error> {
    let _one_at_a_time = shared
        .sealing
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let waits = shared
        .tables()
        .frozen
        .iter()
        .any(|other| Arc::ptr_eq(other, frozen));
    let Some(positions) = frozen.positions().filter(|_| waits) else {
        return Ok(());
    };
    let disk = shared.disk.as_ref();
    let entries = frozen.sorted();
    let shape = Shape::of(&entries.iter().map(AsRef::as_ref));
    let mut writer = Writer::create(
        disk,
        &shared.dir,
        positions.0,
        shape,
        shared.options.group_rows,
    )?;
    if let Err(error) = entries.iter().try_for_each(|entry| writer.push(entry)) {
        writer.abandon(disk);
        return Err(error);
    }
    let path = shared.dir.join(name_of(positions.0, positions.1));
    writer.finish(disk, positions, &path)?;
    let segment = Arc::new(Segment::open(disk, &path, &shared.cache)?);
    {
        let mut tables = shared.tables_mut();
        tables.frozen.retain(|other| !Arc::ptr_eq(other, frozen));
        tables.segments.push(segment);
        tables.segments.sort_by_key(|segment| segment.positions);
    }
    for wal in frozen.wals() {
        // One that stays is found superfluous at the next opening.
        if let Err(error) = disk.remove(&wal) {
            tracing::warn!(error = %error, path = %wal.display(), "a write-ahead log could not be removed");
        }
    }
    let _ = disk.sync_dir(&shared.dir);
    shared.counters.sealed();
    shared.bell.ring();
    Ok(())
}
