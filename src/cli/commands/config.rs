//! `tailwater config`

use std::io::Write;

use crate::cli::args::ConfigAction;
use crate::cli::{Error, Verdict};
use crate::config::Settings;

pub(in crate::cli) fn run(settings: &Settings, action: &ConfigAction) -> Result<Verdict, Error> {
    match action {
        ConfigAction::Show => {
            let from = match &settings.file {
                Some(path) => format!("# from {}, the environment and the flags", path.display()),
                None => {
                    "# no configuration file: defaults, the environment and the flags".to_owned()
                }
            };
            let token = if settings.token.is_some() {
                "# a token is set\n"
            } else {
                ""
            };
            let body = toml::to_string(settings)
                .map_err(|error| Error::Said(format!("cannot print the settings: {error}")))?;
            write!(std::io::stdout(), "{from}\n{token}{body}")
                .map_err(Error::io("write the settings"))?;
        }
        ConfigAction::Reference => {
            write!(std::io::stdout(), "{}", reference(EXAMPLE))
                .map_err(Error::io("write the reference"))?;
        }
    }
    Ok(Verdict::Done)
}

/// Every key with its default and what it is: the one description there is.
const EXAMPLE: &str = include_str!("../../../config.example.toml");

/// The example as tables: a section a table, what stands above a key beside it.
fn reference(example: &str) -> String {
    let (preface, keys) = example.split_once("\n\n").unwrap_or(("", example));
    let preface: Vec<&str> = preface
        .lines()
        .map(|line| line.trim_start_matches("# "))
        .collect();
    let mut text = format!("# Configuration\n\n{}\n", preface.join("\n"));
    text.push_str("\n| Key | Default | |\n|---|---|---|\n");
    let (mut about, mut is_new) = (Vec::new(), true);
    for line in keys.lines() {
        // A comment above several keys is said beside the first.
        if let Some(words) = line.strip_prefix("# ") {
            if std::mem::take(&mut is_new) {
                about.clear();
            }
            about.push(words);
            continue;
        }
        is_new = true;
        let (line, is_set) = match line.strip_prefix("#: ") {
            Some(line) => (line, false),
            None => (line, true),
        };
        if line.starts_with('[') {
            let about = std::mem::take(&mut about).join(" ");
            let about = if about.is_empty() {
                about
            } else {
                format!("{about}\n\n")
            };
            text.push_str(&format!(
                "\n## `{line}`\n\n{about}| Key | Default | |\n|---|---|---|\n"
            ));
        } else if let Some((key, value)) = line.split_once(" = ") {
            let about = std::mem::take(&mut about).join(" ").replace('|', "\\|");
            let value = if is_set {
                format!("`{value}`")
            } else {
                format!("none; such as `{value}`")
            };
            text.push_str(&format!("| `{key}` | {value} | {about} |\n"));
        }
    }
    text
}
