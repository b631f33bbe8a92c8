//! `tailwater config`

use std::collections::BTreeMap;
use std::io::Write;

use super::serve::check_pipelines;
use crate::cli::args::ConfigAction;
use crate::cli::keeping::event_options;
use crate::cli::{Error, Verdict};
use crate::config::{Origin, Settings};

pub(in crate::cli) fn run(settings: &Settings, action: &ConfigAction) -> Result<Verdict, Error> {
    match action {
        ConfigAction::Show => {
            let text = shown(settings)?;
            write!(std::io::stdout(), "{text}").map_err(Error::io("write the settings"))?;
        }
        ConfigAction::Check => {
            check_pipelines(settings)?;
            check_files(settings)?;
            event_options(settings)?;
            let of = match &settings.file {
                Some(path) => path.display().to_string(),
                None => "no configuration file".to_owned(),
            };
            let count = settings.pipelines.len();
            let pipelines = if count == 1 { "pipeline" } else { "pipelines" };
            writeln!(std::io::stdout(), "{of}: understood, {count} {pipelines}")
                .map_err(Error::io("write the verdict"))?;
        }
        ConfigAction::Reference => {
            write!(std::io::stdout(), "{}", reference(EXAMPLE))
                .map_err(Error::io("write the reference"))?;
        }
    }
    Ok(Verdict::Done)
}

/// Formats that could be.
fn check_files(settings: &Settings) -> Result<(), Error> {
    let at = |key: &str, reason: String| Error::Said(format!("{}{reason}", settings.place(key)));
    let formats = settings.files.described();
    let formats = formats.map_err(|error| at("files.formats", error.to_string()))?;
    let told = settings.files.told(&formats, None);
    told.map_err(|reason| at("files.format", reason))?;
    let zone = settings.files.zoned(None);
    zone.map(|_| ()).map_err(|reason| at("files.zone", reason))
}

/// The settings as TOML, each key with where it comes from.
fn shown(settings: &Settings) -> Result<String, Error> {
    let from = match &settings.file {
        Some(path) => format!("# lines are those of {}\n", path.display()),
        None => "# no configuration file\n".to_owned(),
    };
    let token = if settings.token.is_some() {
        "# a token is set\n"
    } else {
        ""
    };
    let body = toml::to_string(settings)
        .map_err(|error| Error::Said(format!("cannot print the settings: {error}")))?;
    let mut text = from + token;
    let (mut section, mut counts) = (String::new(), BTreeMap::<String, usize>::new());
    for line in body.lines() {
        text.push_str(line);
        if let Some(list) = line
            .strip_prefix("[[")
            .and_then(|line| line.strip_suffix("]]"))
        {
            section = numbered(list, &mut counts);
        } else if let Some(table) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            section = inside(table, &counts);
        } else if let Some((key, _)) = line.split_once(" = ") {
            let path = if section.is_empty() {
                key.to_owned()
            } else {
                format!("{section}.{key}")
            };
            let origin = settings.origins.get(&path).unwrap_or(&Origin::Default);
            text.push_str(&format!("  # {origin}"));
        }
        text.push('\n');
    }
    Ok(text)
}

/// The next item of a list of tables: `pipelines.0.sinks.1` of `pipelines.sinks`.
fn numbered(list: &str, counts: &mut BTreeMap<String, usize>) -> String {
    let (outer, own) = list.rsplit_once('.').unwrap_or(("", list));
    let path = [inside(outer, counts), own.to_owned()];
    let path: Vec<&str> = path
        .iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    let path = path.join(".");
    // Lists within the item before are other lists.
    let below = format!("{list}.");
    counts.retain(|other, _| !other.starts_with(&below));
    let next = counts
        .entry(list.to_owned())
        .and_modify(|count| *count += 1)
        .or_insert(0);
    format!("{path}.{next}")
}

/// A table's path with the numbers of the items it is in.
fn inside(table: &str, counts: &BTreeMap<String, usize>) -> String {
    let (mut path, mut walked) = (String::new(), String::new());
    for part in table.split('.').filter(|part| !part.is_empty()) {
        if !walked.is_empty() {
            walked.push('.');
            path.push('.');
        }
        walked.push_str(part);
        path.push_str(part);
        if let Some(number) = counts.get(&walked) {
            path.push_str(&format!(".{number}"));
        }
    }
    path
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
