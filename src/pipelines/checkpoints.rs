//! Where reading goes on after a restart, on disk.
//!
//! One file a sink: `{"sources": {"<id of the source>": {"<key>": <place>}}, "sink": <note>}`, replaced by rename after
//! fsync. It is written only after what lies before its places is safe in the sink.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::record::Mark;

/// Places within one source, by key.
pub(super) type Places = BTreeMap<String, Value>;

/// The checkpoints of one sink.
#[derive(Debug)]
pub(super) struct Checkpoints {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    saved: Saved,
    is_changed: bool,
    /// When it was last written; none before the first time.
    written: Option<SystemTime>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Saved {
    #[serde(default)]
    sources: BTreeMap<String, Places>,
    /// What the sink wants to know again after a restart.
    #[serde(default)]
    sink: Value,
}

impl Checkpoints {
    /// Those of a file; none when there is no such file yet. A file that cannot be understood is put aside.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        let (mut saved, mut written) = (Saved::default(), None);
        match std::fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(read) => {
                    saved = read;
                    written = std::fs::metadata(&path)?.modified().ok();
                }
                Err(error) => {
                    let aside = path.with_extension("damaged");
                    tracing::error!(file = %path.display(), %error, "checkpoints cannot be read; reading begins anew");
                    std::fs::rename(&path, aside)?;
                }
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(Self {
            path,
            state: Mutex::new(State {
                saved,
                is_changed: false,
                written,
            }),
        })
    }

    /// The place of something in a file that is only looked at; none where it is not understood.
    pub fn peek(path: &Path, source: &str) -> Option<u64> {
        let saved: Saved = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        saved.sources.get(source)?.get("")?.as_u64()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The places of a source; none where it was never read.
    pub fn of(&self, source: &str) -> Option<Places> {
        self.state().saved.sources.get(source).cloned()
    }

    /// The place of something that has only one, by its number.
    pub fn place(&self, source: &str) -> Option<u64> {
        self.of(source)?.get("")?.as_u64()
    }

    /// When the checkpoints were last written, by an earlier life too.
    pub fn written(&self) -> Option<SystemTime> {
        self.state().written
    }

    /// What the sink left.
    pub fn note(&self) -> Value {
        self.state().saved.sink.clone()
    }

    /// What the sink leaves for the next time.
    pub fn leave(&self, note: Value) {
        let mut state = self.state();
        if state.saved.sink != note {
            state.saved.sink = note;
            state.is_changed = true;
        }
    }

    /// Remembers where reading of a source begins, before anything is read: what comes after is new in every life.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn begin(&self, source: &str, marks: Vec<Mark>) -> io::Result<()> {
        {
            let mut state = self.state();
            state.saved.sources.entry(source.to_owned()).or_default();
            state.is_changed = true;
        }
        self.reached(marks);
        self.save()
    }

    /// Everything before these places was delivered.
    pub fn reached(&self, marks: Vec<Mark>) {
        let mut state = self.state();
        for mark in marks {
            let places = state
                .saved
                .sources
                .entry(mark.source.to_string())
                .or_default();
            match mark.at {
                Some(at) => drop(places.insert(mark.key, at)),
                None => drop(places.remove(&mark.key)),
            }
            state.is_changed = true;
        }
    }

    /// Writes what was reached.
    ///
    /// # Errors
    /// The disk refuses; what was saved before stays.
    pub fn save(&self) -> io::Result<()> {
        let bytes = {
            let mut state = self.state();
            if !std::mem::take(&mut state.is_changed) {
                return Ok(());
            }
            serde_json::to_vec(&state.saved)?
        };
        let outcome = replace(&self.path, &bytes);
        let mut state = self.state();
        match &outcome {
            Ok(()) => state.written = Some(SystemTime::now()),
            Err(_) => state.is_changed = true,
        }
        outcome
    }
}

/// Replaces a file so that at any time the old or the new one is there, whole.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = File::create(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    let dir = path.parent().unwrap_or(Path::new("."));
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mark(key: &str, at: Option<u64>) -> Mark {
        Mark {
            source: "s".into(),
            key: key.to_owned(),
            at: at.map(Value::from),
        }
    }

    #[test]
    fn places_are_kept_and_damage_is_put_aside() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("c.json");
        let checkpoints = Checkpoints::open(path.clone()).expect("opened");
        assert_eq!((checkpoints.of("s"), checkpoints.written()), (None, None));
        checkpoints.reached(vec![
            mark("a", Some(1)),
            mark("b", Some(2)),
            mark("a", None),
        ]);
        checkpoints.leave(json!({"log": 7}));
        checkpoints.save().expect("saved");
        assert!(checkpoints.written().is_some());
        let again = Checkpoints::open(path.clone()).expect("opened");
        let places = Places::from([("b".to_owned(), json!(2))]);
        assert_eq!(
            (again.of("s"), again.note()),
            (Some(places), json!({"log": 7}))
        );
        std::fs::write(&path, "{").expect("written");
        let anew = Checkpoints::open(path.clone()).expect("opened");
        assert_eq!(anew.of("s"), None);
        assert!(path.with_extension("damaged").exists());
        // A disk that refuses leaves it to be tried again.
        anew.reached(vec![mark("a", Some(1))]);
        std::fs::remove_dir_all(dir.path()).expect("removed");
        assert!(anew.save().is_err() && anew.save().is_err());
    }
}
