//! `tailwater config show`

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
    }
    Ok(Verdict::Done)
}
