//! How the explorer begins, and what the command line and the memory make of a fresh state.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::case::Case;
use super::memory::{Memory, SavedQuery};
use super::state::{Chip, Notice, SavedQueries, Shape, State};
use super::theme::{Depth, Palette};
use crate::base::{Time, Zone};
use crate::query::{Expression, Field, Query};

/// How long it is said what was found damaged, and where one is.
const SAID: Duration = Duration::from_secs(15);

/// Writes down what is to be remembered.
type Keep = dyn Fn(&Memory) -> Result<(), String> + Send + Sync;

/// Keeps what is to be remembered, or says why it cannot.
#[derive(Clone)]
pub struct Keeper(pub Arc<Keep>);

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keeper")
    }
}

/// How the explorer begins.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a wish of its own, as the user says it"
)]
pub struct Options {
    /// What is explored, as the user named it.
    pub name: String,
    /// The first query, as typed.
    pub query: String,
    /// Only this namespace at first.
    pub namespace: Option<String>,
    /// How many colours; `None` asks the environment.
    pub colors: Option<Depth>,
    /// Which colours.
    pub palette: Palette,
    /// The zone beside UTC in which times can be shown.
    pub zone: Zone,
    /// Whether the mouse is asked for.
    pub mouse: bool,
    /// Whether nothing may be written and no other program started: for a screen that anybody can reach.
    pub is_read_only: bool,
    /// Whether to tell in lines, one after the other, what is on the screen: for screen readers.
    pub is_plain: bool,
    /// Keys that differ from the built-in ones.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Columns, from the left, where something else than the usual ones is wanted.
    pub columns: Vec<String>,
    /// Saved queries of the configuration.
    pub queries: BTreeMap<String, SavedQuery>,
    /// What was remembered: queries that were saved here, and where one was.
    pub memory: Memory,
    /// Whether to begin where one was.
    pub restores: bool,
    /// Keeps what is to be remembered; nothing is, without.
    pub keeper: Option<Keeper>,
    /// Where copies are also kept.
    pub state_dir: Option<PathBuf>,
    /// Where what happens is written, to be played again.
    pub record: Option<PathBuf>,
    /// Said at the start.
    pub notes: Vec<String>,
    /// Begin around this time, not at the end.
    pub at: Option<Time>,
    /// What was marked before; and what is explored, as it was named on the command line.
    pub case: Case,
}

impl Options {
    /// Puts the wishes into a fresh state; the time to begin at, if it is not the end.
    pub(super) fn prepare(&self, state: &mut State) -> Option<Time> {
        state.is_read_only = self.is_read_only;
        state.case = self.case.clone();
        state.other_zone = self.zone.clone();
        state.saved = SavedQueries::new(&self.queries, &self.memory.queries);
        if !self.columns.is_empty() {
            state.columns = Shape::read(&self.columns);
        }
        let mut at = self.at;
        let mut said = self.notes.first().map(|note| (note.clone(), true));
        let begins_anew = !self.query.is_empty() || self.namespace.is_some() || at.is_some();
        let was = self.memory.places.get(&state.case.place());
        if let Some(was) = was.filter(|_| self.restores && !begins_anew) {
            at = was.restore(state);
            if !state.filters.is_empty() || at.is_some() {
                let text = "where you were · G newest, C no filters";
                said = said.or(Some((text.to_owned(), false)));
            }
        }
        if let Some(namespace) = &self.namespace {
            let only = Expression::equals(Field::Namespace, namespace.as_str());
            state.filters.add(Chip::include(only));
        }
        if !self.query.is_empty() {
            state.filters.typed = self.query.parse().unwrap_or_else(|_| Query::default());
            self.query.clone_into(&mut state.filters.typed_text);
        }
        state.notice = said.map(|(text, failure)| Notice {
            text,
            failure,
            since: state.now,
            until: state.now.later(SAID),
        });
        at
    }
}
