//! The help: every action with its keys, by group; made from the one list.

use crate::explorer::action::{ACTIONS, Group};
use crate::explorer::keymap::Keymap;

/// A line of the help: a heading, or keys and what they do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::explorer) enum HelpRow {
    Heading(&'static str),
    Keys(String, &'static str),
    Text(&'static str),
}

/// What the query language looks like, in a few lines.
const LANGUAGE: [&str; 8] = [
    "timeout \"two words\"     the text or the error contains them",
    "/time.?out/             a regular expression",
    "ns:payments level>=warn fields; all conditions must hold",
    "a OR b   -c   (…)       either, not, groups",
    "status:500,502 path:/v1/* several values, globs",
    "duration_ms>=250        numbers compare",
    "user.id:*               the field exists",
    "since:15m before:2026-03-14T09:00:00Z",
];

/// All lines.
pub(in crate::explorer) fn help_rows(keymap: &Keymap) -> Vec<HelpRow> {
    let mut rows = Vec::new();
    for group in Group::ALL {
        rows.push(HelpRow::Heading(group.title()));
        for row in ACTIONS.iter().filter(|row| row.group == group) {
            rows.push(HelpRow::Keys(
                keymap.keys_of(row.action).join(" "),
                row.title,
            ));
        }
    }
    rows.push(HelpRow::Heading("Query language"));
    rows.extend(LANGUAGE.map(HelpRow::Text));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_in_the_help() {
        let rows = help_rows(&Keymap::default());
        for row in ACTIONS {
            assert!(
                rows.contains(&HelpRow::Keys(row.keys.join(" "), row.title)),
                "{}",
                row.name
            );
        }
    }

    #[test]
    fn the_examples_are_queries() {
        for line in LANGUAGE.iter().filter(|line| !line.contains('…')) {
            let example = line.split("  ").next().unwrap_or_default();
            assert!(example.parse::<crate::query::Query>().is_ok(), "{example}");
        }
    }
}
