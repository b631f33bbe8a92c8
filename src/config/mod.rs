//! The configuration file, the environment and the flags, to one [`Settings`].
//!
//! Flags win over the environment, the environment over the file, the file over the defaults. Rooms have their own plain
//! option types; nobody else reads configuration.

mod events;
mod file;
mod files;
mod kept;
mod log;
mod pipelines;
pub mod remembered;
mod serve;
mod tree;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use toml::Spanned;
use toml::de::DeValue;

use crate::pipelines::options::PipelineOptions;
use tree::{Saying, Tree};

pub use events::EventsFile;
pub use file::{Colors, Error, ExplorerFile, File, KeysFile};
pub use files::FilesFile;
pub use kept::{BlobsFile, StreamsFile};
pub use log::LogFile;
pub use serve::{Auth, LogFormat, ServeFile};
pub use tree::{Mistake, Origin};

/// Everything that is decided before a command starts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Settings {
    /// The directory of the embedded log.
    pub data: PathBuf,
    /// Where the program's own log goes when the screen is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<PathBuf>,
    /// Where what can be made anew is kept: the indexes of log files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<PathBuf>,
    /// What of the program's own log is kept: error, warn, info, debug or trace.
    pub log_level: String,
    /// The service to talk to, where a command can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Sent to the service; never printed.
    #[serde(skip)]
    pub token: Option<String>,
    /// Only this namespace; new entries without one get it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// How the service is reached.
    pub serve: ServeFile,
    /// How the embedded log keeps what it accepted.
    pub log: LogFile,
    /// How live streams are kept.
    pub streams: StreamsFile,
    /// How blobs are kept.
    pub blobs: BlobsFile,
    /// How events are kept, and what comes of them.
    pub events: EventsFile,
    /// How the explorer looks.
    pub explorer: ExplorerFile,
    /// How plain log files are read.
    pub files: FilesFile,
    /// Keys that differ from the built-in ones.
    pub keys: KeysFile,
    /// What `serve` moves from where to where.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pipelines: Vec<PipelineOptions>,
    /// Where each value comes from, by its key; what is not there is a default.
    #[serde(skip)]
    pub origins: BTreeMap<String, Origin>,
    /// What was said beside the file: settings are read again with it.
    #[serde(skip)]
    pub overrides: Overrides,
    /// The file that was read, if there is one.
    #[serde(skip)]
    pub file: Option<PathBuf>,
}

impl Settings {
    /// Where a key was said, to be put before what is wrong with it.
    #[must_use]
    pub fn place(&self, key: &str) -> String {
        let origin = self.origins.get(key).unwrap_or(&Origin::Default);
        match (origin, &self.file) {
            (Origin::Default, _) => String::new(),
            (Origin::File(line, _), Some(path)) => format!("{}:{line}: {key}: ", path.display()),
            (origin, _) => format!("{origin}: {key}: "),
        }
    }
}

/// What the command line and the environment said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The configuration file; it must exist.
    pub config: Option<PathBuf>,
    /// See [`Settings`].
    pub data: Option<PathBuf>,
    /// See [`Settings`].
    pub log_level: Option<String>,
    /// See [`Settings`].
    pub url: Option<String>,
    /// See [`Settings`].
    pub token: Option<String>,
    /// See [`Settings`].
    pub namespace: Option<String>,
    /// `key=value`: any key, with those it stands in.
    pub set: Vec<String>,
}

/// Variables that are no keys, or that flags read.
const NO_KEYS: [&str; 4] = ["CONFIG", "DATA", "URL", "TOKEN"];

impl Overrides {
    /// What is said beside the file, the weakest first.
    fn sayings(&self) -> Result<Vec<Saying>, Mistake> {
        let mut sayings = Vec::new();
        for (name, value) in std::env::vars_os() {
            let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
                continue;
            };
            let key = name.strip_prefix("TAILWATER_");
            let Some(key) = key.filter(|key| !NO_KEYS.contains(key)) else {
                continue;
            };
            sayings.push(Saying {
                key: key.to_ascii_lowercase().replace("__", "."),
                value: value.to_owned(),
                origin: Origin::Variable(name.to_owned()),
            });
        }
        // Items of a list come in their order.
        sayings.sort_by(|a, b| a.key.cmp(&b.key));
        for text in &self.set {
            let Some((key, value)) = text.split_once('=') else {
                return Err(Mistake {
                    origin: Origin::Flag("--set".to_owned()),
                    key: String::new(),
                    reason: format!("expected key=value, found {text:?}"),
                });
            };
            sayings.push(Saying {
                key: key.trim().to_owned(),
                value: value.trim().to_owned(),
                origin: Origin::Flag(format!("--set {key}")),
            });
        }
        Ok(sayings)
    }

    /// Keys that have a flag of their own.
    fn flags(&self) -> Vec<(&'static str, &'static str)> {
        let said = [
            (self.data.is_some(), "data", "--data or TAILWATER_DATA"),
            (self.log_level.is_some(), "log_level", "--log-level"),
            (self.url.is_some(), "url", "--url or TAILWATER_URL"),
            (self.namespace.is_some(), "namespace", "--namespace"),
        ];
        let said = said.into_iter().filter(|(is_said, ..)| *is_said);
        said.map(|(_, key, flag)| (key, flag)).collect()
    }
}

/// Puts file, environment and flags together.
///
/// # Errors
/// The file cannot be read, or says something that is not understood; or no place for data can be found.
pub fn load(overrides: Overrides) -> Result<Settings, Error> {
    let folders = directories::ProjectDirs::from("", "", "tailwater");
    let usual = || {
        let folder = folders.as_ref()?.config_dir().join("config.toml");
        Some(folder).filter(|path| path.exists())
    };
    let path = overrides.config.clone().or_else(usual);
    let text = path.as_deref().map_or(Ok(String::new()), file::read)?;
    let invalid = |mistake: Mistake| Error::Invalid {
        path: path.clone(),
        source: Box::new(mistake),
    };
    let sayings = overrides.sayings().map_err(invalid)?;
    let mut tree = Tree::parse(&text).map_err(invalid)?;
    for saying in &sayings {
        tree.say(saying).map_err(invalid)?;
    }
    let pipelines = pipelines::read(&tree).map_err(invalid)?;
    let mut origins = tree.origins();
    for (key, flag) in overrides.flags() {
        origins.insert(key.to_owned(), Origin::Flag(flag.to_owned()));
    }
    let mut root = tree.root.clone();
    root.remove("pipelines");
    let file: File = tree
        .read("", Spanned::new(0..0, DeValue::Table(root)))
        .map_err(invalid)?;
    let said = overrides.clone();
    let data = overrides.data.or(file.data).or_else(|| {
        folders
            .as_ref()
            .map(|folders| folders.data_dir().to_owned())
    });
    let state = folders.as_ref().map(|folders| {
        folders
            .state_dir()
            .unwrap_or_else(|| folders.data_dir())
            .to_owned()
    });
    let cache = folders
        .as_ref()
        .map(|folders| folders.cache_dir().to_owned());
    Ok(Settings {
        data: data.ok_or(Error::NoHome)?,
        state,
        cache,
        log_level: overrides
            .log_level
            .or(file.log_level)
            .unwrap_or_else(|| "info".to_owned()),
        url: overrides.url.or(file.url),
        token: overrides.token.or(file.token),
        namespace: overrides.namespace.or(file.namespace),
        serve: file.serve,
        log: file.log,
        streams: file.streams,
        blobs: file.blobs,
        events: file.events,
        explorer: file.explorer,
        files: file.files,
        keys: file.keys,
        pipelines,
        origins,
        overrides: said,
        file: path,
    })
}

#[cfg(test)]
mod tests {
    use super::log::RetentionFile;
    use super::*;
    use crate::explorer::SavedQuery;

    #[test]
    fn the_example_is_the_defaults_and_names_every_key() {
        let text = include_str!("../../config.example.toml");
        let uncommented: String = text
            .lines()
            .map(|line| line.strip_prefix("#: ").unwrap_or(line))
            .fold(String::new(), |text, line| text + line + "\n");
        let (example, pipelines) = parsed(&uncommented);
        names_every_key_of_pipelines(&uncommented, &pipelines);
        let serve = &example.serve;
        assert!(serve.otlp_grpc.is_some() && serve.tls().is_ok_and(|tls| tls.is_some()));
        assert!(serve.tls_client_ca.is_some());
        assert!(serve.rate_per_address.is_some() && serve.rate_per_token.is_some());
        assert!(serve.rate.is_some());
        let plain = ServeFile {
            otlp_grpc: None,
            tls_cert: None,
            tls_key: None,
            tls_client_ca: None,
            rate: None,
            rate_per_address: None,
            rate_per_token: None,
            ..serve.clone()
        };
        assert_eq!(plain, ServeFile::default());
        let retention = &example.log.retention;
        assert!(retention.age.is_some() && retention.bytes.is_some());
        assert!(
            retention
                .namespaces
                .values()
                .all(|of| of.age.is_some() && of.bytes.is_some())
        );
        let log = LogFile {
            retention: RetentionFile::default(),
            ..example.log.clone()
        };
        assert_eq!(log, LogFile::default());
        let explorer = ExplorerFile {
            columns: BTreeMap::new(),
            queries: BTreeMap::new(),
            ..example.explorer.clone()
        };
        assert_eq!(explorer, ExplorerFile::default());
        assert!(!example.explorer.columns.is_empty());
        let is_whole = |of: &SavedQuery| of.more_than.is_some() && of.within.is_some();
        assert!(example.explorer.queries.values().any(is_whole));
        let files = FilesFile {
            formats: BTreeMap::new(),
            ..example.files.clone()
        };
        assert_eq!(files, FilesFile::default());
        let described = example.files.described().expect("formats that could be");
        assert_eq!(described.len(), 2, "one by a pattern, one by keys");
        let events = EventsFile {
            commands: BTreeMap::new(),
            rules: Vec::new(),
            ..example.events.clone()
        };
        assert_eq!(events, EventsFile::default());
        let rules = &example.events.rules;
        let is_whole = |rule: &events::RuleFile| {
            rule.source.is_some() && rule.namespace.is_some() && !rule.extensions.is_empty()
        };
        assert!(rules.iter().any(is_whole) && !example.events.commands.is_empty());
        example.events.options().expect("events that could be");
        let everything = toml::to_string(&example).expect("printed");
        for key in ["data", "log_level", "url", "token", "namespace"] {
            assert!(
                everything.contains(&format!("{key} = ")),
                "{key} is missing from the example"
            );
        }
        assert_eq!(parsed(text), (File::default(), Vec::new()));
    }

    fn parsed(text: &str) -> (File, Vec<PipelineOptions>) {
        let mut tree = Tree::parse(text).expect("TOML");
        let pipelines = pipelines::read(&tree).expect("pipelines");
        tree.root.remove("pipelines");
        let root = std::mem::take(&mut tree.root);
        let file = tree.read("", Spanned::new(0..0, DeValue::Table(root)));
        (file.expect("the example parses"), pipelines)
    }

    /// Every key that a part has is named at a part of its type, or at the first of its list, which tells what all have.
    fn names_every_key_of_pipelines(example: &str, pipelines: &[PipelineOptions]) {
        let example: toml::Table = example.parse().expect("TOML");
        let named = &example["pipelines"][0];
        crate::pipelines::Pipelines::check(pipelines).expect("pipelines that could be");
        let printed = toml::Value::try_from(&pipelines[0]).expect("printed");
        let keys = |part: &toml::Value| -> Vec<String> {
            part.as_table().expect("a table").keys().cloned().collect()
        };
        let mut kinds = 0;
        for list in ["sources", "filters", "sinks"] {
            let named = named[list].as_array().expect("a list");
            let everywhere: Vec<String> = named.iter().flat_map(keys).collect();
            let shared: Vec<&str> = match list {
                "sources" => [&pipelines::READING[..], &pipelines::PORT[..]].concat(),
                "sinks" => [&pipelines::DELIVERY[..], &pipelines::PORT[..]].concat(),
                // What an exclusion has is told at the inclusion.
                _ => vec!["patterns", "logic", "field"],
            };
            for key in &shared {
                let is_told = everywhere.iter().any(|one| one == key);
                let is_elsewhere = list == "sinks" && pipelines::PORT.contains(key);
                assert!(is_told || is_elsewhere, "{list}: {key} is missing");
            }
            for part in printed[list].as_array().expect("a list") {
                kinds += 1;
                let of_kind = named.iter().filter(|one| one["type"] == part["type"]);
                let of_kind: Vec<String> = of_kind.flat_map(keys).collect();
                for key in keys(part) {
                    let is_named = of_kind.contains(&key) || shared.contains(&key.as_str());
                    assert!(is_named, "{list} {}: {key} is missing", part["type"]);
                }
            }
        }
        assert_eq!(kinds, 9 + 10 + 7, "every type stands in the example");
    }

    #[test]
    fn flags_win_over_the_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("c.toml");
        std::fs::write(
            &path,
            "data = \"/a\"\nnamespace = \"n\"\n[serve]\nlisten = \"127.0.0.1:1\"\n",
        )
        .expect("written");
        let overrides = Overrides {
            config: Some(path),
            data: Some("/b".into()),
            ..Overrides::default()
        };
        let settings = load(overrides).expect("loaded");
        assert_eq!(settings.data, PathBuf::from("/b"));
        assert_eq!(settings.namespace.as_deref(), Some("n"));
        assert_eq!(settings.serve.listen.to_string(), "127.0.0.1:1");
    }

    #[test]
    fn mistakes_are_located() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("c.toml");
        for (text, part) in [
            ("colour = 1\n", "colour"),
            ("[explorer]\ncolors = \"loud\"\n", "loud"),
            ("[serve]\nlisten = 5\n", "line 2"),
            ("[log.retention]\nage = \"soon\"\n", "a duration such as"),
            ("[log]\ncompaction = \"many\"\n", "a size such as"),
        ] {
            std::fs::write(&path, text).expect("written");
            let error = load(Overrides {
                config: Some(path.clone()),
                ..Overrides::default()
            })
            .expect_err(text);
            let source = std::error::Error::source(&error)
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(source.contains(part), "{source}");
        }
        let missing = load(Overrides {
            config: Some(dir.path().join("none")),
            ..Overrides::default()
        });
        assert!(matches!(missing, Err(Error::Unreadable { .. })));
    }
}
