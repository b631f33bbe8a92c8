//! Secrets, masked wherever an entry carries text.

use std::borrow::Cow;

use regex::{NoExpand, Regex};
use serde_json::Value;

use crate::pipelines::options::RedactOptions;
use crate::pipelines::record::Record;

/// Built-in patterns by name.
const BUILTIN: [(&str, &str); 3] = [
    (
        "token",
        r#"(?x)
        \b eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*                          # JSON web tokens
        | \b (?:AKIA|ASIA)[A-Z0-9]{16}\b                            # AWS
        | \b (?:gh[pousr]|github_pat|glpat|xox[abprs]|sk|pk|rk)[_-][\w-]{16,}  # GitHub, GitLab, Slack, Stripe
        | (?i:\b bearer \s+) [\w.~+/-]{8,}=*
        | (?i:\b (?:password|passwd|secret|token|api[_-]?key|authorization) ["']? \s* [:=] \s* ["']?) [^\s"',;&]{4,}"#,
    ),
    (
        "email",
        r"(?i)\b[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}\b",
    ),
    ("card", r"\b\d(?:[ -]?\d){12,18}\b"),
];

#[derive(Debug)]
pub(super) struct Redact {
    patterns: Vec<(Regex, bool)>,
    mask: String,
}

impl Redact {
    pub fn new(options: &RedactOptions) -> Result<Self, String> {
        let mut patterns = Vec::new();
        for name in &options.builtin {
            let found = BUILTIN.iter().find(|(known, _)| known == name);
            let Some((name, pattern)) = found else {
                let names = BUILTIN.map(|(name, _)| name).join(", ");
                return Err(format!(
                    "expected built-in patterns of {names}, found {name:?}"
                ));
            };
            let pattern = Regex::new(pattern).map_err(|error| error.to_string())?;
            patterns.push((pattern, *name == "card"));
        }
        for (at, pattern) in options.patterns.iter().enumerate() {
            let pattern =
                Regex::new(pattern).map_err(|error| format!("pattern {}: {error}", at + 1))?;
            patterns.push((pattern, false));
        }
        if patterns.is_empty() {
            return Err("expected `builtin` or `patterns`, found neither".to_owned());
        }
        Ok(Self {
            patterns,
            mask: options.mask.clone(),
        })
    }

    /// Masks the text, the error, the line as it came, and every text within the fields.
    pub fn mask(&self, record: &mut Record) {
        if let Some(line) = &mut record.line
            && let Cow::Owned(masked) = self.masked(line)
        {
            *line = masked.into();
        }
        let entry = record.entry_mut();
        self.text(&mut entry.text);
        if let Some(error) = &mut entry.error {
            self.text(error);
        }
        for (_, value) in &mut entry.fields {
            self.value(value);
        }
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(members) => members.values_mut().for_each(|value| self.value(value)),
            // A card's number may be sent as a number.
            Value::Number(number) => {
                if let Cow::Owned(masked) = self.masked(&number.to_string()) {
                    *value = Value::String(masked);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn text(&self, text: &mut String) {
        if let Cow::Owned(masked) = self.masked(text) {
            *text = masked;
        }
    }

    fn masked<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut masked = Cow::Borrowed(text);
        for (pattern, is_card) in &self.patterns {
            let replaced = if *is_card {
                pattern.replace_all(&masked, |found: &regex::Captures<'_>| {
                    if is_card_number(&found[0]) {
                        self.mask.clone()
                    } else {
                        found[0].to_owned()
                    }
                })
            } else {
                pattern.replace_all(&masked, NoExpand(&self.mask))
            };
            if let Cow::Owned(replaced) = replaced {
                masked = Cow::Owned(replaced);
            }
        }
        masked
    }
}

/// Whether the digits have the check digit of card numbers (ISO/IEC 7812, Luhn): ids and times mostly have not.
fn is_card_number(text: &str) -> bool {
    let digits = text.chars().rev().filter_map(|digit| digit.to_digit(10));
    let sum: u32 = digits
        .enumerate()
        .map(|(at, digit)| match (at % 2, digit * 2) {
            (0, _) => digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    sum.is_multiple_of(10) && sum > 0
}
