//! The section `[files]`: plain log files that are explored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::Zone;
use crate::files::{Format, FormatError, FormatOptions};

/// The section `[files]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FilesFile {
    /// What lines are taken for: auto, or the name of a format.
    pub format: String,
    /// The zone of times that name none: of the IANA database, an offset, or system.
    pub zone: String,
    /// Whether what is learned of a file is kept for the next time.
    pub index: bool,
    /// Formats besides the built-in ones, and before them, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub formats: BTreeMap<String, FormatOptions>,
}

impl Default for FilesFile {
    fn default() -> Self {
        Self {
            format: "auto".to_owned(),
            zone: "system".to_owned(),
            index: true,
            formats: BTreeMap::new(),
        }
    }
}

impl FilesFile {
    /// The formats that are described.
    ///
    /// # Errors
    /// One is not understood.
    pub fn described(&self) -> Result<Vec<Format>, FormatError> {
        let described = self.formats.iter();
        described
            .map(|(name, of)| Format::described(name, of))
            .collect()
    }

    /// The format that every line is taken for: one that is told, unless it is to be told by the lines.
    ///
    /// # Errors
    /// There is no such format.
    pub fn told(&self, own: &[Format], told: Option<&str>) -> Result<Option<Format>, String> {
        let name = told.unwrap_or(&self.format);
        if name == "auto" {
            return Ok(None);
        }
        Format::called(name, own).map(Some)
    }

    /// The zone of times that name none: one that is told; nothing where it is that of the host where the files lie.
    ///
    /// # Errors
    /// There is no such zone.
    pub fn zoned(&self, told: Option<&str>) -> Result<Option<Zone>, String> {
        let name = told.unwrap_or(&self.zone);
        (name != "system").then(|| Zone::named(name)).transpose()
    }
}
