//! What went quiet: lines that came with a steady beat, and stopped.
//!
//! ```text
//! entries, in any order --who, template, time--> Beats --until--> billing-2 "health check passed": every 5 s, none since …
//! ```
//!
//! A spike is drawn by every tool; a silence has no row of its own, and is found only where something regular is known to
//! be missing. So whoever speaks (an instance, else a source, else a namespace) is watched for each template of lines.

use foldhash::HashMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::templates::lines_of;
use super::{Expression, Field};
use crate::base::Time;
use crate::entry::Entry;

/// Pairs of a speaker and a template that are watched: with a line each, as of short-lived instances, they take some
/// 10 MB. Later ones are not watched. To make room by forgetting one would be worse: when a beat that was forgotten is
/// seen again, in older entries, its newest time would be wrong, and it would be called silent.
const MAX_SERIES: usize = 50_000;
/// Newest times that are kept of each: by the 63 intervals between them a beat is told well (six of them lie beyond
/// either of the tenths that are looked at), and they are half a kilobyte. How often it came before is only counted.
const MAX_TIMES: usize = 64;
/// A name that is longer is no name of a speaker.
const MAX_WHO_BYTES: usize = 200;
/// Silences that are told; nobody reads on.
const MAX_QUIET: usize = 50;
/// Beats that make a habit.
const ENOUGH: usize = 8;
/// What comes more often is traffic, or the burst of one job (500 ms).
const MIN_EVERY: u64 = 500_000_000;
/// What lasted so long was no passing series of retries (5 min).
const LONG: u64 = 300_000_000_000;
/// Times by which the log is seen to have gone on: one alone may be of a wrong clock.
const WITNESSES: usize = 3;
/// From here on a longer silence is no surer.
const SURE: u64 = 16;

/// A beat that stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quiet {
    /// Who spoke: an instance, else a source, else a namespace.
    pub who: String,
    /// The template of its lines; `<*>` stands for what differs.
    pub text: String,
    /// The usual time from one to the next, nanoseconds.
    pub every: u64,
    /// Time of the last, nanoseconds since the epoch.
    pub last: i64,
    /// Beats that should have come since.
    pub missed: u64,
    /// Lines of it that were seen.
    pub count: u64,
}

impl Quiet {
    /// What matches its lines, whatever it is that its name names.
    #[must_use]
    pub fn expression(&self) -> Expression {
        let speakers = [Field::Instance, Field::Source, Field::Namespace];
        let named = speakers.map(|field| Expression::equals(field, self.who.clone()));
        Expression::all([Expression::any(named), lines_of(&self.text)])
    }
}

/// Who speaks in an entry: what emits in parallel to its like, as exactly as it is known.
#[must_use]
pub fn speaker(entry: &Entry) -> &str {
    let scope = &entry.scope;
    let named = scope.instance.as_deref().or(entry.source.as_deref());
    named.unwrap_or(&scope.namespace)
}

/// Collects beats.
#[derive(Debug, Default)]
pub struct Beats {
    /// Numbers of those who speak.
    speakers: HashMap<String, usize>,
    /// By the numbers of a speaker and of a template.
    series: HashMap<(usize, usize), Series>,
    /// The newest times of all, the newest first.
    newest: Vec<i64>,
    /// The oldest.
    oldest: Option<i64>,
}

#[derive(Clone, Debug, Default)]
struct Series {
    /// The newest, the newest first.
    times: Vec<i64>,
    /// The oldest of all.
    first: i64,
    count: u64,
}

impl Beats {
    /// Takes a line: who said it, the number of its template, and when. Lines may come in any order.
    pub fn add(&mut self, who: &str, template: usize, time: Time) {
        let time = time.0;
        keep_newest(&mut self.newest, time, WITNESSES);
        self.oldest = Some(self.oldest.map_or(time, |oldest| oldest.min(time)));
        let known = self.speakers.get(who).copied();
        let key = (known.unwrap_or(self.speakers.len()), template);
        if let Some(series) = self.series.get_mut(&key) {
            series.add(time);
        } else if self.series.len() < MAX_SERIES && who.len() <= MAX_WHO_BYTES {
            if known.is_none() {
                self.speakers.insert(who.to_owned(), key.0);
            }
            self.series.entry(key).or_default().add(time);
        }
    }

    /// What stopped, the surest first. `until` is the time of the newest entry of the log, never the time of a clock: a
    /// log that ended as a whole says nothing of those who spoke in it. It is believed as far as what was taken goes.
    ///
    /// Templates have their words from the caller, at the end: they become more general while lines are learnt, and two
    /// of them may have become one, whose beats belong together.
    #[must_use]
    pub fn quiet(&self, until: Time, text: impl Fn(usize) -> String) -> Vec<Quiet> {
        let (Some(oldest), Some(witnessed)) = (self.oldest, self.newest.get(WITNESSES - 1)) else {
            return Vec::new();
        };
        let seen = (oldest, until.0.min(*witnessed));
        let mut names: Vec<&str> = vec![""; self.speakers.len()];
        for (name, number) in &self.speakers {
            names[*number] = name;
        }
        let mut texts: HashMap<usize, String> = HashMap::default();
        let mut together: HashMap<(usize, String), Vec<&Series>> = HashMap::default();
        for ((speaker, template), series) in &self.series {
            let words = texts.entry(*template).or_insert_with(|| text(*template));
            let key = (*speaker, words.clone());
            together.entry(key).or_default().push(series);
        }
        let mut found: Vec<(Certainty, Quiet)> = Vec::new();
        for ((speaker, text), parts) in together {
            let silence = match parts.as_slice() {
                [one] => one.silence(seen),
                parts => Series::joined(parts).silence(seen),
            };
            if let Some((certainty, mut quiet)) = silence {
                names[speaker].clone_into(&mut quiet.who);
                quiet.text = text;
                found.push((certainty, quiet));
            }
        }
        // Of what is as sure, the latest is nearest to what one looks for.
        found.sort_by(|(a, one), (b, other)| {
            let names = || (&one.who, &one.text).cmp(&(&other.who, &other.text));
            (a, other.last).cmp(&(b, one.last)).then_with(names)
        });
        found.truncate(MAX_QUIET);
        found.into_iter().map(|(_, quiet)| quiet).collect()
    }
}

/// How sure a silence is, the surest first: by how often it is longer than what would still be usual (negated), then by
/// how far the intervals spread, in thousandths of the usual one.
type Certainty = (i64, u64);

impl Series {
    fn add(&mut self, time: i64) {
        if self.count == 0 || time < self.first {
            self.first = time;
        }
        self.count += 1;
        keep_newest(&mut self.times, time, MAX_TIMES);
    }

    fn joined(parts: &[&Self]) -> Self {
        let mut times: Vec<i64> = parts.iter().flat_map(|part| &part.times).copied().collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        times.truncate(MAX_TIMES);
        Self {
            times,
            first: parts.iter().map(|part| part.first).min().unwrap_or(0),
            count: parts.iter().map(|part| part.count).sum(),
        }
    }

    /// What is to be said of it, of a log that was seen from one time to another, if it had a steady beat that stopped.
    ///
    /// Steady: the middle eight tenths of the intervals differ by three fifths of their median at the most. The tenths at
    /// either end do not count, so that a pause or a double line does not hide a beat, as it would by the standard
    /// deviation. A beat that jitters by a fifth either way stays below; random traffic spreads over three medians.
    ///
    /// Stopped: nothing for four beats, nor for three times the longest pause that there was.
    fn silence(&self, (from, until): (i64, i64)) -> Option<(Certainty, Quiet)> {
        let last = *self.times.first()?;
        let silence = between(last, until);
        // Retries, and the lines of a job, are as steady and stop as well. A beat was there from early on, or for long.
        let (life, could) = (between(self.first, last), between(from, last));
        if life < LONG && life < could / 2 {
            return None;
        }
        let mut intervals = intervals(&self.times);
        if intervals.len() + 1 < ENOUGH {
            return None;
        }
        intervals.sort_unstable();
        let every = part(&intervals, 50);
        let spread = part(&intervals, 90) - part(&intervals, 10);
        let longest = part(&intervals, 100);
        let usual = every.saturating_mul(4).max(longest.saturating_mul(3));
        if every < MIN_EVERY || spread > every / 5 * 3 || silence <= usual {
            return None;
        }
        let sure = i64::try_from((silence / usual).min(SURE)).unwrap_or(0);
        let quiet = Quiet {
            every,
            last,
            missed: silence / every,
            count: self.count,
            ..Quiet::default()
        };
        Some(((-sure, spread / (every / 1_000)), quiet))
    }
}

/// Intervals between beats whose times are given, the newest first. Lines that come together are one beat (a check says a
/// line for each thing it looks at): what follows within a tenth of the long intervals does not begin another.
fn intervals(times: &[i64]) -> Vec<u64> {
    let gap = |pair: &[i64]| between(pair[1], pair[0]);
    let mut sorted: Vec<u64> = times.windows(2).map(gap).collect();
    sorted.sort_unstable();
    let together = part(&sorted, 90) / 10;
    let mut begun: Vec<i64> = Vec::with_capacity(times.len());
    let mut before = None;
    for time in times.iter().rev() {
        if before.is_none_or(|before| between(before, *time) > together) {
            begun.push(*time);
        }
        before = Some(*time);
    }
    begun.reverse();
    begun.windows(2).map(gap).collect()
}

/// The interval below which so many of a hundred lie; zero of none.
fn part(sorted: &[u64], hundredths: usize) -> u64 {
    let at = (sorted.len().saturating_sub(1) * hundredths + 50) / 100;
    sorted.get(at).copied().unwrap_or(0)
}

/// How long after one time another is; zero when it is not after it.
fn between(earlier: i64, later: i64) -> u64 {
    u64::try_from(later.saturating_sub(earlier)).unwrap_or(0)
}

/// Puts a time among the newest, unless there are enough that are newer. Of times that come newest first it is a push.
fn keep_newest(times: &mut Vec<i64>, time: i64, most: usize) {
    let at = times.partition_point(|kept| *kept > time);
    if at < most {
        times.truncate(most - 1);
        times.insert(at, time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    /// Every so many milliseconds from a time to another, in seconds, give or take so many.
    fn beat(every: i64, from: i64, to: i64, jitter: i64) -> Vec<i64> {
        let mut dice = 7_i64;
        let time = |n| {
            dice = (dice * 1_103_515_245 + 12_345) % (1 << 31);
            let off = dice / 8 % (2 * jitter + 1) - jitter;
            from * SECOND + (n * every + off) * (SECOND / 1_000)
        };
        (0..(to - from) * 1_000 / every).map(time).collect()
    }

    /// An hour of irregular requests to another, and lines of some; newest first, as samples come.
    fn log(lines: &[(&'static str, Vec<i64>)]) -> Vec<(&'static str, i64)> {
        let others = beat(700, 0, 3_600, 650).into_iter();
        let mut all: Vec<(&str, i64)> = others.map(|time| ("web", time)).collect();
        for (who, times) in lines {
            all.extend(times.iter().map(|time| (*who, *time)));
        }
        all.sort_by_key(|line| std::cmp::Reverse(line.1));
        all
    }

    fn quiet(lines: &[(&str, i64)]) -> Vec<Quiet> {
        let mut beats = Beats::default();
        for (who, time) in lines {
            beats.add(who, 0, Time(*time));
        }
        let until = lines.iter().map(|line| line.1).max().expect("lines");
        beats.quiet(Time(until), |_| "health check passed".to_owned())
    }

    #[test]
    fn a_beat_that_stops_is_told_in_whatever_order_it_came() {
        let mut lines = log(&[
            ("billing-2", beat(5_000, 0, 1_800, 0)),
            ("billing-1", beat(5_000, 0, 3_600, 0)),
        ]);
        let expected = [Quiet {
            who: "billing-2".to_owned(),
            text: "health check passed".to_owned(),
            every: 5_000_000_000,
            last: 1_795 * SECOND,
            missed: 360,
            count: 360,
        }];
        assert_eq!(quiet(&lines), expected);
        lines.reverse();
        assert_eq!(quiet(&lines), expected, "oldest first");
        lines.sort_by_key(|line| line.1.wrapping_mul(0x1E37_79B9_7F4A_7C15));
        assert_eq!(quiet(&lines), expected, "shuffled");
    }

    #[test]
    fn what_has_a_beat_and_what_has_none() {
        let three = beat(10_000, 0, 1_800, 0).into_iter();
        let three = three.flat_map(|time| [time, time + SECOND / 50, time + SECOND / 10]);
        let early = [beat(5_000, 0, 900, 0), beat(5_000, 1_500, 2_900, 0)].concat();
        let late = [beat(5_000, 0, 2_000, 0), beat(5_000, 2_600, 2_900, 0)].concat();
        for (what, times, every) in [
            ("goes on", beat(5_000, 0, 3_600, 0), None),
            ("stops", beat(5_000, 0, 3_575, 0), Some(5)),
            ("missed three beats", beat(5_000, 0, 3_588, 0), None),
            ("jitters by a fifth", beat(5_000, 0, 1_800, 1_000), Some(5)),
            ("is irregular", beat(5_000, 0, 1_800, 4_900), None),
            ("is slow", beat(240_000, 0, 1_920, 0), Some(240)),
            ("came seven times", beat(240_000, 0, 1_680, 0), None),
            ("comes in threes", three.collect(), Some(10)),
            ("paused long ago", early, Some(5)),
            ("pauses now and then", late, None),
            ("is a burst", beat(1, 1_800, 1_801, 0), None),
            ("is traffic", beat(100, 0, 1_800, 0), None),
            ("is a job", beat(1_000, 1_800, 1_860, 0), None),
            ("began late", beat(5_000, 2_000, 2_400, 0), Some(5)),
        ] {
            let told = quiet(&log(&[("a", times)]));
            let seconds = |of: &Quiet| (of.every + 500_000_000) / 1_000_000_000;
            assert_eq!(told.first().map(seconds), every, "{what}: {told:?}");
        }
    }

    #[test]
    fn the_surest_goes_first() {
        let told = quiet(&log(&[
            ("late", beat(5_000, 0, 3_500, 0)),
            ("loose", beat(5_000, 0, 1_000, 1_000)),
            ("old", beat(5_000, 0, 900, 0)),
            ("recent", beat(5_000, 0, 1_000, 0)),
        ]));
        let order: Vec<&str> = told.iter().map(|of| of.who.as_str()).collect();
        assert_eq!(order, ["recent", "old", "loose", "late"], "{told:?}");
    }

    #[test]
    fn a_log_that_ended_and_a_wrong_clock_silence_nobody() {
        let mut beats = Beats::default();
        assert_eq!(beats.quiet(Time(9), |_| String::new()), []);
        for time in beat(5_000, 0, 600, 0) {
            beats.add("a", 0, Time(time));
        }
        beats.add("wrong", 1, Time(900_000 * SECOND));
        assert_eq!(beats.quiet(Time::MAX, |_| String::new()), []);
    }

    #[test]
    fn templates_that_became_one_have_one_beat() {
        let mut beats = Beats::default();
        for (n, time) in beat(5_000, 0, 3_600, 0).into_iter().enumerate() {
            beats.add("a", usize::from(n < 300), Time(time));
        }
        let told = |text: fn(usize) -> String| beats.quiet(Time(3_600 * SECOND), text).len();
        assert_eq!(told(|_| "same".to_owned()), 0);
        assert_eq!(told(|number| number.to_string()), 1);
    }

    #[test]
    fn memory_has_a_bound() {
        let mut beats = Beats::default();
        for n in 0..1_000 {
            beats.add("a", 0, Time(n));
        }
        let series = &beats.series[&(0, 0)];
        assert_eq!((series.first, series.count), (0, 1_000));
        assert_eq!((series.times.len(), series.times[63]), (64, 936));
        for n in 0..MAX_SERIES + 10 {
            beats.add(&format!("i-{n}"), 0, Time(0));
        }
        beats.add(&"long".repeat(100), 0, Time(0));
        assert_eq!(beats.series.len(), MAX_SERIES);
        assert_eq!((beats.speakers.len(), beats.newest.len()), (MAX_SERIES, 3));
    }
}
