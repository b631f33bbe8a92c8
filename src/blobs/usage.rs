//! How much accounts hold, where that is limited.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;

use super::{Blobs, Error, Key, Prefix};

/// Others may store into the same bucket: what they did is seen after so long.
const RECOUNT: Duration = Duration::from_mins(10);

/// Stored bytes by account.
#[derive(Debug, Default)]
pub(super) struct Usage(Mutex<HashMap<String, Counted>>);

#[derive(Debug)]
struct Counted {
    bytes: u64,
    at: Instant,
}

impl Usage {
    fn accounts(&self) -> MutexGuard<'_, HashMap<String, Counted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_counted(&self, account: &str) -> bool {
        self.accounts().contains_key(account)
    }

    pub fn taken(&self, account: &str, bytes: u64) {
        if let Some(counted) = self.accounts().get_mut(account) {
            counted.bytes = counted.bytes.saturating_add(bytes);
        }
    }

    pub fn freed(&self, account: &str, bytes: u64) {
        if let Some(counted) = self.accounts().get_mut(account) {
            counted.bytes = counted.bytes.saturating_sub(bytes);
        }
    }
}

impl Blobs {
    /// Bytes that an account may still store, where that is limited.
    pub(super) async fn room(&self, account: &str) -> Result<Option<u64>, Error> {
        let Some(quota) = self.0.options.quota else {
            return Ok(None);
        };
        let known = self.0.usage.accounts().get(account).and_then(|counted| {
            let is_fresh = counted.at.elapsed() < RECOUNT;
            is_fresh.then_some(counted.bytes)
        });
        let used = match known {
            Some(bytes) => bytes,
            None => self.count(account).await?,
        };
        if used >= quota {
            return Err(Error::Quota {
                account: account.to_owned(),
                quota,
            });
        }
        Ok(Some(quota - used))
    }

    async fn count(&self, account: &str) -> Result<u64, Error> {
        let prefix = Key::parse(account).map(Prefix::from).unwrap_or_default();
        let stored = self.0.place.below(&prefix, None);
        let add = |sum: u64, one: super::place::Stored| std::future::ready(Ok(sum + one.bytes));
        let bytes = stored.try_fold(0, add).await?;
        let at = Instant::now();
        let counted = Counted { bytes, at };
        self.0.usage.accounts().insert(account.to_owned(), counted);
        Ok(bytes)
    }
}
