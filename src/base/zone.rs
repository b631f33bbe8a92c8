//! The zone in which times are shown to a person, or were written.

use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::{Offset, TimeZone};

use super::Time;

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// Coordinated universal time.
pub static UTC: Zone = Zone(TimeZone::UTC);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl Zone {
    /// The zone of this machine, or of the variable `TZ`; UTC where neither is known.
    #[must_use]
    pub fn system() -> Self {
        Self(TimeZone::system())
    }

    /// What the variable `TZ` of a Unix means, unless it is empty or not understood.
    #[must_use]
    pub fn of_variable(text: &str) -> Option<Self> {
        let name = text.strip_prefix(':').unwrap_or(text);
        if name.is_empty() {
            return None;
        }
        let named = TimeZone::get(name).or_else(|_| TimeZone::posix(name));
        named.ok().map(Self)
    }

    /// The zone of a name: of the IANA database, such as `Europe/Berlin`; `UTC`; an offset, such as `+02:00`; or `system`.
    ///
    /// # Errors
    /// There is none of this name here.
    pub fn named(name: &str) -> Result<Self, String> {
        if name == "system" {
            return Ok(Self::system());
        }
        if name.starts_with(['+', '-']) {
            let offset = BrokenDownTime::parse("%:z", name)
                .or_else(|_| BrokenDownTime::parse("%z", name))
                .ok()
                .and_then(|read| read.offset());
            return offset
                .map(Self::fixed)
                .ok_or_else(|| format!("expected an offset such as +02:00, found {name:?}"));
        }
        let zone = TimeZone::get(name);
        zone.map(Self).map_err(|error| error.to_string())
    }

    /// So far ahead of UTC, all the year.
    #[must_use]
    pub fn fixed(offset: Offset) -> Self {
        Self(TimeZone::fixed(offset))
    }

    /// What tells it from others: its name in the database where it has one, otherwise its offsets in winter and in summer.
    #[must_use]
    pub fn id(&self) -> String {
        let offset = |seconds: i64| {
            let time = Time(seconds * 1_000_000_000).timestamp();
            self.0.to_offset(time).to_string()
        };
        let named = self.0.iana_name().map(str::to_owned);
        // The first days of January and of July 2026.
        named.unwrap_or_else(|| format!("{} {}", offset(1_767_225_600), offset(1_782_864_000)))
    }

    /// The time at which clocks of this zone show this; of two such times the earlier, of none the one that would be.
    #[must_use]
    pub fn at(&self, civil: DateTime) -> Option<Time> {
        Time::from_timestamp(self.0.to_timestamp(civil).ok()?)
    }

    /// What clocks of this zone show.
    #[must_use]
    pub fn civil(&self, time: Time) -> DateTime {
        self.0.to_datetime(time.timestamp())
    }

    /// `2026-03-14 09:00:00.000`: the form of a log row in this zone.
    #[must_use]
    pub fn row_form(&self, time: Time) -> String {
        let zoned = time.timestamp().to_zoned(self.0.clone());
        zoned.strftime("%Y-%m-%d %H:%M:%S.%3f").to_string()
    }

    /// How the zone is called at a time: `UTC`, `CET`.
    #[must_use]
    pub fn name(&self, time: Time) -> String {
        let info = self.0.to_offset_info(time.timestamp());
        info.abbreviation().to_owned()
    }

    /// The time that clocks of this zone show so: `2026-03-14T09:00:00`. Of two such times the earlier.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<Time> {
        self.at(text.parse().ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_of_a_zone_are_read_as_they_are_shown() {
        let time = Time(1_773_478_800_123_000_000);
        let utc = Zone::default();
        assert_eq!(
            (utc.row_form(time).as_str(), utc.name(time).as_str()),
            ("2026-03-14 09:00:00.123", "UTC")
        );
        let zone = Zone(TimeZone::fixed(jiff::tz::offset(2)));
        assert_eq!(zone.row_form(time), "2026-03-14 11:00:00.123");
        assert_eq!(zone.read("2026-03-14T11:00:00.123"), Some(time));
        assert_eq!(utc.read("2026-03-14T25:00:00"), None);
    }

    #[test]
    fn zones_have_names_and_ids() {
        let noon = "2026-07-01T12:00:00";
        for (name, id, time) in [
            ("UTC", "UTC", "2026-07-01T12:00:00Z"),
            ("Europe/Berlin", "Europe/Berlin", "2026-07-01T10:00:00Z"),
            ("+02:00", "+02 +02", "2026-07-01T10:00:00Z"),
            ("-0330", "-03:30 -03:30", "2026-07-01T15:30:00Z"),
        ] {
            let zone = Zone::named(name).expect(name);
            assert_eq!(zone.id(), id);
            let read = zone.read(noon).expect("a time");
            assert_eq!(read.to_string(), time, "{name}");
            assert_eq!(zone.civil(read).to_string(), noon);
        }
        for (bad, told) in [
            ("Europe/Atlantis", "Europe/Atlantis"),
            ("+2", "expected an offset such as +02:00, found \"+2\""),
        ] {
            let error = Zone::named(bad).expect_err(bad);
            assert!(error.contains(told), "{error}");
        }
    }
}
