//! What a request is about: the one place that reads it from an address.

use axum::extract::RawPathParams;
use axum::http::Uri;

use super::Scope;
use crate::api::path;
use crate::blobs::{Key, Prefix};
use crate::service::error::Failure;

/// What a request is about.
#[derive(Clone, Debug)]
pub(in crate::service) enum Subject {
    /// Nothing in particular.
    All,
    /// A namespace.
    Namespace(String),
    /// A stream and its blob.
    Key(Key),
    /// Those below a prefix.
    Prefix(Prefix),
}

impl Subject {
    pub fn of(route: &str, params: &RawPathParams, uri: &Uri) -> Result<Self, Failure> {
        let param = |wanted: &str| {
            let mut params = params.iter();
            params
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| value)
        };
        let invalid = |error: crate::blobs::KeyError| Failure::invalid(format!("key: {error}"));
        match route {
            path::STREAM | path::BLOB => {
                let key = param("key").unwrap_or_default();
                Key::parse(key).map(Self::Key).map_err(invalid)
            }
            path::STEP_STREAM | path::STEP_BLOB | path::STEP_UPLOAD | path::STEP_DOWNLOAD => {
                step(uri.path()).map(Self::Key).map_err(invalid)
            }
            // The keys of the list are of the account.
            path::HARNESS_STREAM if parameter(uri, "keyList").is_some() => {
                let account = account(uri)?;
                Key::of(&[&account]).map(Self::Key).map_err(invalid)
            }
            path::HARNESS_STREAM
            | path::HARNESS_BLOB
            | path::HARNESS_UPLOAD
            | path::HARNESS_DOWNLOAD
            | path::HARNESS_EXISTS
            | path::HARNESS_INTERNAL => {
                let key = in_account(uri, "key")?;
                Key::parse(&key).map(Self::Key).map_err(invalid)
            }
            path::HARNESS_ARCHIVE => {
                let key = in_account(uri, "prefix")?;
                Key::parse(&key).map(Self::Key).map_err(invalid)
            }
            path::HARNESS_TOKEN => {
                let account = account(uri)?;
                Key::of(&[&account]).map(Self::Key).map_err(invalid)
            }
            _ => Ok(param("namespace").map_or(Self::All, |name| Self::Namespace(name.to_owned()))),
        }
    }

    /// The same for who asks about rights.
    pub fn allows(&self, asks: impl FnOnce(Scope) -> bool) -> bool {
        match self {
            Self::All => asks(Scope::All),
            Self::Namespace(name) => asks(Scope::Namespace(name)),
            Self::Key(key) => asks(Scope::Below(&key.clone().into())),
            Self::Prefix(prefix) => asks(Scope::Below(prefix)),
        }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("all namespaces"),
            Self::Namespace(name) => write!(f, "namespace {name:?}"),
            Self::Key(key) => write!(f, "{key}"),
            Self::Prefix(prefix) => write!(f, "everything below {:?}", prefix.to_string()),
        }
    }
}

/// A parameter of the address. What a body says never counts.
pub(in crate::service) fn parameter(uri: &Uri, wanted: &str) -> Option<String> {
    let query = uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, value) = pairs.find(|(name, _)| name == wanted)?;
    Some(value.into_owned())
}

/// The six identifiers of a step, as they stand in the path: `a%2Fb` stays so.
fn step(path: &str) -> Result<Key, crate::blobs::KeyError> {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let named = [2, 4, 6, 8, 10, 11].map(|at| segments.get(at).copied().unwrap_or_default());
    Key::of(&named)
}

fn account(uri: &Uri) -> Result<String, Failure> {
    let account = parameter(uri, "accountID").filter(|account| !account.is_empty());
    account.ok_or_else(|| Failure::invalid("no accountID exists in the URL"))
}

/// The key of an account, as the later Harness log service writes it.
fn in_account(uri: &Uri, name: &str) -> Result<String, Failure> {
    let account = account(uri)?;
    if account.contains('/') {
        return Err(Failure::invalid("accountID: expected no slash"));
    }
    let key = parameter(uri, name).filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| Failure::invalid(format!("no {name} exists in the URL")))?;
    Ok(format!("{account}/{}", key.trim_start_matches('/')))
}
