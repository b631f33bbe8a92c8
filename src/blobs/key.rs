//! Names of values and streams: segments with slashes between them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Bytes of a name: what S3 takes.
const MAX_BYTES: usize = 1_024;
/// Bytes of a segment: a name on a disk, of which some characters need three.
const MAX_SEGMENT_BYTES: usize = 240;

/// Where values are while they come: no name begins with it.
pub(super) const STAGING: &str = ".uploads";

/// A name: segments with slashes between them, such as `team/build/1/test`. The first one is the account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(String);

/// What no name can be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a key such as team/build/1/test ({expected}), found {found:?}")]
pub struct KeyError {
    expected: &'static str,
    found: String,
}

impl Key {
    /// The name as it is written; slashes before and behind it do not count.
    ///
    /// # Errors
    /// It is empty or too long, or a segment is.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let name = text.trim_matches('/');
        let wrong = |expected| KeyError {
            expected,
            found: text.chars().take(200).collect(),
        };
        if name.is_empty() {
            return Err(wrong("at least one segment"));
        }
        if name.len() > MAX_BYTES {
            return Err(wrong("at most 1024 bytes"));
        }
        if name.split('/').next() == Some(STAGING) {
            return Err(wrong("another first segment than .uploads"));
        }
        for segment in name.split('/') {
            if segment.is_empty() || segment == "." || segment == ".." {
                return Err(wrong("no empty segments, no . and no .."));
            }
            if segment.chars().any(char::is_control) {
                return Err(wrong("no control characters"));
            }
            if escaped(segment).len() > MAX_SEGMENT_BYTES {
                return Err(wrong("segments of at most 240 bytes"));
            }
        }
        Ok(Self(name.to_owned()))
    }

    /// A name of segments, each as it is: what looks like a slash in one is refused.
    ///
    /// # Errors
    /// As [`Key::parse`].
    pub fn of(segments: &[&str]) -> Result<Self, KeyError> {
        if let Some(found) = segments.iter().find(|segment| segment.contains('/')) {
            return Err(KeyError {
                expected: "no slash within a segment",
                found: (*found).to_owned(),
            });
        }
        Self::parse(&segments.join("/"))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first segment.
    #[must_use]
    pub fn account(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// The last segment.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The path on a disk: a name may be the prefix of another, so files are told from folders by a tilde at the end.
    pub(super) fn file(&self) -> String {
        format!("{}~", self.folder())
    }

    /// The path on a disk of what is below the name.
    pub(super) fn folder(&self) -> String {
        let path: Vec<_> = self.0.split('/').map(escaped).collect();
        path.join("/")
    }

    /// The name of a path on a disk, if it is one of ours.
    pub(super) fn of_file(path: &str) -> Option<Self> {
        Self::of_folder(path.strip_suffix('~')?)
    }

    /// The name of a folder on a disk, if it is one of ours.
    pub(super) fn of_folder(path: &str) -> Option<Self> {
        let segments: Option<Vec<_>> = path.split('/').map(plain).collect();
        Self::parse(&segments?.join("/")).ok()
    }
}

/// The tilde has a meaning here, and the character that escapes it.
fn escaped(segment: &str) -> String {
    segment.replace('%', "%25").replace('~', "%7E")
}

fn plain(segment: &str) -> Option<String> {
    let is_ours = !segment.contains('~');
    is_ours.then(|| segment.replace("%7E", "~").replace("%25", "%"))
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Key {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        Self::parse(&text)
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0
    }
}

/// Names that begin with the same segments, or all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Prefix(Option<Key>);

impl Prefix {
    /// The prefix as it is written; nothing is all names.
    ///
    /// # Errors
    /// As [`Key::parse`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let is_all = text.trim_matches('/').is_empty();
        Ok(Self(if is_all { None } else { Some(text.parse()?) }))
    }

    /// Whether a name is this or below it: prefixes end where segments do.
    #[must_use]
    pub fn holds(&self, key: &Key) -> bool {
        let Some(prefix) = &self.0 else { return true };
        let rest = key.0.strip_prefix(&prefix.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The name that it is, unless it is all.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        self.0.as_ref()
    }

    /// What is left of a name within it; the last segment of the name that it is itself.
    #[must_use]
    pub fn within<'k>(&self, key: &'k Key) -> &'k str {
        let Some(prefix) = &self.0 else { return &key.0 };
        let rest = key.0.strip_prefix(&prefix.0).unwrap_or(&key.0);
        let rest = rest.trim_start_matches('/');
        if rest.is_empty() { key.name() } else { rest }
    }
}

impl From<Key> for Prefix {
    fn from(key: Key) -> Self {
        Self(Some(key))
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_ref().map_or("", Key::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["a", "a/b", "/a/b/", "ü b+c/ d", "a%2Fb/~x~", "a..b/.c"] {
            let key = Key::parse(good).expect(good);
            assert_eq!(key.as_str(), good.trim_matches('/'));
            assert_eq!(Key::of_file(&key.file()), Some(key), "{good}");
        }
        let long = "x".repeat(241);
        let longer = "x/".repeat(600);
        for bad in [
            "",
            "/",
            "a//b",
            "a/../b",
            "..",
            "./a",
            ".uploads/x",
            "a\nb",
            "a\0",
            &long,
            &longer,
        ] {
            assert!(Key::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Key::of(&["a", "b/c"]).is_err());
        assert_eq!(Key::of_file("a/b"), None);
        assert_eq!(Key::of_file("a~/b~"), None);
    }

    #[test]
    fn names_never_share_a_path() {
        let names = ["a", "a~", "a%7E", "a/b", "a~/b", "a%/b", "a%25/b", "a%257E"];
        let keys = names.map(|name| Key::parse(name).expect(name));
        let mut paths: Vec<_> = keys.iter().map(Key::file).collect();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), names.len());
        for key in keys {
            assert_eq!(Key::of_file(&key.file()), Some(key));
        }
    }

    #[test]
    fn prefixes_end_where_segments_do() {
        let prefix = Prefix::parse("run/2").expect("a prefix");
        let holds = |key: &str| prefix.holds(&Key::parse(key).expect("a key"));
        assert!(holds("run/2") && holds("run/2/a"));
        assert!(!holds("run/22/a") && !holds("run") && !holds("other/run/2"));
        assert!(Prefix::default().holds(&Key::parse("x").expect("a key")));
        let key = Key::parse("run/2/a/b").expect("a key");
        assert_eq!(prefix.within(&key), "a/b");
        assert_eq!(Prefix::from(key.clone()).within(&key), "b");
    }
}
