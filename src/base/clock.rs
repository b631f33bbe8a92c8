//! Points in time, as values. Only the rim of the program asks the clock ([`Time::now`]).

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

/// Nanoseconds since the Unix epoch, UTC. Covers the years 1677 to 2262; times outside are not representable and are
/// refused where they would enter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// The earliest representable time.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest representable time.
    pub const MAX: Self = Self(i64::MAX);

    /// The time now, by the system's clock.
    #[must_use]
    pub fn now() -> Self {
        Self::from_timestamp(Timestamp::now()).unwrap_or_default()
    }

    /// The same instant, or `None` outside the representable range.
    #[must_use]
    pub fn from_timestamp(timestamp: Timestamp) -> Option<Self> {
        i64::try_from(timestamp.as_nanosecond()).ok().map(Self)
    }

    /// The same instant as `jiff` holds it.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or_default()
    }

    /// As headers of HTTP write it, in whole seconds: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
    #[must_use]
    pub fn http_form(self) -> String {
        let form = self.timestamp().strftime("%a, %d %b %Y %H:%M:%S GMT");
        form.to_string()
    }

    /// The time of a header of HTTP.
    #[must_use]
    pub fn parse_http(text: &str) -> Option<Self> {
        let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
        Self::from_timestamp(zoned.timestamp())
    }

    /// `duration` earlier, or the earliest representable time.
    #[must_use]
    pub fn earlier(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(nanoseconds(duration)))
    }

    /// `duration` later, or the latest representable time.
    #[must_use]
    pub fn later(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanoseconds(duration)))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        u64::try_from(self.0.saturating_sub(earlier.0)).map_or(Duration::ZERO, Duration::from_nanos)
    }

    /// `2026-03-14 09:00:00.000`: the form of a log row, UTC, milliseconds.
    #[must_use]
    pub fn row_form(self) -> String {
        self.timestamp()
            .strftime("%Y-%m-%d %H:%M:%S.%3f")
            .to_string()
    }
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// RFC 3339 in UTC with `Z` and as many fraction digits as needed.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.timestamp().fmt(f)
    }
}
