//! Tokens and what they allow, kept in `DIR/tokens.json`: of each only the SHA-256 of its secret.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::base::Time;
use crate::blobs::{Key, Prefix};

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// Asking.
    Read,
    /// Pushing.
    Write,
    /// Everything.
    Admin,
}

/// Where something is to be done.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'s> {
    /// Everywhere.
    All,
    /// In a namespace.
    Namespace(&'s str),
    /// With the streams and blobs below a prefix.
    Below(&'s Prefix),
}

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// By which it is listed and revoked.
    pub id: String,
    /// SHA-256 of its secret, base64. The secret has 256 random bits: there is nothing to guess, and no need to be slow.
    hash: String,
    /// The only namespace it is for; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The only streams and blobs that it is for: those below this key. It is for no entries then, unless a namespace is
    /// named too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<Key>,
    /// What it allows.
    pub rights: Vec<Right>,
    /// When it was made, RFC 3339.
    pub created: String,
    /// From when on it is worth nothing, RFC 3339; none: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

impl Token {
    /// A token that is not kept: of who has shown that an account is its own, for a time.
    pub(super) fn of_account(account: Key, rights: Vec<Right>, expires: Time) -> Self {
        Self {
            id: format!("account {account}"),
            hash: String::new(),
            namespace: None,
            prefix: Some(account),
            rights,
            created: String::new(),
            expires: Some(expires.to_string()),
        }
    }

    /// Whether it is one of those that are kept, and can be revoked.
    pub(super) fn is_kept(&self) -> bool {
        !self.hash.is_empty()
    }

    /// Whether it allows something there.
    #[must_use]
    pub fn allows(&self, right: Right, scope: Scope) -> bool {
        let here = match scope {
            Scope::All => self.namespace.is_none() && self.prefix.is_none(),
            Scope::Namespace(name) => match &self.namespace {
                None => self.prefix.is_none(),
                Some(own) => own == name,
            },
            Scope::Below(prefix) => {
                let Some(own) = self.below() else {
                    return false;
                };
                match (own.key(), prefix.key()) {
                    (None, _) => true,
                    (Some(_), None) => false,
                    (Some(_), Some(key)) => own.holds(key),
                }
            }
        };
        here && (self.rights.contains(&right) || self.rights.contains(&Right::Admin))
    }

    /// The streams and blobs that it is for: those of its prefix, else those of the account that is called as its
    /// namespace is, else all.
    pub(super) fn below(&self) -> Option<Prefix> {
        match (&self.prefix, &self.namespace) {
            (Some(prefix), _) => Some(prefix.clone().into()),
            (None, Some(name)) => Key::of(&[name.as_str()]).ok().map(Prefix::from),
            (None, None) => Some(Prefix::default()),
        }
    }

    /// Whether its time is over. A time that is not understood is.
    #[must_use]
    pub fn is_expired(&self, now: Time) -> bool {
        let Some(expires) = &self.expires else {
            return false;
        };
        let time = expires.parse().ok().and_then(Time::from_timestamp);
        time.is_none_or(|time| time <= now)
    }
}

/// What a new token shall be.
#[derive(Clone, Debug, Default)]
pub struct NewToken {
    /// Only for this namespace.
    pub namespace: Option<String>,
    /// Only for streams and blobs below this key.
    pub prefix: Option<Key>,
    /// What it allows.
    pub rights: Vec<Right>,
    /// How long it is worth something.
    pub lasts: Option<Duration>,
}

/// Why tokens cannot be kept or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The disk, or the source of randomness, refuses.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not ours.
    #[error("expected a list of tokens in {path}: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and why.
        reason: String,
    },
}

/// The tokens of a data directory. A change by another process counts at once.
#[derive(Clone, Debug)]
pub struct Tokens {
    path: PathBuf,
    known: Arc<RwLock<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    stamp: Option<Stamp>,
    tokens: Vec<Token>,
}

/// By which a change of the file is seen: it is replaced, never written in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    modified: (i64, i64),
    length: u64,
}

impl Tokens {
    /// The tokens of a data directory; there need not be any.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn open(dir: &Path) -> Result<Self, TokenError> {
        let tokens = Self {
            path: dir.join("tokens.json"),
            known: Arc::default(),
        };
        tokens.all()?;
        Ok(tokens)
    }

    /// All of them, the expired too.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn all(&self) -> Result<Vec<Token>, TokenError> {
        let stamp = self.stamp()?;
        if let Ok(known) = self.known.read()
            && known.stamp == stamp
        {
            return Ok(known.tokens.clone());
        }
        let tokens = self.read()?;
        if let Ok(mut known) = self.known.write() {
            *known = Known {
                stamp,
                tokens: tokens.clone(),
            };
        }
        Ok(tokens)
    }

    /// The token that is presented, if it is one and its time is not over.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn check(&self, presented: &str, now: Time) -> Result<Option<Token>, TokenError> {
        let Some((id, secret)) = presented
            .strip_prefix("tw_")
            .and_then(|rest| rest.split_once('_'))
        else {
            return Ok(None);
        };
        let hash = hash(secret);
        Ok(self.all()?.into_iter().find(|token| {
            token.id == id
                && bool::from(token.hash.as_bytes().ct_eq(hash.as_bytes()))
                && !token.is_expired(now)
        }))
    }

    /// Makes a token; its text is told this once.
    ///
    /// # Errors
    /// It cannot be kept.
    pub fn create(&self, new: NewToken, now: Time) -> Result<(Token, String), TokenError> {
        let mut random = [0; 36];
        getrandom::fill(&mut random)
            .map_err(|error| self.error("make a secret for")(error.into()))?;
        let (id, secret) = random.split_at(4);
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let secret = BASE64_URL_SAFE_NO_PAD.encode(secret);
        let token = Token {
            hash: hash(&secret),
            namespace: new.namespace,
            prefix: new.prefix,
            rights: new.rights,
            created: now.to_string(),
            expires: new.lasts.map(|lasts| now.later(lasts).to_string()),
            id,
        };
        let text = format!("tw_{}_{secret}", token.id);
        self.change(|tokens| tokens.push(token.clone()))?;
        Ok((token, text))
    }

    /// Takes a token away; whether there was one.
    ///
    /// # Errors
    /// The change cannot be kept.
    pub fn revoke(&self, id: &str) -> Result<bool, TokenError> {
        self.change(|tokens| {
            let before = tokens.len();
            tokens.retain(|token| token.id != id);
            tokens.len() < before
        })
    }

    /// One at a time over all processes; the file is replaced whole.
    fn change<T>(&self, change: impl FnOnce(&mut Vec<Token>) -> T) -> Result<T, TokenError> {
        let lock = self.path.with_extension("lock");
        let file = private(&lock).map_err(self.error("open the lock of"))?;
        self.give(&file).map_err(self.error("open the lock of"))?;
        file.lock().map_err(self.error("lock"))?;
        let mut tokens = self.read()?;
        let outcome = change(&mut tokens);
        let mut text = serde_json::to_vec_pretty(&tokens).unwrap_or_default();
        text.push(b'\n');
        let temporary = self.path.with_extension("tmp");
        let _ = fs::remove_file(&temporary);
        private(&temporary)
            .and_then(|mut file| {
                file.write_all(&text)?;
                self.give(&file)?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&temporary, &self.path))
            .map_err(self.error("write"))?;
        Ok(outcome)
    }

    /// What the administrator writes belongs to whose directory it is: the service reads it as another user.
    fn give(&self, file: &File) -> io::Result<()> {
        let dir = self.path.parent().unwrap_or(Path::new("."));
        let (owner, own) = (fs::metadata(dir)?, file.metadata()?);
        if (owner.uid(), owner.gid()) == (own.uid(), own.gid()) {
            return Ok(());
        }
        std::os::unix::fs::fchown(file, Some(owner.uid()), Some(owner.gid()))
    }

    fn read(&self) -> Result<Vec<Token>, TokenError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.error("read")(error)),
        };
        serde_json::from_slice(&text).map_err(|error| TokenError::Damaged {
            path: self.path.clone(),
            reason: error.to_string(),
        })
    }

    fn stamp(&self) -> Result<Option<Stamp>, TokenError> {
        match fs::metadata(&self.path) {
            Ok(found) => Ok(Some(Stamp {
                inode: found.ino(),
                modified: (found.mtime(), found.mtime_nsec()),
                length: found.len(),
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.error("look at")(error)),
        }
    }

    fn error(&self, action: &'static str) -> impl Fn(io::Error) -> TokenError + use<> {
        let path = self.path.clone();
        move |source| TokenError::Io {
            action,
            path: path.clone(),
            source,
        }
    }
}

/// A file that only its owner reads.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600);
    options.open(path)
}

fn hash(secret: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(secret.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_made_checked_and_revoked() {
        let dir = tempfile::tempdir().expect("a directory");
        let tokens = Tokens::open(dir.path()).expect("opened");
        let elsewhere = Tokens::open(dir.path()).expect("opened by another");
        let new = NewToken {
            namespace: Some("pay".into()),
            prefix: None,
            rights: vec![Right::Read],
            lasts: Some(Duration::from_nanos(100)),
        };
        let (token, text) = tokens.create(new, Time(1_000)).expect("made");
        let found = elsewhere.check(&text, Time(1_099)).expect("read");
        assert_eq!(found.as_ref(), Some(&token));
        assert_eq!(elsewhere.check(&text, Time(1_100)).expect("read"), None);
        let mut wrong = text.clone();
        wrong.pop();
        for wrong in [wrong.as_str(), "", "tw_", "tw__", "secret", &text[3..]] {
            assert_eq!(elsewhere.check(wrong, Time(1_000)).expect("read"), None);
        }
        let kept = fs::read_to_string(dir.path().join("tokens.json")).expect("read");
        // A secret may have the mark in it that stands before it.
        let secret = text.splitn(3, '_').nth(2).expect("a secret");
        assert!(secret.len() > 40, "{secret}");
        assert!(!kept.contains(secret), "the secret is not kept");
        assert!(tokens.revoke(&token.id).expect("revoked"));
        assert!(!tokens.revoke(&token.id).expect("asked"));
        assert_eq!(elsewhere.check(&text, Time(1_000)).expect("read"), None);
    }

    #[test]
    fn rights_end_at_their_namespace() {
        let token = |namespace: Option<&str>, prefix: Option<&str>, rights: &[Right]| Token {
            id: String::new(),
            hash: String::new(),
            namespace: namespace.map(str::to_owned),
            prefix: prefix.map(|prefix| Key::parse(prefix).expect("a key")),
            rights: rights.to_vec(),
            created: String::new(),
            expires: None,
        };
        let below = |text: &str| Prefix::parse(text).expect("a prefix");
        let of_pay = token(Some("pay"), None, &[Right::Read]);
        assert!(of_pay.allows(Right::Read, Scope::Namespace("pay")));
        assert!(!of_pay.allows(Right::Read, Scope::Namespace("auth")));
        assert!(!of_pay.allows(Right::Read, Scope::All));
        assert!(!of_pay.allows(Right::Write, Scope::Namespace("pay")));
        assert!(of_pay.allows(Right::Read, Scope::Below(&below("pay/1"))));
        assert!(!of_pay.allows(Right::Read, Scope::Below(&below("payments/1"))));
        let of_all = token(None, None, &[Right::Write]);
        assert!(of_all.allows(Right::Write, Scope::All));
        assert!(of_all.allows(Right::Write, Scope::Namespace("x")));
        assert!(of_all.allows(Right::Write, Scope::Below(&Prefix::default())));
        assert!(!of_all.allows(Right::Read, Scope::All));
        assert!(token(None, None, &[Right::Admin]).allows(Right::Write, Scope::All));
        let of_build = token(None, Some("acme/1"), &[Right::Write]);
        assert!(of_build.allows(Right::Write, Scope::Below(&below("acme/1/test"))));
        assert!(of_build.allows(Right::Write, Scope::Below(&below("acme/1"))));
        for other in ["acme/11/test", "acme", "", "other/acme/1"] {
            assert!(
                !of_build.allows(Right::Write, Scope::Below(&below(other))),
                "{other}"
            );
        }
        assert!(!of_build.allows(Right::Read, Scope::Below(&below("acme/1/test"))));
        assert!(!of_build.allows(Right::Write, Scope::All));
        assert!(!of_build.allows(Right::Write, Scope::Namespace("acme")));
        let admin = token(None, Some("acme"), &[Right::Admin]);
        assert!(!admin.allows(Right::Admin, Scope::All));
    }

    #[test]
    fn a_file_that_is_not_understood_lets_nobody_in() {
        let dir = tempfile::tempdir().expect("a directory");
        let tokens = Tokens::open(dir.path()).expect("opened");
        fs::write(dir.path().join("tokens.json"), "{}").expect("written");
        assert!(matches!(
            tokens.check("tw_a_b", Time(0)),
            Err(TokenError::Damaged { .. })
        ));
    }
}
