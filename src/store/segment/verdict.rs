//! What a row group's summary, filters and tally say, without its columns.

use std::cell::RefCell;
use std::sync::Arc;

use bytes::Bytes;
use parquet::bloom_filter::Sbbf;

use super::{BLOOMED, Cached, Error, Group, Part, Segment, Tally, filter, schema};
use crate::query::words::Gram;
use crate::query::{Field, Filter, Matcher, Verdict};

impl Segment {
    /// How many entries of a row group can match: its summary is asked first, then its filters.
    pub fn verdict(&self, group: usize, matcher: &Matcher) -> Result<Verdict, Error> {
        let Some(known) = self.groups.get(group) else {
            return Ok(Verdict::None);
        };
        let verdict = matcher.verdict(&known.summary);
        if verdict != Verdict::Some {
            return Ok(verdict);
        }
        let filter = GroupFilter {
            segment: self,
            group,
            known,
            failure: RefCell::new(None),
        };
        let verdict = matcher.verdict_with(&known.summary, &filter);
        match filter.failure.into_inner() {
            // A damaged filter says nothing; a disk that refuses does.
            Some(error @ Error::Disk { .. }) => Err(error),
            _ => Ok(verdict),
        }
    }

    /// The counts of a row group.
    pub fn tally(&self, group: usize) -> Result<Arc<Tally>, Error> {
        let cached = self
            .cache
            .get_or_load((self.number, group, Part::Tally), || {
                let (at, length) = self
                    .groups
                    .get(group)
                    .map(|group| group.index.tally)
                    .unwrap_or_default();
                let bytes = self.file.read(at, length as usize)?;
                let tally = zstd::decode_all(&*bytes)
                    .ok()
                    .and_then(|json| serde_json::from_slice(&json).ok());
                tally
                    .map(|tally| Cached::Tally(Arc::new(tally)))
                    .ok_or_else(|| self.damaged(group, "counts"))
            })?;
        match cached {
            Cached::Tally(tally) => Ok(tally),
            _ => Err(self.damaged(group, "counts")),
        }
    }

    fn triples(&self, group: usize) -> Result<Bytes, Error> {
        let cached = self
            .cache
            .get_or_load((self.number, group, Part::Triples), || {
                let (at, length) = self
                    .groups
                    .get(group)
                    .map(|group| group.index.triples)
                    .unwrap_or_default();
                let bytes = zstd::decode_all(&*self.file.read(at, length as usize)?);
                bytes
                    .map(|bytes| Cached::Triples(bytes.into()))
                    .map_err(|_| self.damaged(group, "triples of words"))
            })?;
        match cached {
            Cached::Triples(triples) => Ok(triples),
            _ => Err(self.damaged(group, "triples of words")),
        }
    }

    fn words(&self, group: usize) -> Result<Arc<Sbbf>, Error> {
        let cached = self
            .cache
            .get_or_load((self.number, group, Part::Words), || {
                let (at, length) = self
                    .groups
                    .get(group)
                    .map(|group| group.index.words)
                    .unwrap_or_default();
                Ok(Cached::Bloom(Arc::new(Sbbf::new(
                    &self.file.read(at, length as usize)?,
                ))))
            })?;
        match cached {
            Cached::Bloom(words) => Ok(words),
            _ => Err(self.damaged(group, "a filter of words")),
        }
    }

    /// The Bloom filter of a column; `None` when there is none.
    fn bloom(&self, group: usize, column: usize) -> Result<Option<Arc<Sbbf>>, Error> {
        let chunk = self
            .metadata()?
            .metadata()
            .row_groups()
            .get(group)
            .and_then(|group| group.columns().get(column));
        let Some(chunk) = chunk.filter(|chunk| chunk.bloom_filter_offset().is_some()) else {
            return Ok(None);
        };
        let cached = self
            .cache
            .get_or_load((self.number, group, Part::Bloom(column)), || {
                let bloom = Sbbf::read_from_column_chunk(chunk, &self.file)
                    .map_err(|error| self.unreadable(group, error))?;
                bloom
                    .map(|bloom| Cached::Bloom(Arc::new(bloom)))
                    .ok_or_else(|| self.damaged(group, "a Bloom filter"))
            })?;
        match cached {
            Cached::Bloom(bloom) => Ok(Some(bloom)),
            _ => Ok(None),
        }
    }
}

/// The filters of a row group as the query asks them. What cannot be read is thought possible.
struct GroupFilter<'s> {
    segment: &'s Segment,
    group: usize,
    known: &'s Group,
    failure: RefCell<Option<Error>>,
}

impl GroupFilter<'_> {
    fn or_possible(&self, answer: Result<bool, Error>) -> bool {
        answer.unwrap_or_else(|error| {
            self.failure.replace(Some(error));
            true
        })
    }
}

impl Filter for GroupFilter<'_> {
    fn may_hold(&self, gram: &Gram) -> bool {
        self.or_possible(match gram {
            Gram::Triple(_) => self
                .segment
                .triples(self.group)
                .map(|triples| filter::in_triples(&triples, gram)),
            Gram::Word(_) => self
                .segment
                .words(self.group)
                .map(|words| filter::in_words(&words, gram)),
        })
    }

    fn may_equal(&self, field: &Field, value: &str) -> bool {
        let name = field.name();
        if !schema::OPTIONAL.contains(&name) {
            return true;
        }
        let Some(column) = self.segment.place_of(name) else {
            return false;
        };
        let bloomed = BLOOMED.iter().position(|at| schema::OPTIONAL[*at] == name);
        let folded = bloomed.and_then(|at| self.known.index.cases[at].fold(value));
        let Some(folded) = folded else {
            return true;
        };
        let bloom = self.segment.bloom(self.group, column);
        self.or_possible(bloom.map(|bloom| bloom.is_none_or(|bloom| bloom.check(folded.as_str()))))
    }

    fn may_have(&self, name: &str) -> bool {
        self.known
            .index
            .names
            .as_ref()
            .is_none_or(|names| names.iter().any(|other| other == name))
    }
}
