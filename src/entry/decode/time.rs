//! Times as logs write them.
//!
//! A time without an offset is of the zone that is told; one without a year gets the year that puts it nearest before the
//! arrival.

use std::sync::LazyLock;

use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::fmt::temporal::DateTimeParser;
use jiff::{Timestamp, ToSpan};
use regex::{Captures, Regex};

use crate::base::{Time, UTC, Zone};

/// What a time as it is written may leave unsaid. From a [`Time`] alone: it came then, and is of UTC.
#[derive(Clone, Copy, Debug)]
pub struct Unsaid<'z> {
    /// When it came: it tells the year, or the day.
    pub arrival: Time,
    /// The zone it was written in.
    pub zone: &'z Zone,
}

impl From<Time> for Unsaid<'static> {
    fn from(arrival: Time) -> Self {
        Self {
            arrival,
            zone: &UTC,
        }
    }
}

/// Reads RFC 3339 and 2822, `2026-03-14 09:00:00,123`, `2026/03/14 09:00:00`, `14/Mar/2026:09:00:00 +0000`,
/// `Mar 14 09:00:00`, and epoch seconds, milliseconds, microseconds or nanoseconds.
#[must_use]
pub fn parse<'z>(text: &str, unsaid: impl Into<Unsaid<'z>>) -> Option<Time> {
    let text = text.trim();
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Time::from_timestamp(timestamp);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return from_epoch(text.parse().ok()?);
    }
    let (time, length) = leading(text, unsaid)?;
    if length == text.len() {
        return Some(time);
    }
    if let Ok(seconds) = text.parse::<f64>() {
        return from_epoch_seconds(seconds);
    }
    jiff::fmt::rfc2822::parse(text)
        .ok()
        .and_then(|zoned| Time::from_timestamp(zoned.timestamp()))
}

/// The unit is told by the size: below 10¹¹ seconds (until the year 5138), then milliseconds, microseconds, nanoseconds.
#[must_use]
pub fn from_epoch(number: i64) -> Option<Time> {
    let factor = match number.unsigned_abs() {
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    };
    number.checked_mul(factor).map(Time)
}

/// Seconds with a fraction, to the microsecond (what a double can hold today).
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "checked against the range first"
)]
pub fn from_epoch_seconds(seconds: f64) -> Option<Time> {
    if seconds.abs() >= 1e11 {
        return from_epoch(seconds as i64);
    }
    let microseconds = (seconds * 1e6).round();
    (microseconds.abs() < 9e15).then(|| Time((microseconds as i64) * 1_000))
}

/// The commonest form, `2026-03-14 09:00:00.123` with or without a zone, told by its bytes: every line is looked at.
fn usual(text: &str, zone: &Zone) -> Option<(Time, usize)> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    let bytes = text.as_bytes();
    let shape = |at: usize| bytes.get(at).copied();
    if (shape(4), shape(7), shape(13), shape(16))
        != (Some(b'-'), Some(b'-'), Some(b':'), Some(b':'))
    {
        return None;
    }
    if !matches!(shape(10), Some(b' ' | b'T')) || !shape(18)?.is_ascii_digit() {
        return None;
    }
    let mut civil = 19;
    if matches!(shape(19), Some(b'.' | b',')) {
        let digits = bytes[20..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        civil = if (1..=9).contains(&digits) {
            20 + digits
        } else {
            return None;
        };
    }
    // With a zone, or where a word goes on, it is the pattern's to decide; a `Z` is the usual.
    let (zone, length) = match (shape(civil), shape(civil + 1)) {
        (None, _) => (zone, civil),
        (Some(b' '), Some(b'+' | b'-' | b'U' | b'G' | b'Z' | b'z')) => return None,
        (Some(b' '), _) => (zone, civil),
        (Some(b'Z'), None | Some(b' ' | b'\t' | b'"')) => (&UTC, civil + 1),
        _ => return None,
    };
    let time: DateTime = PARSER.parse_datetime(text.get(..civil)?).ok()?;
    Some((zone.at(time)?, length))
}

/// A time at the head of `text` and the bytes it takes.
#[must_use]
pub fn leading<'z>(text: &str, unsaid: impl Into<Unsaid<'z>>) -> Option<(Time, usize)> {
    let unsaid = unsaid.into();
    usual(text, unsaid.zone).or_else(|| by_pattern(text, unsaid))
}

fn by_pattern(text: &str, unsaid: Unsaid<'_>) -> Option<(Time, usize)> {
    static FORMS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?x) ^ (?:
            (?<iso> \d{4}[-/]\d\d[-/]\d\d [Tt\ _] \d\d:\d\d:\d\d (?:[.,]\d{1,9})?) (?: \ ?(?<zone> [Zz]|UTC|GMT|[+-]\d\d:?\d\d) | (?<hours> [+-]\d\d))?
            | (?<access> \d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\ [+-]\d{4})
            | (?:[A-Z][a-z]{2}\ )? (?<month> [A-Z][a-z]{2})\ {1,2}(?<day> \d\d?)\ (?<time> \d\d:\d\d:\d\d (?:[.,]\d{1,9})?)\ (?<year> \d{4})
            | (?<syslog> [A-Z][a-z]{2}\ [\ \d]\d\ \d\d:\d\d:\d\d)
            | (?<day_first> \d\d?\ [A-Z][a-z]{2}\ \d{4}\ \d\d:\d\d:\d\d (?:[.,]\d{1,9})?)
            | (?<compact> 20\d{6}[T\ -]\d\d:?\d\d:?\d\d (?:[.,]\d{1,9})?) (?<utc>Z)?
            | (?<clock> [0-2]\d:[0-5]\d:[0-6]\d (?:[.,]\d{1,9})?)
            | (?<seconds> 1\d{9} (?:\.\d{1,9})?)
            | (?<epoch> 1\d{12} (?:\d{3}|\d{6})?)
            ) (?-u:\b|$)",
        )
        .expect("a valid pattern")
    });
    // Every form starts with a digit or a capital: most lines without a time are refused here.
    if !text
        .as_bytes()
        .first()
        .is_some_and(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
    {
        return None;
    }
    let head = &text[..text.floor_char_boundary(48)];
    let found = FORMS.captures(head)?;
    let time = if let Some(iso) = found.name("iso") {
        let told = found.name("zone").or_else(|| found.name("hours"));
        let told = told.map(|zone| zone.as_str());
        zoned(iso.as_str(), told, unsaid.zone)?
    } else if let Some(access) = found.name("access") {
        let time = Timestamp::strptime("%d/%b/%Y:%H:%M:%S %z", access.as_str());
        Time::from_timestamp(time.ok()?)?
    } else if let Some(syslog) = found.name("syslog") {
        let text = syslog.as_str().replacen("  ", " 0", 1);
        of_year(unsaid, |year| {
            let form = "%Y %b %d %H:%M:%S";
            let time = BrokenDownTime::parse(form, format!("{year} {text}"));
            time.ok()?.to_datetime().ok()
        })?
    } else {
        rarer(&found, unsaid)?
    };
    Some((time, found.get(0)?.end()))
}

/// Forms that few logs have.
fn rarer(found: &Captures<'_>, Unsaid { arrival, zone }: Unsaid<'_>) -> Option<Time> {
    let zone = found.name("utc").map_or(zone, |_| &UTC);
    let civil = |layout: &str, text: &str| -> Option<Time> {
        let time = BrokenDownTime::parse(layout, text.replace(',', ".")).ok()?;
        zone.at(time.to_datetime().ok()?)
    };
    if let Some(year) = found.name("year") {
        let text = format!(
            "{} {} {} {}",
            &found["month"],
            &found["day"],
            year.as_str(),
            &found["time"]
        );
        return civil("%b %d %Y %H:%M:%S%.f", &text);
    }
    if let Some(day) = found.name("day_first") {
        return civil("%d %b %Y %H:%M:%S%.f", day.as_str());
    }
    if let Some(compact) = found.name("compact") {
        let digits: String = compact
            .as_str()
            .chars()
            .filter(|digit| !"T -:".contains(*digit))
            .collect();
        return civil("%Y%m%d%H%M%S%.f", &digits);
    }
    if let Some(clock) = found.name("clock") {
        // Of the day on which it arrived, or of the day before.
        let day = zone.civil(arrival).date();
        let of = |day: jiff::civil::Date| {
            civil("%Y-%m-%d %H:%M:%S%.f", &format!("{day} {}", clock.as_str()))
        };
        return of(day)
            .filter(|time| *time <= arrival)
            .or_else(|| of(day.yesterday().ok()?));
    }
    if let Some(seconds) = found.name("seconds") {
        let (whole, fraction) = seconds
            .as_str()
            .split_once('.')
            .unwrap_or((seconds.as_str(), ""));
        let nanoseconds: i64 = format!("{fraction:0<9}").parse().ok()?;
        let whole: i64 = whole.parse().ok()?;
        return Some(Time(
            whole.checked_mul(1_000_000_000)?.checked_add(nanoseconds)?,
        ));
    }
    from_epoch(found.name("epoch")?.as_str().parse().ok()?)
}

fn zoned(civil: &str, told: Option<&str>, zone: &Zone) -> Option<Time> {
    let mut form = civil.replace('/', "-").replace(',', ".").replace('_', "T");
    match told {
        None => return zone.read(&form),
        Some("UTC" | "GMT" | "Z" | "z") => form.push('Z'),
        Some(offset) => form.push_str(offset),
    }
    Time::from_timestamp(form.parse().ok()?)
}

/// A time that leaves its year unsaid; `at` says what it is in a year, if there is such a day.
pub(super) fn of_year(
    unsaid: Unsaid<'_>,
    mut at: impl FnMut(i16) -> Option<DateTime>,
) -> Option<Time> {
    let now = unsaid.zone.civil(unsaid.arrival);
    // A day ahead of us is a clock that is off; more is last December seen in January.
    let time = at(now.year())
        .filter(|time| *time <= now.saturating_add(1.day()))
        .or_else(|| at(now.year() - 1))?;
    unsaid.zone.at(time)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The short way and the pattern never disagree.
        #[test]
        fn the_short_way_says_what_the_pattern_says(
            head in "20[0-3][0-9]-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9]([.,][0-9]{1,10})?",
            tail in "(Z| Z|\\+01:00| \\+0100| -| U| UTC| GMT| x|x|Zx| |\t|)",
        ) {
            let text = format!("{head}{tail}");
            let zone = Zone::named("+02:00").expect("a zone");
            let unsaid = Unsaid { arrival: Time(0), zone: &zone };
            if let Some(found) = usual(&text, &zone) {
                prop_assert_eq!(Some(found), by_pattern(&text, unsaid), "{}", text);
            }
        }
    }

    #[test]
    fn the_usual_forms_are_read() {
        let arrival = parse("2026-11-21T00:00:00Z", Time(0)).expect("a time");
        let cases = [
            ("2026-03-14T09:00:00.000541Z", "2026-03-14T09:00:00.000541Z"),
            ("2026-03-14T09:00:00+02:00", "2026-03-14T07:00:00Z"),
            ("2026-03-14 09:00:00,123", "2026-03-14T09:00:00.123Z"),
            ("2026-03-14 09:00:00.5 +0100", "2026-03-14T08:00:00.5Z"),
            ("2026/03/14 09:00:00", "2026-03-14T09:00:00Z"),
            ("14/Mar/2026:09:00:00 +0000", "2026-03-14T09:00:00Z"),
            ("Mar 14 09:00:00", "2026-03-14T09:00:00Z"),
            ("Mar  4 09:00:00", "2026-03-04T09:00:00Z"),
            ("Dec 24 09:00:00", "2025-12-24T09:00:00Z"),
            ("Sat Mar 14 09:00:00.5 2026", "2026-03-14T09:00:00.5Z"),
            ("Mar  4 09:00:00 2026", "2026-03-04T09:00:00Z"),
            ("14 Mar 2026 09:00:00,123", "2026-03-14T09:00:00.123Z"),
            ("20260314T090000.5", "2026-03-14T09:00:00.5Z"),
            ("20260314 09:00:00", "2026-03-14T09:00:00Z"),
            ("23:59:59.5", "2026-11-20T23:59:59.5Z"),
            ("1773478800.000123", "2026-03-14T09:00:00.000123Z"),
            ("2026-03-14 09:00:00.5+01", "2026-03-14T08:00:00.5Z"),
            ("2026-03-14 09:00:00.5+01:00", "2026-03-14T08:00:00.5Z"),
            ("1773478800", "2026-03-14T09:00:00Z"),
            ("1773478800123", "2026-03-14T09:00:00.123Z"),
            ("1773478800123456789", "2026-03-14T09:00:00.123456789Z"),
        ];
        for (text, wanted) in cases {
            assert_eq!(
                parse(text, arrival).map(|time| time.to_string()).as_deref(),
                Some(wanted),
                "{text}"
            );
        }
        // Nine hours ahead: what is of no zone is nine hours earlier, and the new year comes sooner.
        let zone = Zone::named("Asia/Tokyo").expect("a zone");
        let arrival = parse("2025-12-31T20:00:00Z", Time(0)).expect("a time");
        let unsaid = Unsaid {
            arrival,
            zone: &zone,
        };
        for (text, wanted) in [
            ("2026-03-14 09:00:00,123", "2026-03-14T00:00:00.123Z"),
            ("2026-03-14T09:00:00", "2026-03-14T00:00:00Z"),
            ("2026/03/14 09:00:00", "2026-03-14T00:00:00Z"),
            ("2026-03-14T09:00:00Z", "2026-03-14T09:00:00Z"),
            ("2026-03-14 09:00:00 UTC", "2026-03-14T09:00:00Z"),
            ("2026-03-14 09:00:00 GMT", "2026-03-14T09:00:00Z"),
            ("2026-03-14 09:00:00.5 +0100", "2026-03-14T08:00:00.5Z"),
            ("14/Mar/2026:09:00:00 +0000", "2026-03-14T09:00:00Z"),
            ("Jan  1 04:30:00", "2025-12-31T19:30:00Z"),
            ("Dec 31 04:30:00", "2025-12-30T19:30:00Z"),
            ("Mar  4 09:00:00 2026", "2026-03-04T00:00:00Z"),
            ("14 Mar 2026 09:00:00,123", "2026-03-14T00:00:00.123Z"),
            ("20260314T090000.5", "2026-03-14T00:00:00.5Z"),
            ("20260314T090000Z", "2026-03-14T09:00:00Z"),
            ("04:30:00", "2025-12-31T19:30:00Z"),
            ("23:30:00", "2025-12-31T14:30:00Z"),
            ("1773478800", "2026-03-14T09:00:00Z"),
        ] {
            assert_eq!(
                parse(text, unsaid).map(|time| time.to_string()).as_deref(),
                Some(wanted),
                "{text} in Tokyo"
            );
        }
        for bad in [
            "",
            "soon",
            "2026-13-14T09:00:00Z",
            "12:00",
            "Foo 14 09:00:00",
            "9999-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(bad, arrival), None, "{bad}");
        }
        // Twelve items fewer are no zone.
        let (time, length) = leading("2026-03-14 09:00:00 -12 items", arrival).expect("a time");
        assert_eq!(
            (time.to_string().as_str(), length),
            ("2026-03-14T09:00:00Z", 19)
        );
        assert_eq!(
            from_epoch_seconds(1_773_478_800.25)
                .map(|t| t.to_string())
                .as_deref(),
            Some("2026-03-14T09:00:00.25Z")
        );
    }
}
