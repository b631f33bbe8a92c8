//! `tailwater keys`

use std::io::Write;

use crate::cli::{Error, Verdict};
use crate::config::Settings;
use crate::explorer::{ACTIONS, Group, Keymap};

/// Prints the table that the README shows: made from the one list of actions.
pub(in crate::cli) fn run(settings: &Settings) -> Result<Verdict, Error> {
    let keymap = Keymap::with(&settings.keys).map_err(crate::explorer::Error::from)?;
    let mut out = std::io::stdout().lock();
    write!(out, "{}", table(&keymap)).map_err(Error::io("write the keys"))?;
    Ok(Verdict::Done)
}

fn table(keymap: &Keymap) -> String {
    let mut text = String::from("| Keys | Does | Name |\n|---|---|---|\n");
    for group in Group::ALL {
        text.push_str(&format!("| **{}** | | |\n", group.title()));
        for row in ACTIONS.iter().filter(|row| row.group == group) {
            let keys: Vec<_> = keymap
                .keys_of(row.action)
                .iter()
                .map(|key| format!("`{key}`"))
                .collect();
            text.push_str(&format!(
                "| {} | {} | `{}` |\n",
                keys.join(" "),
                row.title,
                row.name
            ));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_shows_the_keys() {
        let readme = include_str!("../../../README.md");
        assert!(
            readme.contains(&table(&Keymap::default())),
            "put the output of `tailwater keys` into the README"
        );
    }
}
