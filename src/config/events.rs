//! The section `[events]`: how events are kept, what listeners may run, and which entries become events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::Span;
use crate::events::{Options, Program, Rule, RuleError, RuleOptions};

/// The section `[events]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventsFile {
    /// Events of the history.
    pub history: u64,
    /// How long they are kept.
    pub history_age: Span,
    /// What the action `command` may run, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub commands: BTreeMap<String, CommandFile>,
    /// Which entries of the log become events.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleFile>,
}

/// A section `[events.commands.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandFile {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// It is ended after so long.
    #[serde(default = "timeout")]
    pub timeout: Span,
}

/// A section `[[events.rules]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// What it is called.
    pub name: String,
    /// Which entries.
    pub query: String,
    /// The type of the events.
    #[serde(rename = "type")]
    pub kind: String,
    /// Their source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Whose events they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Events a minute at the most.
    #[serde(default = "per_minute")]
    pub per_minute: u32,
    /// Extensions by name, each the value of a field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions: BTreeMap<String, String>,
}

fn timeout() -> Span {
    Span(std::time::Duration::from_mins(1))
}

fn per_minute() -> u32 {
    60
}

impl Default for EventsFile {
    fn default() -> Self {
        let options = Options::default();
        Self {
            history: options.history,
            history_age: Span(options.history_age),
            commands: BTreeMap::new(),
            rules: Vec::new(),
        }
    }
}

impl EventsFile {
    /// What the room is told.
    ///
    /// # Errors
    /// A rule or a command could never be: its key, and why.
    pub fn options(&self) -> Result<Options, (String, String)> {
        let mut commands = BTreeMap::new();
        for (name, file) in &self.commands {
            if file.command.first().is_none_or(String::is_empty) {
                let key = format!("events.commands.{name}.command");
                return Err((key, "expected a program and its arguments".to_owned()));
            }
            let program = Program {
                command: file.command.clone(),
                timeout: file.timeout.0,
            };
            commands.insert(name.clone(), program);
        }
        let mut rules: Vec<Rule> = Vec::new();
        for (at, file) in self.rules.iter().enumerate() {
            let wrong = |error: RuleError| {
                let key = format!("events.rules.{at}.{}", error.key);
                (key, error.reason())
            };
            let rule = Rule::new(file.rule()).map_err(wrong)?;
            if rules.iter().any(|other| other.name == rule.name) {
                let reason = format!("expected a name of its own, found {:?} twice", rule.name);
                return Err((format!("events.rules.{at}.name"), reason));
            }
            rules.push(rule);
        }
        Ok(Options {
            history: self.history.max(1),
            history_age: self.history_age.0,
            commands,
            rules,
        })
    }
}

impl RuleFile {
    fn rule(&self) -> RuleOptions {
        RuleOptions {
            name: self.name.clone(),
            query: self.query.clone(),
            kind: self.kind.clone(),
            source: self.source.clone(),
            namespace: self.namespace.clone(),
            extensions: self.extensions.clone(),
            per_minute: self.per_minute,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_never_be_is_told_by_its_key() {
        let wrong = |text: &str| {
            let file: EventsFile = toml::from_str(text).expect("a section");
            file.options().map(|_| ()).expect_err(text)
        };
        let rule = "name = \"a\"\ntype = \"t\"\nquery = ";
        let (key, reason) = wrong(&format!("[[rules]]\n{rule}\"level>=\""));
        assert_eq!(key, "events.rules.0.query");
        assert!(reason.starts_with("expected a query"), "{reason}");
        let (key, _) = wrong(&format!("[[rules]]\n{rule}\"a\"\n[[rules]]\n{rule}\"b\""));
        assert_eq!(key, "events.rules.1.name");
        let (key, _) = wrong("[commands.x]\ncommand = []");
        assert_eq!(key, "events.commands.x.command");
    }
}
