//! Several logs explored as one: how it is with each, and how far its entries reach.

use crate::backend::{FileStanding, Standing, State as Answers, member_of};
use crate::base::Time;
use crate::entry::{Entry, Position};

/// What is known of each; nothing where there is one log alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::explorer) struct Members {
    pub standing: Vec<Standing>,
    /// The plain files among what is explored.
    pub files: Vec<FileStanding>,
    /// The time of the newest entry that was seen of each.
    newest: Vec<Option<Time>>,
}

impl Members {
    pub fn are_several(&self) -> bool {
        self.standing.len() > 1
    }

    /// Which of them an entry is of.
    pub fn of(&self, position: Position) -> Option<usize> {
        let member = member_of(position);
        (self.are_several() && member < self.standing.len()).then_some(member)
    }

    /// Notes that entries were seen.
    pub fn saw<'e>(&mut self, entries: impl IntoIterator<Item = &'e Entry>) {
        if !self.are_several() {
            return;
        }
        self.newest.resize(self.standing.len(), None);
        for entry in entries {
            if let Some(newest) = self.newest.get_mut(member_of(entry.position)) {
                *newest = (*newest).max(Some(entry.time));
            }
        }
    }

    pub fn newest(&self, member: usize) -> Option<Time> {
        self.newest.get(member).copied().flatten()
    }

    /// Whether nothing but plain files is explored.
    pub fn are_files(&self) -> bool {
        !self.files.is_empty() && !self.are_several()
    }

    /// What the lines of all plain files are taken for.
    pub fn formats(&self) -> Vec<&str> {
        let mut formats: Vec<&str> = self.files.iter().map(|file| file.format.as_str()).collect();
        formats.sort_unstable();
        formats.dedup();
        formats
    }

    /// Those that do not answer, and why.
    pub fn failing(&self) -> impl Iterator<Item = (&Standing, &str)> {
        self.standing
            .iter()
            .filter_map(|standing| match &standing.state {
                Answers::Ok => None,
                Answers::Failed { reason, .. } => Some((standing, reason.as_str())),
            })
    }
}
