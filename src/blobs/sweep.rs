//! Dropping what is too old, or too much.

use futures_util::TryStreamExt;

use super::{Blobs, Error, Prefix};
use crate::base::Time;

impl Blobs {
    /// Drops what the retention does not keep, oldest first, and what was left of uploads; how many values that were.
    ///
    /// # Errors
    /// The place does not answer: some may be gone.
    pub async fn sweep(&self, now: Time) -> Result<u64, Error> {
        self.0.place.tidy().await;
        let retention = self.0.options.retention;
        if retention.age.is_none() && retention.bytes.is_none() {
            return Ok(0);
        }
        let mut stored = Vec::new();
        let mut all = self.0.place.below(&Prefix::default(), None);
        let (mut total, mut count) = (0, 0);
        while let Some(one) = all.try_next().await? {
            let is_old = retention
                .age
                .is_some_and(|age| one.modified < now.earlier(age));
            if is_old {
                self.delete(&one.key).await?;
                count += 1;
            } else {
                total += one.bytes;
                if retention.bytes.is_some() {
                    stored.push((one.modified, one.bytes, one.key));
                }
            }
        }
        stored.sort_unstable();
        let mut oldest = stored.into_iter();
        while let Some(most) = retention.bytes
            && total > most
            && let Some((_, bytes, key)) = oldest.next()
        {
            self.delete(&key).await?;
            total -= bytes;
            count += 1;
        }
        Ok(count)
    }
}
