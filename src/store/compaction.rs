//! Merging small segments into large ones.
//!
//! Only neighbours by position are merged, so that positions stay apart. The result takes its place by one rename; what
//! it was made of is removed afterwards, and by the next opening if a crash comes between.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::sync::Arc;

use super::Error;
use super::keeper::Pace;
use super::segment::{Rows, Segment, Shape, Writer, name_of};
use super::state::Shared;
use crate::entry::{Entry, Key};

/// Segments of about one size that are merged at once. An entry is rewritten each time its segment grows by this factor.
const FAN: usize = 8;
/// Entries of the largest segments: some 120 MB of usual lines.
pub(super) const MAX_ROWS: u64 = 4 << 20;

/// Neighbours worth merging, if there are any: eight of about one size.
pub(super) fn choose(
    segments: &[Arc<Segment>],
    left_alone: &HashSet<u64>,
) -> Option<Vec<Arc<Segment>>> {
    let tier = |segment: &Segment| (segment.rows() >> 10).max(1).ilog2() / FAN.ilog2();
    let mergeable = |segment: &Arc<Segment>| {
        segment.rows() < MAX_ROWS / 2
            && segment.damage.is_none()
            && !left_alone.contains(&segment.number())
    };
    segments
        .chunk_by(|a, b| mergeable(a) && mergeable(b) && tier(a) == tier(b))
        .filter(|alike| alike.len() >= FAN)
        .map(within_bounds)
        .find(|chosen| chosen.len() > 1)
}

/// Neighbours that can be merged at all.
fn choose_all(segments: &[Arc<Segment>]) -> Option<Vec<Arc<Segment>>> {
    let mergeable =
        |segment: &Arc<Segment>| segment.rows() < MAX_ROWS / 2 && segment.damage.is_none();
    segments
        .chunk_by(|a, b| mergeable(a) && mergeable(b))
        .map(within_bounds)
        .find(|chosen| chosen.len() > 1)
}

fn within_bounds(alike: &[Arc<Segment>]) -> Vec<Arc<Segment>> {
    let mut rows = 0;
    let fits = |segment: &&Arc<Segment>| {
        rows += segment.rows();
        rows <= MAX_ROWS
    };
    alike.iter().take_while(fits).cloned().collect()
}

/// Merges all that can be merged, now.
pub(super) fn merge_all(shared: &Shared) -> Result<(), Error> {
    while let Some(inputs) = choose_all(&shared.tables().segments) {
        if !merge(shared, &inputs)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Merges segments into one; `false` when the store is closing and it was given up.
pub(super) fn merge(shared: &Shared, inputs: &[Arc<Segment>]) -> Result<bool, Error> {
    rewrite(shared, inputs, &|_| true)
}

/// Writes the entries of neighbouring segments that are to be kept as one segment in their place.
pub(super) fn rewrite(
    shared: &Shared,
    inputs: &[Arc<Segment>],
    keep: &dyn Fn(&Entry) -> bool,
) -> Result<bool, Error> {
    let (Some(first), Some(last)) = (inputs.first(), inputs.last()) else {
        return Ok(true);
    };
    let positions = (first.positions.0, last.positions.1);
    let disk = shared.disk.as_ref();
    let shape = Shape::merged(inputs.iter().map(|segment| &segment.shape));
    let mut writer = Writer::create(
        disk,
        &shared.dir,
        positions.0,
        shape,
        shared.options.group_rows,
    )?;
    match copy(shared, inputs, keep, &mut writer) {
        Ok(true) => {}
        other => {
            writer.abandon(disk);
            return other;
        }
    }
    let path = shared.dir.join(name_of(positions.0, positions.1));
    writer.finish(disk, positions, &path)?;
    let merged = Arc::new(Segment::open(disk, &path, &shared.cache)?);
    shared.replace(inputs, Some(merged));
    remove(
        shared,
        inputs.iter().filter(|segment| segment.path() != path),
    )?;
    Ok(true)
}

/// Removes the files of segments that nobody finds any more; those who read them keep them open.
pub(super) fn remove<'s>(
    shared: &Shared,
    segments: impl Iterator<Item = &'s Arc<Segment>>,
) -> Result<(), Error> {
    for segment in segments {
        shared
            .disk
            .remove(segment.path())
            .map_err(Error::disk("remove", segment.path()))?;
    }
    shared
        .disk
        .sync_dir(&shared.dir)
        .map_err(Error::disk("sync", &shared.dir))
}

fn copy(
    shared: &Shared,
    inputs: &[Arc<Segment>],
    keep: &dyn Fn(&Entry) -> bool,
    writer: &mut Writer,
) -> Result<bool, Error> {
    let mut pace = Pace::new(&shared.bell, shared.options.compaction_bytes);
    let mut bytes = writer.bytes();
    let mut readers: Vec<Rows> = inputs.iter().map(Segment::all_rows).collect();
    // Readers wait at a bound of their next key, and open a row group only when its turn has come.
    let mut heap: BinaryHeap<Reverse<(Key, usize)>> = BinaryHeap::new();
    for (at, reader) in readers.iter().enumerate() {
        heap.extend(reader.bound().map(|key| Reverse((key, at))));
    }
    while let Some(Reverse((_, at))) = heap.pop() {
        let Some(reader) = readers.get_mut(at) else {
            continue;
        };
        let beyond = heap.peek().map_or(Key::MAX, |Reverse((key, _))| *key);
        // As long as this one is ahead of the others the heap need not be asked, but for the pace.
        let mut written = 0;
        while written < shared.options.group_rows && reader.peek()?.is_some_and(|key| key <= beyond)
        {
            if let Some(entry) = reader.next()?.filter(|entry| keep(entry)) {
                writer.push(&entry)?;
            }
            written += 1;
        }
        heap.extend(reader.bound().map(|key| Reverse((key, at))));
        if writer.bytes() != bytes {
            bytes = writer.bytes();
            if !pace.written(bytes) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
