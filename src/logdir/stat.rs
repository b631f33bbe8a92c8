//! What a log directory holds, counted.

use std::collections::BTreeMap;

use super::clocks::Clocks;
use super::{Damage, Error, LogDirectorySource, LogLevel, LogReader, LogType, MAX_TIMESTAMP};

/// A log directory in numbers.
#[derive(Clone, Debug, Default)]
pub struct Stat {
    /// The files that are shown, oldest first, and their sizes in bytes.
    pub files: Vec<(String, u64)>,
    /// The files that are not shown yet: some worker has not begun to write to them.
    pub hidden: Vec<String>,
    /// Times of the earliest and the latest entry, milliseconds since 1970.
    pub times: Option<(u64, u64)>,
    /// Entries in all.
    pub entries: u64,
    /// Entries of each level, the most severe first.
    pub levels: BTreeMap<LogLevel, u64>,
    /// Entries of each type.
    pub types: BTreeMap<LogType, u64>,
    /// Entries of each worker; `None` is the master.
    pub workers: BTreeMap<Option<u32>, u64>,
    /// The farthest that a clock stepped back, in milliseconds: ranges need that much slack.
    pub clock_step: u64,
    /// What was passed over, up to a thousand places.
    pub damage: Vec<Damage>,
    /// How many damaged places there are.
    pub damage_count: u64,
}

impl Stat {
    /// Reads everything that a source shows.
    ///
    /// # Errors
    /// The source cannot be read.
    pub fn of(mut source: LogDirectorySource) -> Result<Self, Error> {
        source.look()?;
        let mut stat = Self::default();
        let (files, hidden) = source.listing();
        let owned = |(name, size): (&str, u64)| (name.to_owned(), size);
        stat.files = files.into_iter().map(owned).collect();
        stat.hidden = hidden.into_iter().map(str::to_owned).collect();
        let mut reader = LogReader::new(source);
        let mut clocks = Clocks::default();
        let forever = i64::try_from(MAX_TIMESTAMP).unwrap_or(i64::MAX);
        for entry in reader.range(0, forever)? {
            let entry = entry?;
            clocks.see(&entry);
            let time = entry.timestamp;
            let (first, last) = stat.times.unwrap_or((time, time));
            stat.times = Some((first.min(time), last.max(time)));
            stat.entries += 1;
            *stat.levels.entry(entry.level).or_default() += 1;
            *stat.types.entry(entry.log_type()).or_default() += 1;
            *stat.workers.entry(entry.worker_id).or_default() += 1;
        }
        stat.clock_step = clocks.step();
        stat.damage = reader.damage().cloned().collect();
        stat.damage_count = reader.damage_count();
        Ok(stat)
    }
}
