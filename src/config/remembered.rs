//! What the explorer remembers between two runs, in a file beside its own log: saved queries, and where one was.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::base::NewFile;
use crate::explorer::Memory;

/// The file of a state directory.
#[must_use]
pub fn place(state: &Path) -> PathBuf {
    state.join("explorer.toml")
}

/// What is remembered; nothing, if nothing was kept yet.
///
/// # Errors
/// The file cannot be read, or is not understood.
pub fn read(file: &Path) -> Result<Memory, String> {
    let wrong = |reason: &dyn std::fmt::Display| format!("{}: {reason}", file.display());
    match std::fs::read_to_string(file) {
        Ok(text) => toml::from_str(&text).map_err(|error| wrong(&error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Memory::default()),
        Err(error) => Err(wrong(&error)),
    }
}

/// Keeps what is remembered; places that another explorer kept meanwhile stay. A file that is not understood is left alone.
///
/// # Errors
/// The file is not understood, or cannot be written.
pub fn keep(file: &Path, memory: &Memory) -> Result<(), String> {
    let mut kept = read(file)?;
    for (name, place) in &memory.places {
        let is_newer = |old: &crate::explorer::Remembered| old.left < place.left;
        if kept.places.get(name).is_none_or(is_newer) {
            kept.remember(name.clone(), place.clone());
        }
    }
    kept.queries.clone_from(&memory.queries);
    let wrong = |reason: &dyn std::fmt::Display| format!("{}: {reason}", file.display());
    let text = toml::to_string(&kept).map_err(|error| wrong(&error))?;
    let written = || {
        if let Some(dir) = file.parent() {
            std::fs::create_dir_all(dir)?;
        }
        let mut new = NewFile::replacing(file)?;
        new.write_all(text.as_bytes())?;
        new.finish()
    };
    written().map_err(|error: std::io::Error| wrong(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explorer::Remembered;

    #[test]
    fn what_another_explorer_kept_stays() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = place(dir.path());
        assert_eq!(read(&file), Ok(Memory::default()));
        let memory = |name: &str, left: &str| {
            let mut memory = Memory::default();
            let left = left.to_owned();
            memory.remember(
                name.to_owned(),
                Remembered {
                    left,
                    ..Remembered::default()
                },
            );
            memory
        };
        keep(&file, &memory("a", "2026-03-14T09:00:00Z")).expect("kept");
        keep(&file, &memory("b", "2026-03-14T09:00:01Z")).expect("kept");
        keep(&file, &memory("a", "2026-03-14T08:00:00Z")).expect("kept");
        let kept = read(&file).expect("read");
        assert_eq!(kept.places["a"].left, "2026-03-14T09:00:00Z");
        assert_eq!(kept.places.len(), 2);
        std::fs::write(&file, "what = ").expect("written");
        assert!(keep(&file, &memory("c", "")).is_err());
        assert_eq!(std::fs::read_to_string(&file).expect("read"), "what = ");
    }
}
