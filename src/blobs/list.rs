//! What there is, in the order of names.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt};

use super::place::Stored;
use super::{Blob, Blobs, Error, Key, Prefix};

/// Values looked at together.
const LOOKS: usize = 16;

/// A page of names.
#[derive(Clone, Debug, Default)]
pub struct ListRequest {
    /// Names that begin with it.
    pub prefix: Prefix,
    /// Names after this one.
    pub after: Option<Key>,
    /// Names at the most.
    pub limit: usize,
}

/// A page of what there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// In the order of their names.
    pub blobs: Vec<Blob>,
    /// After what the next page begins, if there is one.
    pub next: Option<Key>,
}

impl Blobs {
    /// A page of what there is.
    ///
    /// # Errors
    /// The place does not answer.
    pub async fn list(&self, request: &ListRequest) -> Result<Listed, Error> {
        let (stored, next) = self.names(request).await?;
        let looks = stored.into_iter().map(|stored| async move {
            match self.head(&stored.key).await {
                // Damage of one value hides no other.
                Err(Error::Damaged { key, reason }) => {
                    tracing::warn!(%key, reason, "a blob is damaged");
                    Ok(None)
                }
                other => other,
            }
        });
        let looked = futures_util::stream::iter(looks).buffered(LOOKS);
        let blobs: Vec<Option<Blob>> = looked.try_collect().await?;
        Ok(Listed {
            blobs: blobs.into_iter().flatten().collect(),
            next,
        })
    }

    /// A page of names, and after which the next begins.
    async fn names(&self, request: &ListRequest) -> Result<(Vec<Stored>, Option<Key>), Error> {
        let place = &self.0.place;
        let mut below = place.below(&request.prefix, request.after.as_ref());
        let mut page = BTreeMap::new();
        let mut has_more = false;
        while let Some(stored) = below.try_next().await? {
            page.insert(stored.key.clone(), stored);
            if page.len() > request.limit {
                has_more = true;
                if place.is_sorted() {
                    page.pop_last();
                    break;
                }
                // Only the first names are remembered, however many there are.
                page.pop_last();
            }
        }
        let next = page.keys().next_back().filter(|_| has_more).cloned();
        Ok((page.into_values().collect(), next))
    }
}
