//! Several sources of different kinds at once: each opened as it would be alone, explored as one.

use std::path::Path;

use super::Error;
use super::directory::{is_address, is_log};
use super::open::Opened;
use crate::backend::{Backend, Member, Merged};
use crate::config::Settings;
use crate::logdir;

/// Whether sources are to be opened one by one: files belong together, everything else is a log of its own.
pub(super) fn are_several(sources: &[String]) -> bool {
    sources.len() > 1 && sources.iter().any(|source| is_whole(source))
}

/// Whether a source is a log of its own.
fn is_whole(source: &str) -> bool {
    let path = Path::new(source);
    is_address(source) || is_log(path) || logdir::is_log_directory(path)
}

impl Opened {
    /// Opens all; one that cannot be opened is said, and keeps nobody from the others.
    pub(super) async fn several(settings: &Settings, sources: &[String]) -> Result<Self, Error> {
        let (whole, files): (Vec<_>, Vec<_>) =
            sources.iter().cloned().partition(|source| is_whole(source));
        let mut groups: Vec<Vec<String>> = whole.into_iter().map(|source| vec![source]).collect();
        if !files.is_empty() {
            groups.push(files);
        }
        let (mut parts, mut notes, mut failure) = (Vec::new(), Vec::new(), None);
        for group in groups {
            match Box::pin(Self::from(settings, &group, None)).await {
                Ok(opened) => parts.push(opened),
                Err(error) => {
                    notes.push(format!(
                        "{} is not shown: {}",
                        group.join(" "),
                        error.explained()
                    ));
                    failure.get_or_insert(error);
                }
            }
        }
        if let (true, Some(failure)) = (parts.is_empty(), failure) {
            return Err(failure);
        }
        let members = parts.iter().map(|part| Member {
            name: part.name.clone(),
            backend: part.backend.clone(),
            skew: 0,
        });
        let merged = Merged::new(members.collect())?;
        notes.extend(parts.iter().flat_map(|part| part.notes.clone()));
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        let mut opened = Self::of(Backend::Merged(merged), names.join(" + "));
        opened.loading = parts.iter().find_map(|part| part.loading.clone());
        opened.notes = notes;
        opened.parts = parts;
        Ok(opened)
    }
}
