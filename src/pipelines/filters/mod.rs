//! What happens to entries between source and sink: a closed list, in the order it is configured.

mod fields;
mod matching;
mod rate;
mod redact;
mod sample;

use super::Error;
use super::figures::{Figures, Reason};
use super::options::FilterOptions;
use super::record::Record;
use super::status::PartStatus;
use crate::base::Time;
use crate::entry::Level;
use fields::{Namespace, Remove, Rename, Set};
use matching::Matching;
use rate::Rate;
use redact::Redact;
use sample::Sample;

/// Filters one after the other.
#[derive(Debug, Default)]
pub(super) struct Chain(Vec<(Filter, Figures)>);

#[derive(Debug)]
enum Filter {
    Include(Matching),
    Exclude(Matching),
    Level(Level),
    Sample(Sample),
    Rate(Rate),
    Redact(Redact),
    Set(Set),
    Rename(Rename),
    Remove(Remove),
    Namespace(Namespace),
}

impl Chain {
    /// The filters of a pipeline.
    ///
    /// # Errors
    /// A pattern, question or level is not understood; the error says which.
    pub fn new(options: &[FilterOptions], now: Time) -> Result<Self, Error> {
        let filters = options.iter().enumerate().map(|(at, options)| {
            let filter =
                Filter::new(options, now).map_err(|reason| Error::Filter { at, reason })?;
            let figures = Figures::new(format!("{}", at + 1), filter.kind());
            Ok((filter, figures))
        });
        filters.collect::<Result<_, _>>().map(Self)
    }

    /// Puts records through every filter.
    pub fn apply(&mut self, records: &mut Vec<Record>, now: Time) {
        for (filter, figures) in &mut self.0 {
            let before = records.len();
            figures.took(before);
            let reason = filter.apply(records, now);
            figures.dropped(reason, before.saturating_sub(records.len()) as u64);
            figures.gave(records.len());
        }
    }

    /// What filters have to tell although nothing comes: entries of their own.
    pub fn tell(&mut self, now: Time) -> Vec<Record> {
        let mut told = Vec::new();
        for (filter, _) in &mut self.0 {
            filter.apply(&mut told, now);
            if let Filter::Rate(rate) = filter {
                rate.tell(&mut told, now, true);
            }
        }
        told
    }

    /// Whether a filter has to be asked what it has to tell.
    pub fn tells(&self) -> bool {
        let mut filters = self.0.iter();
        filters.any(|(filter, _)| matches!(filter, Filter::Rate(_)))
    }

    /// The figures of each.
    pub fn status(&self) -> Vec<PartStatus> {
        self.0.iter().map(|(_, figures)| figures.status()).collect()
    }
}

impl Filter {
    fn new(options: &FilterOptions, now: Time) -> Result<Self, String> {
        Ok(match options {
            FilterOptions::Include(options) => Self::Include(Matching::new(options, now)?),
            FilterOptions::Exclude(options) => Self::Exclude(Matching::new(options, now)?),
            FilterOptions::Level(options) => Self::Level(
                options
                    .min
                    .parse()
                    .map_err(|error: crate::entry::UnknownLevel| error.to_string())?,
            ),
            FilterOptions::Sample(options) => Self::Sample(Sample::new(options)?),
            FilterOptions::Rate(options) => Self::Rate(Rate::new(options, now)?),
            FilterOptions::Redact(options) => Self::Redact(Redact::new(options)?),
            FilterOptions::Set(options) => Self::Set(Set::new(options)?),
            FilterOptions::Rename(options) => Self::Rename(Rename::new(options)),
            FilterOptions::Remove(options) => Self::Remove(Remove::new(options)),
            FilterOptions::Namespace(options) => Self::Namespace(Namespace::new(options)?),
        })
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Include(_) => "include",
            Self::Exclude(_) => "exclude",
            Self::Level(_) => "level",
            Self::Sample(_) => "sample",
            Self::Rate(_) => "rate",
            Self::Redact(_) => "redact",
            Self::Set(_) => "set",
            Self::Rename(_) => "rename",
            Self::Remove(_) => "remove",
            Self::Namespace(_) => "namespace",
        }
    }

    /// Drops and changes records; why some were dropped, if some were.
    fn apply(&mut self, records: &mut Vec<Record>, now: Time) -> Reason {
        match self {
            Self::Include(matching) => {
                records.retain(|record| matching.is_empty() || matching.matches(&record.entry));
            }
            Self::Exclude(matching) => records.retain(|record| !matching.matches(&record.entry)),
            Self::Level(least) => records.retain(|record| record.entry.level >= *least),
            Self::Sample(sample) => {
                records.retain(|record| sample.keeps(&record.entry));
                return Reason::Sampled;
            }
            Self::Rate(rate) => {
                records.retain(|record| rate.allows(&record.entry, now));
                rate.tell(records, now, false);
                return Reason::Rate;
            }
            Self::Redact(redact) => records.iter_mut().for_each(|record| redact.mask(record)),
            Self::Set(set) => records
                .iter_mut()
                .for_each(|record| set.apply(record.entry_mut())),
            Self::Rename(rename) => {
                for record in records {
                    rename.apply(record.entry_mut());
                }
            }
            Self::Remove(remove) => {
                for record in records {
                    remove.apply(record.entry_mut());
                }
            }
            Self::Namespace(namespace) => {
                for record in records {
                    namespace.apply(record.entry_mut());
                }
            }
        }
        Reason::Filtered
    }
}
