//! The configuration file, the environment and the flags, to one [`Settings`].
//!
//! Flags win over the environment, the environment over the file, the file over the defaults. Rooms have their own plain
//! option types; nobody else reads configuration.

mod file;
mod log;
mod serve;

use std::path::PathBuf;

use serde::Serialize;

pub use file::{Colors, Error, ExplorerFile, File, KeysFile};
pub use log::LogFile;
pub use serve::{Auth, LogFormat, ServeFile};

/// Everything that is decided before a command starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// The directory of the embedded log.
    pub data: PathBuf,
    /// Where the program's own log goes when the screen is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<PathBuf>,
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
    /// How the explorer looks.
    pub explorer: ExplorerFile,
    /// Keys that differ from the built-in ones.
    pub keys: KeysFile,
    /// The file that was read, if there is one.
    #[serde(skip)]
    pub file: Option<PathBuf>,
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
}

/// Puts file, environment and flags together.
///
/// # Errors
/// The file cannot be read, or says something that is not understood; or no place for data can be found.
pub fn load(overrides: Overrides) -> Result<Settings, Error> {
    let folders = directories::ProjectDirs::from("", "", "tailwater");
    let (file, path) = match overrides.config {
        Some(path) => (file::read(&path)?, Some(path)),
        None => match folders
            .as_ref()
            .map(|folders| folders.config_dir().join("config.toml"))
            .filter(|path| path.exists())
        {
            Some(path) => (file::read(&path)?, Some(path)),
            None => (File::default(), None),
        },
    };
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
    Ok(Settings {
        data: data.ok_or(Error::NoHome)?,
        state,
        log_level: overrides
            .log_level
            .or(file.log_level)
            .unwrap_or_else(|| "info".to_owned()),
        url: overrides.url.or(file.url),
        token: overrides.token.or(file.token),
        namespace: overrides.namespace.or(file.namespace),
        serve: file.serve,
        log: file.log,
        explorer: file.explorer,
        keys: file.keys,
        file: path,
    })
}

#[cfg(test)]
mod tests {
    use super::log::RetentionFile;
    use super::*;

    #[test]
    fn the_example_is_the_defaults_and_names_every_key() {
        let text = include_str!("../../config.example.toml");
        let uncommented: String = text
            .lines()
            .map(|line| line.strip_prefix("#: ").unwrap_or(line))
            .fold(String::new(), |text, line| text + line + "\n");
        let example: File = toml::from_str(&uncommented).expect("the example parses");
        let serve = &example.serve;
        assert!(serve.otlp_grpc.is_some() && serve.tls().is_ok_and(|tls| tls.is_some()));
        assert!(serve.tls_client_ca.is_some());
        assert!(serve.rate_per_address.is_some() && serve.rate_per_token.is_some());
        let plain = ServeFile {
            otlp_grpc: None,
            tls_cert: None,
            tls_key: None,
            tls_client_ca: None,
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
        assert_eq!(example.explorer, ExplorerFile::default());
        let everything = toml::to_string(&example).expect("printed");
        for key in ["data", "log_level", "url", "token", "namespace"] {
            assert!(
                everything.contains(&format!("{key} = ")),
                "{key} is missing from the example"
            );
        }
        let plain: File = toml::from_str(text).expect("the example parses as it stands");
        assert_eq!(plain, File::default());
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
