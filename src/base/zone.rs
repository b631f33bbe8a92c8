//! The zone in which times are shown to a person.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::Time;

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

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

    /// The zone of a name of the IANA database, such as `Europe/Berlin`.
    ///
    /// # Errors
    /// There is none of this name here.
    pub fn named(name: &str) -> Result<Self, String> {
        let zone = TimeZone::get(name);
        zone.map(Self).map_err(|error| error.to_string())
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
        let civil: DateTime = text.parse().ok()?;
        let zoned = civil.to_zoned(self.0.clone()).ok()?;
        Time::from_timestamp(zoned.timestamp())
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
}
