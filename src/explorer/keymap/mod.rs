//! From keys to actions.

mod key;

use std::collections::BTreeMap;

pub(super) use key::parse_sequence;
pub use key::{Code, Key};

use super::action::{ACTIONS, Action};

/// Which keys do what. A sequence is several keys one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    bindings: Vec<(Vec<Key>, Action)>,
}

/// What a key came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolved {
    /// An action.
    Action(Action),
    /// The beginning of a longer sequence.
    Pending,
    /// Nothing.
    None,
}

/// Mistakes in the configured keys, all at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the section [keys] of the configuration: {}", .0.join("; "))]
pub struct KeymapError(pub Vec<String>);

impl Default for Keymap {
    fn default() -> Self {
        let rows = ACTIONS
            .iter()
            .flat_map(|row| row.keys.iter().map(|keys| (*keys, row.action)));
        Self {
            bindings: rows
                .filter_map(|(keys, action)| Some((parse_sequence(keys)?, action)))
                .collect(),
        }
    }
}

impl Keymap {
    /// The built-in keys with those of some actions replaced.
    ///
    /// # Errors
    /// Unknown actions, keys that are none, and keys that would do two things.
    pub fn with(overrides: &BTreeMap<String, Vec<String>>) -> Result<Self, KeymapError> {
        let mut keymap = Self::default();
        let mut mistakes = Vec::new();
        let mut bound = Vec::new();
        for (name, keys) in overrides {
            let Some(row) = ACTIONS.iter().find(|row| row.name == name) else {
                mistakes.push(format!(
                    "expected the name of an action (`tailwater keys` lists them), found {name:?}"
                ));
                continue;
            };
            keymap.bindings.retain(|(_, action)| *action != row.action);
            for text in keys {
                match parse_sequence(text) {
                    Some(sequence) => bound.push((sequence, row.action)),
                    None => mistakes.push(format!(
                        "{name}: expected keys such as \"j\", \"ctrl-d\" or \"g g\", found {text:?}"
                    )),
                }
            }
        }
        // A key that is given away leaves its built-in action.
        keymap
            .bindings
            .retain(|(keys, _)| !bound.iter().any(|(taken, _)| taken == keys));
        keymap.bindings.extend(bound);
        for (index, (keys, action)) in keymap.bindings.iter().enumerate() {
            for (others, other) in keymap.bindings.iter().skip(index + 1) {
                if action != other && (keys.starts_with(others) || others.starts_with(keys)) {
                    let (a, b) = (action.row().name, other.row().name);
                    mistakes.push(format!(
                        "{} would mean both {a} and {b}",
                        key::print_sequence(keys)
                    ));
                }
            }
        }
        if mistakes.is_empty() {
            Ok(keymap)
        } else {
            Err(KeymapError(mistakes))
        }
    }

    /// What the keys pressed so far mean.
    pub(super) fn resolve(&self, pressed: &[Key]) -> Resolved {
        let mut resolved = Resolved::None;
        for (keys, action) in &self.bindings {
            if keys == pressed {
                return Resolved::Action(*action);
            }
            if keys.starts_with(pressed) {
                resolved = Resolved::Pending;
            }
        }
        resolved
    }

    /// The keys of an action, as they are shown.
    #[must_use]
    pub fn key_of(&self, action: Action) -> String {
        self.keys_of(action).into_iter().next().unwrap_or_default()
    }

    /// The keys of an action, as they are written.
    pub fn keys_of(&self, action: Action) -> Vec<String> {
        self.bindings
            .iter()
            .filter(|(_, bound)| *bound == action)
            .map(|(keys, _)| key::print_sequence(keys))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_keys_are_complete_and_do_not_clash() {
        let keymap = Keymap::with(&BTreeMap::new()).expect("no clash");
        for row in ACTIONS {
            assert_eq!(
                keymap.keys_of(row.action).len(),
                row.keys.len(),
                "{}",
                row.name
            );
        }
    }

    #[test]
    fn keys_are_rebound_and_mistakes_are_told_together() {
        let section = |pairs: &[(&str, &[&str])]| -> BTreeMap<String, Vec<String>> {
            pairs
                .iter()
                .map(|(name, keys)| {
                    (
                        (*name).to_owned(),
                        keys.iter().map(|key| (*key).to_owned()).collect(),
                    )
                })
                .collect()
        };
        let keymap =
            Keymap::with(&section(&[("oldest", &["; ;"]), ("follow", &["j"])])).expect("a keymap");
        let key = |text: &str| parse_sequence(text).expect("a key");
        assert_eq!(keymap.resolve(&key(";")), Resolved::Pending);
        assert_eq!(
            keymap.resolve(&key("; ;")),
            Resolved::Action(Action::Oldest)
        );
        assert_eq!(keymap.resolve(&key("j")), Resolved::Action(Action::Follow));
        assert_eq!(keymap.resolve(&key("down")), Resolved::Action(Action::Down));
        assert_eq!(keymap.resolve(&key("g")), Resolved::None);
        let mistakes = Keymap::with(&section(&[
            ("fly", &["j"]),
            ("up", &["hyper-x"]),
            ("oldest", &[";"]),
            ("newest", &["; ;"]),
        ]));
        assert_eq!(mistakes.map_err(|error| error.0.len()), Err(3));
    }
}
