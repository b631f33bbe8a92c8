//! What leaves the explorer, on the clipboard or in a file: entries as lines of text or of JSON; with pseudonyms, if that is
//! wished, the same ones through the whole run.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::entry::json::to_line;
use crate::entry::{Entry, Pseudonyms};

/// What is shared.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shared {
    /// Words: a value, a command.
    Text(String),
    /// Entries, a line each.
    Lines(Vec<Arc<Entry>>),
    /// Entries as JSON, a line each.
    Json(Vec<Arc<Entry>>),
}

impl Shared {
    /// As it is handed on.
    pub fn print(&self, disguise: Option<&Disguise>) -> String {
        let told = |entry: &Arc<Entry>| match disguise {
            Some(disguise) => Arc::new(disguise.names().entry(entry)),
            None => Arc::clone(entry),
        };
        let joined = |entries: &[Arc<Entry>], line: fn(&Entry) -> String| {
            let lines: Vec<String> = entries.iter().map(|entry| line(&told(entry))).collect();
            lines.join("\n")
        };
        match self {
            Self::Text(text) => match disguise {
                Some(disguise) => disguise.names().text(text),
                None => text.clone(),
            },
            Self::Lines(entries) => joined(entries, line_of),
            Self::Json(entries) => joined(entries, to_line),
        }
    }
}

/// An entry as a line of text.
pub(super) fn line_of(entry: &Entry) -> String {
    let error = entry
        .error
        .as_ref()
        .map(|error| format!(" {error}"))
        .unwrap_or_default();
    let (time, level, namespace) = (entry.time, entry.level, &entry.scope.namespace);
    format!("{time} {level} {namespace} {}{error}", entry.text)
}

/// Who and what is secret, and what stands for it; the same for everything that is shared. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Disguise(Arc<Mutex<Pseudonyms>>);

impl Disguise {
    pub fn names(&self) -> MutexGuard<'_, Pseudonyms> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_pseudonym_stands_for_the_same_wherever_it_is_shared() {
        let entry = |text: &str| {
            Arc::new(Entry {
                text: text.into(),
                ..Entry::default()
            })
        };
        let entries = vec![
            entry("mail to ann@example.com"),
            entry("from bob@example.com to ann@example.com"),
        ];
        let disguise = Disguise::default();
        let lines = Shared::Lines(entries.clone()).print(Some(&disguise));
        assert!(
            lines.contains("mail to email-1") && lines.contains("from email-2 to email-1"),
            "{lines}"
        );
        let json = Shared::Json(entries.clone()).print(Some(&disguise));
        assert!(
            json.contains("email-2") && !json.contains("example.com"),
            "{json}"
        );
        assert_eq!(
            Shared::Text("bob@example.com".into()).print(Some(&disguise)),
            "email-2"
        );
        assert!(
            Shared::Lines(entries)
                .print(None)
                .contains("ann@example.com")
        );
    }
}
