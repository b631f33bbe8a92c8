//! What the service signs with: links to blobs, and tokens in the form of the later Harness log service.
//!
//! ```text
//! signature of a link = HMAC-SHA256(secret, "link" | permit | key | expiry), base64
//! token of an account = base64 of: expiry u32 | account | HMAC-SHA256(k, expiry | account)
//!                       k = HMAC-SHA256(secret, expiry | account)
//! ```
//! Expiries in seconds since 1970, big endian; base64 in its URL-safe form.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::base::Time;
use crate::blobs::{Key, Permit};

/// Written with padding, as the original does; read with and without it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const BYTES: usize = 32;

/// What the service signs with.
#[derive(Clone)]
pub struct Secret(Arc<[u8; BYTES]>);

/// It is not shown.
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// The secret of a data directory, made on first use; only its owner can read it.
    ///
    /// # Errors
    /// The disk, or the source of randomness, refuses.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let path = dir.join("secret");
        match fs::read(&path) {
            Ok(bytes) => {
                let secret = <[u8; BYTES]>::try_from(bytes).map_err(|bytes| {
                    let found = bytes.len();
                    let reason = format!(
                        "expected {BYTES} bytes in {}, found {found}",
                        path.display()
                    );
                    io::Error::new(io::ErrorKind::InvalidData, reason)
                })?;
                return Ok(Self(Arc::new(secret)));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let secret = Self::random()?;
        let temporary = dir.join("secret.tmp");
        let _ = fs::remove_file(&temporary);
        let mut options = OpenOptions::new();
        let mut file = options
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(&*secret.0)?;
        file.sync_all()?;
        fs::rename(&temporary, &path)?;
        File::open(dir)?.sync_all()?;
        Ok(secret)
    }

    /// A secret of this process alone.
    ///
    /// # Errors
    /// The source of randomness refuses.
    pub fn random() -> io::Result<Self> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(Arc::new(bytes)))
    }

    /// The signature of a link.
    pub(in crate::service) fn sign(&self, permit: Permit, key: &Key, expires: u64) -> String {
        BASE64.encode(self.link(permit, key, expires).finalize().into_bytes())
    }

    /// Whether a link is ours, and its time is not over.
    pub(in crate::service) fn verify(
        &self,
        permit: Permit,
        key: &Key,
        expires: u64,
        signature: &str,
        now: Time,
    ) -> bool {
        let Ok(signature) = BASE64.decode(signature) else {
            return false;
        };
        let is_ours = self
            .link(permit, key, expires)
            .verify_slice(&signature)
            .is_ok();
        is_ours && seconds(now) <= expires
    }

    fn link(&self, permit: Permit, key: &Key, expires: u64) -> Hmac<Sha256> {
        let permit: u8 = match permit {
            Permit::Download => 1,
            Permit::Upload => 2,
            Permit::Archive => 3,
        };
        let mut signed = mac(&*self.0);
        signed.update(b"link");
        signed.update(&[permit]);
        signed.update(&expires.to_be_bytes());
        signed.update(key.as_str().as_bytes());
        signed
    }

    /// A token of an account.
    pub(in crate::service) fn token(&self, account: &str, expires: u64) -> String {
        let mut bytes = u32::try_from(expires)
            .unwrap_or(u32::MAX)
            .to_be_bytes()
            .to_vec();
        bytes.extend_from_slice(account.as_bytes());
        let signature = self.signature(&bytes).finalize().into_bytes();
        bytes.extend_from_slice(&signature);
        BASE64.encode(bytes)
    }

    /// The account of a token that is ours and whose time is not over, and when that is.
    pub(in crate::service) fn account(&self, token: &str, now: Time) -> Option<(Key, Time)> {
        let bytes = BASE64.decode(token).ok()?;
        let (signed, signature) = bytes.split_last_chunk::<32>()?;
        self.signature(signed).verify_slice(signature).ok()?;
        let (expires, account) = signed.split_first_chunk::<4>()?;
        let expires = Time(i64::from(u32::from_be_bytes(*expires)) * 1_000_000_000);
        let account = std::str::from_utf8(account)
            .ok()
            .filter(|_| now <= expires)?;
        Some((Key::of(&[account]).ok()?, expires))
    }

    fn signature(&self, signed: &[u8]) -> Hmac<Sha256> {
        let mut own = mac(&*self.0);
        own.update(signed);
        let mut signature = mac(&own.finalize().into_bytes());
        signature.update(signed);
        signature
    }
}

/// Keys of any length are keys.
fn mac(key: &[u8]) -> Hmac<Sha256> {
    <Hmac<Sha256> as Mac>::new_from_slice(key).unwrap_or_else(|_| unreachable!("of any length"))
}

/// Seconds since 1970.
pub(in crate::service) fn seconds(time: Time) -> u64 {
    u64::try_from(time.0 / 1_000_000_000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_700_000_000_000_000_000);

    #[test]
    fn the_secret_of_a_directory_stays_and_is_its_owners() {
        use std::os::unix::fs::MetadataExt;
        let dir = tempfile::tempdir().expect("a directory");
        let first = Secret::open(dir.path()).expect("made");
        let again = Secret::open(dir.path()).expect("read");
        assert_eq!(first.0, again.0);
        let mode = fs::metadata(dir.path().join("secret"))
            .expect("there")
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(dir.path().join("secret"), "short").expect("written");
        assert!(Secret::open(dir.path()).is_err());
    }

    #[test]
    fn links_are_for_what_they_say() {
        let secret = Secret::random().expect("a secret");
        let other = Secret::random().expect("a secret");
        let key = Key::parse("a/b").expect("a key");
        let expires = seconds(NOW) + 10;
        let signature = secret.sign(Permit::Download, &key, expires);
        let verify = |permit, key: &str, expires, now| {
            let key = Key::parse(key).expect("a key");
            secret.verify(permit, &key, expires, &signature, now)
        };
        assert!(verify(Permit::Download, "a/b", expires, NOW));
        assert!(!verify(Permit::Upload, "a/b", expires, NOW));
        assert!(!verify(Permit::Download, "a/c", expires, NOW));
        assert!(!verify(Permit::Download, "a/b", expires + 1, NOW));
        assert!(!verify(
            Permit::Download,
            "a/b",
            expires,
            Time(NOW.0 + 11_000_000_000)
        ));
        assert!(!other.verify(Permit::Download, &key, expires, &signature, NOW));
        assert!(!secret.verify(Permit::Download, &key, expires, "no signature", NOW));
    }

    #[test]
    fn tokens_of_accounts_are_in_the_form_of_the_original() {
        let secret = Secret(Arc::new([7; BYTES]));
        let token = secret.token("blah", seconds(NOW) + 10);
        let bytes = BASE64.decode(&token).expect("base64");
        assert_eq!(bytes.len(), 4 + 4 + 32);
        assert_eq!(&bytes[4..8], b"blah");
        assert_eq!(token.len() % 4, 0, "padded");
        let account = |token: &str, now| secret.account(token, now).map(|(key, _)| key.to_string());
        assert_eq!(account(&token, NOW).as_deref(), Some("blah"));
        assert_eq!(
            account(token.trim_end_matches('='), NOW).as_deref(),
            Some("blah")
        );
        assert_eq!(account(&token, Time(NOW.0 + 11_000_000_000)), None);
        let mut wrong = bytes;
        wrong[5] ^= 1;
        for wrong in [BASE64.encode(wrong).as_str(), "", "c2hvcnQ=", "tw_x_y"] {
            assert_eq!(account(wrong, NOW), None);
        }
    }
}
