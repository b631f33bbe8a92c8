//! Dropping what is too old or too much.
//!
//! Whole segments go at once. A segment that holds a namespace whose entries in it have all expired is written anew
//! without them: once for each namespace with a limit of its own, however often the limits are looked at. The last segment is never removed, only emptied: its name keeps the positions from being given again.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::segment::Segment;
use super::state::Shared;
use super::{Error, Limits, Retention, compaction};
use crate::base::Time;

/// Applies limits, as of now.
pub(super) fn apply(shared: &Shared, retention: &Retention, now: Time) -> Result<(), Error> {
    drop_segments(shared, retention.all, now)?;
    let mut floors: BTreeMap<&str, Time> = BTreeMap::new();
    for (name, limits) in &retention.namespaces {
        floors.insert(name, floor(shared, name, *limits, now));
    }
    if floors.is_empty() {
        return Ok(());
    }
    for segment in shared.tables().segments {
        let expired: u64 = segment
            .namespaces
            .iter()
            .filter(|count| {
                floors
                    .get(count.name.as_str())
                    .is_some_and(|floor| count.newest() < *floor)
            })
            .map(crate::query::NamespaceCount::total)
            .sum();
        if expired == 0 {
            continue;
        }
        let kept = |entry: &crate::entry::Entry| {
            floors
                .get(entry.scope.namespace.as_str())
                .is_none_or(|floor| entry.time >= *floor)
        };
        if expired == segment.rows() {
            empty(shared, &segment)?;
        } else if !compaction::rewrite(shared, std::slice::from_ref(&segment), &kept)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Drops segments that are wholly beyond the limits, the oldest first.
fn drop_segments(shared: &Shared, limits: Limits, now: Time) -> Result<(), Error> {
    let mut segments = shared.tables().segments;
    let newest = |segment: &Segment| segment.groups.last().map(|group| group.newest.time);
    if let Some(age) = limits.age {
        let floor = earlier(now, age);
        for segment in segments
            .iter()
            .filter(|segment| newest(segment).is_some_and(|newest| newest < floor))
        {
            empty(shared, segment)?;
        }
    }
    if let Some(most) = limits.bytes {
        segments = shared.tables().segments;
        segments.sort_by_key(|segment| newest(segment));
        let mut bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
        for segment in segments.iter().filter(|segment| segment.rows() > 0) {
            if bytes <= most {
                break;
            }
            bytes = bytes.saturating_sub(segment.bytes);
            empty(shared, segment)?;
        }
    }
    Ok(())
}

/// The time before which entries of a namespace are dropped.
fn floor(shared: &Shared, name: &str, limits: Limits, now: Time) -> Time {
    let mut floor = limits.age.map_or(Time::MIN, |age| earlier(now, age));
    let Some(most) = limits.bytes else {
        return floor;
    };
    let mut shares: Vec<(Time, u64)> = Vec::new();
    for segment in shared.tables().segments {
        let share = segment
            .shares()
            .find(|(other, _)| *other == name)
            .map(|(_, bytes)| bytes);
        let newest = segment
            .namespaces
            .iter()
            .find(|count| count.name == name)
            .map(crate::query::NamespaceCount::newest);
        shares.extend(newest.zip(share));
    }
    shares.sort_unstable_by_key(|(newest, _)| std::cmp::Reverse(*newest));
    let mut bytes = 0_u64;
    for (newest, share) in shares {
        bytes = bytes.saturating_add(share);
        if bytes > most {
            // This segment and those before it are too much.
            floor = floor.max(Time(newest.0.saturating_add(1)));
            break;
        }
    }
    floor
}

fn earlier(now: Time, age: std::time::Duration) -> Time {
    Time(
        now.0
            .saturating_sub(i64::try_from(age.as_nanos()).unwrap_or(i64::MAX)),
    )
}

/// Drops every entry of a segment.
fn empty(shared: &Shared, segment: &Arc<Segment>) -> Result<(), Error> {
    if segment.rows() == 0 {
        return Ok(());
    }
    let last = shared
        .tables()
        .segments
        .last()
        .is_some_and(|last| Arc::ptr_eq(last, segment));
    tracing::info!(path = %segment.path().display(), entries = segment.rows(), "dropped by retention");
    if last {
        return compaction::rewrite(shared, std::slice::from_ref(segment), &|_| false).map(|_| ());
    }
    shared.replace(std::slice::from_ref(segment), None);
    compaction::remove(shared, std::iter::once(segment))
}
