//! Into which namespaces a sender may write.

use crate::entry::Entry;

/// What is said of namespaces: by the path, by the token, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::service) enum Tenant {
    /// Entries name theirs.
    #[default]
    Any,
    /// The path names the only one.
    OfPath(String),
    /// The token allows the only one.
    OfToken(String),
}

impl Tenant {
    /// The namespace of entries that name none.
    pub fn namespace(&self) -> Option<&str> {
        match self {
            Self::Any => None,
            Self::OfPath(name) | Self::OfToken(name) => Some(name),
        }
    }

    /// Why an entry is not taken, if it is not.
    pub fn objection(&self, entry: &Entry) -> Option<String> {
        let theirs = &entry.scope.namespace;
        match self {
            Self::OfPath(name) if name != theirs => Some(format!(
                "the namespace of the path is {name:?}, that of the entry {theirs:?}"
            )),
            Self::OfToken(name) if name != theirs => Some(format!(
                "the token is for namespace {name:?}, the entry is for {theirs:?}"
            )),
            _ => None,
        }
    }
}
