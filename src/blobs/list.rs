//! What there is, in the order of names.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt};

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
    /// Whether what lies deeper than the next segment is given as folders.
    pub is_level: bool,
}

/// A page of what there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// In the order of their names.
    pub blobs: Vec<Blob>,
    /// Names that go on below: of a level only, in their order.
    pub folders: Vec<Key>,
    /// After what the next page begins, if there is one.
    pub next: Option<Key>,
}

impl Blobs {
    /// A page of what there is.
    ///
    /// # Errors
    /// The place does not answer.
    pub async fn list(&self, request: &ListRequest) -> Result<Listed, Error> {
        let (names, folders, next) = if request.is_level {
            self.level(request).await?
        } else {
            let (names, next) = self.names(request).await?;
            (names, Vec::new(), next)
        };
        let looks = names.into_iter().map(|key| async move {
            match self.head(&key).await {
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
            folders,
            next,
        })
    }

    /// A page of names, and after which the next begins.
    async fn names(&self, request: &ListRequest) -> Result<(Vec<Key>, Option<Key>), Error> {
        let place = &self.0.place;
        let mut below = place.below(&request.prefix, request.after.as_ref());
        let mut page = BTreeSet::new();
        let mut has_more = false;
        while let Some(stored) = below.try_next().await? {
            page.insert(stored.key);
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
        let next = page.last().filter(|_| has_more).cloned();
        Ok((page.into_iter().collect(), next))
    }

    /// A page of what lies directly below a prefix: values, folders, and after which the next page begins.
    async fn level(
        &self,
        request: &ListRequest,
    ) -> Result<(Vec<Key>, Vec<Key>, Option<Key>), Error> {
        let (folders, values) = self.0.place.level(&request.prefix).await?;
        // A name may be that of a value and of a folder: then it is one place in the page, and both.
        let mut names: BTreeMap<Key, (bool, bool)> = BTreeMap::new();
        for folder in folders {
            names.entry(folder).or_default().0 = true;
        }
        for value in values {
            names.entry(value).or_default().1 = true;
        }
        let is_after = |key: &Key| request.after.as_ref().is_none_or(|after| key > after);
        let mut rest = names.into_iter().filter(|(key, _)| is_after(key));
        let page: Vec<_> = rest.by_ref().take(request.limit).collect();
        let last = page.last().map(|(key, _)| key.clone());
        let next = last.filter(|_| rest.next().is_some());
        let folders = page.iter().filter(|(_, (is_folder, _))| *is_folder);
        let folders = folders.map(|(key, _)| key.clone()).collect();
        let values = page.into_iter().filter(|(_, (_, is_value))| *is_value);
        Ok((values.map(|(key, _)| key).collect(), folders, next))
    }
}
