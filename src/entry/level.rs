//! Severities.

use std::fmt;
use std::str::FromStr;

/// How severe an entry is, mildest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Finest detail.
    Trace = 0,
    /// Detail for developers.
    Debug = 1,
    /// Ordinary events; what an entry without a level gets.
    #[default]
    Info = 2,
    /// Something unexpected that was coped with.
    Warn = 3,
    /// Something failed.
    Error = 4,
    /// The program cannot go on.
    Fatal = 5,
}

/// A word that names no level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a level (trace, debug, info, warn, error, fatal), found {0:?}")]
pub struct UnknownLevel(pub String);

impl Level {
    /// Every level, mildest first; the index is `level as usize`.
    pub const ALL: [Self; 6] = [
        Self::Trace,
        Self::Debug,
        Self::Info,
        Self::Warn,
        Self::Error,
        Self::Fatal,
    ];

    /// The upper-case word of the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }

    /// The level stored as `code`, if there is one.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// Numbers as loggers write them: 0 to 3 as Direktiv's first generation orders them (debug, info, warn, error),
    /// from 10 as pino and bunyan do (10 trace … 60 fatal).
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::Debug),
            1 => Some(Self::Info),
            2 => Some(Self::Warn),
            3 => Some(Self::Error),
            10..20 => Some(Self::Trace),
            20..30 => Some(Self::Debug),
            30..40 => Some(Self::Info),
            40..50 => Some(Self::Warn),
            50..60 => Some(Self::Error),
            60..=100 => Some(Self::Fatal),
            _ => None,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Any of the usual words, in any case.
impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WORDS: [(&str, Level); 27] = [
            ("info", Level::Info),
            ("debug", Level::Debug),
            ("warn", Level::Warn),
            ("error", Level::Error),
            ("trace", Level::Trace),
            ("fatal", Level::Fatal),
            ("warning", Level::Warn),
            ("err", Level::Error),
            ("inf", Level::Info),
            ("information", Level::Info),
            ("informational", Level::Info),
            ("notice", Level::Info),
            ("dbg", Level::Debug),
            ("fine", Level::Debug),
            ("finer", Level::Trace),
            ("finest", Level::Trace),
            ("trc", Level::Trace),
            ("verbose", Level::Trace),
            ("wrn", Level::Warn),
            ("severe", Level::Error),
            ("crit", Level::Fatal),
            ("critical", Level::Fatal),
            ("alert", Level::Fatal),
            ("emerg", Level::Fatal),
            ("emergency", Level::Fatal),
            ("panic", Level::Fatal),
            ("dpanic", Level::Fatal),
        ];
        let word = text.trim();
        WORDS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word))
            .map(|(_, level)| *level)
            .ok_or_else(|| UnknownLevel(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_codes_come_back() {
        for level in Level::ALL {
            assert_eq!(level.word().parse(), Ok(level));
            assert_eq!(Level::from_code(level as u8), Some(level));
        }
        assert_eq!("Warning".parse(), Ok(Level::Warn));
        assert_eq!("loud".parse::<Level>(), Err(UnknownLevel("loud".into())));
        assert_eq!(Level::from_number(50), Some(Level::Error));
        assert_eq!(Level::from_number(3), Some(Level::Error));
        assert_eq!(Level::from_number(7), None);
    }

    #[test]
    fn a_level_keeps_its_column() {
        assert_eq!(format!("{:<5}|", Level::Info), "INFO |");
    }
}
