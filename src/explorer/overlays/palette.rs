//! The palette: actions found by a few letters of what they do.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::explorer::action::{ACTIONS, Action};

/// The actions that match, best first; all for nothing typed.
pub(in crate::explorer) fn matching(typed: &str) -> Vec<Action> {
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart);
    let mut buffer = Vec::new();
    let mut scored: Vec<(u32, Action)> = ACTIONS
        .iter()
        .filter_map(|row| {
            let words = format!("{} {}", row.title, row.name.replace('_', " "));
            let score = pattern.score(Utf32Str::new(&words, &mut buffer), &mut matcher)?;
            Some((score, row.action))
        })
        .collect();
    // Stable: equal scores keep the order of the list.
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.into_iter().map(|(_, action)| action).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_found_by_a_few_letters() {
        assert_eq!(matching("").len(), ACTIONS.len());
        assert_eq!(matching("this trace").first(), Some(&Action::Trace));
        assert_eq!(matching("nxt err").first(), Some(&Action::NextError));
        assert!(matching("zzzz").is_empty());
    }
}
