//! All that the explorer knows between two messages. Changed by `update` alone.

mod answered;
mod arrange;
mod columns;
mod filters;
mod happening;
mod history;
mod insight;
mod kept;
mod live;
mod members;
mod moving;
mod prompt;
mod saved;
mod timeline;
mod waterfall;
mod window;

use std::collections::VecDeque;

pub(super) use answered::Answered;
pub(super) use arrange::Times;
pub(super) use columns::{Column, Shape};
pub(super) use filters::{Chip, Filters, Lens};
pub(super) use happening::{Happened, Happening, attribute};
pub(super) use history::{History, Place};
pub(super) use insight::Insight;
pub(super) use kept::{Item, Kept, Shown};
pub(super) use live::{Link, LiveState};
pub(super) use members::Members;
pub(super) use moving::{Kind, Moving};
pub(super) use prompt::{Completion, Prompt, PromptKind};
pub(super) use saved::{Saved, SavedQueries};
pub(super) use timeline::{Timeline, classes};
pub(super) use waterfall::Waterfall;
pub(super) use window::{Edge, MAX_ROWS, Window};

use super::case::Case;
use super::keymap::{Key as Pressed, Keymap};
use super::overlays::Overlay;
use super::pace::LinkUse;
use super::request::{At, Number};
use super::row::Row;
use crate::base::{Time, Zone};
use crate::entry::{Key, Position};
use crate::query::{Facets, Field, Matcher, NamespaceCount, Progress, Query};

/// Which pane the keys go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Focus {
    #[default]
    Log,
    Timeline,
    Sources,
    Filters,
    Values,
    Detail,
}

/// Everything.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says one thing of the screen; none depends on another"
)]
pub(super) struct State {
    pub now: Time,
    /// The zone in which times are shown, and the other one that they can be shown in.
    pub zone: Zone,
    pub other_zone: Zone,
    /// What the column of times shows.
    pub times: Times,
    /// Whether rows that say the same are shown as one.
    pub folds_runs: bool,
    /// Whether what is copied and exported has pseudonyms.
    pub disguises: bool,
    /// Whether effects that reach out are refused.
    pub is_read_only: bool,
    /// Where a selection of rows began.
    pub picking: Option<Key>,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// What is explored, as the user named it.
    pub name: String,
    /// Whether an entry of a request, asked for alone, says more.
    pub joins: bool,
    pub keymap: Keymap,
    /// Keys pressed of a sequence that is not complete.
    pub pressed: Vec<Pressed>,
    pub focus: Focus,
    pub overlays: Vec<Overlay>,
    pub prompt: Option<Prompt>,
    /// Earlier lines of each prompt, newest last.
    pub lines: Vec<(PromptKind, String)>,

    pub filters: Filters,
    /// The columns of the log between the time and the text.
    pub columns: Shape,
    pub window: Window,
    pub scroll: Scroll,
    pub search: Option<Search>,
    pub history: History,
    pub live: LiveState,
    pub requests: Requests,
    /// Where the load under way is to land, and on which line of the pane.
    pub landing: At,
    pub landing_line: usize,
    /// The time from which on a place to go to is looked for.
    pub heading: Option<Time>,
    /// A place that was gone to before its rows were there: files are still being read. Until a key is pressed it is sought.
    pub seeking: Option<Key>,
    /// The newest position when the window was read.
    pub head: Option<Position>,
    /// Whether the user moved since the last partial page.
    pub touched: bool,
    /// Which edge is being extended.
    pub extending_older: bool,
    pub progress: Option<Progress>,
    pub loading: Option<(u64, u64)>,

    pub namespaces: Vec<NamespaceCount>,
    /// The logs, where several are explored as one.
    pub members: Members,
    pub moving: Moving,
    pub kept: Kept,
    pub saved: SavedQueries,
    pub happening: Happening,
    pub timeline: Timeline,
    pub insight: Insight,
    /// What was marked.
    pub case: Case,
    /// Whose lines the window holds.
    pub shown: Shown,
    pub sources_open: bool,
    pub source_cursor: usize,
    pub chip_cursor: usize,
    pub values: Values,
    pub detail: Option<Detail>,
    /// Whether details lie beside the log, where there is room, and not below.
    pub is_detail_beside: bool,

    /// How the link to the terminal is, where it is slow.
    pub link: Option<LinkUse>,
    pub notice: Option<Notice>,
    /// Set by the first ctrl-c: the second leaves.
    pub leaving: bool,
    /// A wake-up is on its way.
    pub waking: bool,
}

/// Where the log pane stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scroll {
    /// The selected row of the window.
    pub selected: usize,
    /// The line of the pane on which the selected row begins: the anchor that splicing never moves.
    pub line: usize,
    /// Cells the text is moved to the left.
    pub sideways: usize,
    pub wrap: bool,
}

/// What is searched for.
#[derive(Debug)]
pub(super) struct Search {
    pub query: Query,
    pub matcher: Matcher,
    pub text: String,
}

/// Requests under way; `None` when nothing of the kind is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Requests {
    last: u64,
    pub load: Option<Number>,
    pub extend: Option<Number>,
    pub find: Option<Number>,
    pub facets: Option<Number>,
    pub complete: Option<Number>,
    pub follow: Option<Number>,
    pub histogram: Option<Number>,
    /// Patterns, differences or a trace: whichever was asked for last.
    pub insight: Option<Number>,
}

impl Requests {
    /// Whether nothing is under way; what arrives live never ends.
    pub fn is_answered(&self) -> bool {
        let waited = [
            self.load,
            self.extend,
            self.find,
            self.facets,
            self.complete,
            self.histogram,
            self.insight,
        ];
        waited.iter().all(Option::is_none)
    }

    /// The next number.
    pub fn next(&mut self) -> Number {
        self.last += 1;
        Number(self.last)
    }
}

/// The Values pane.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Values {
    /// Whose values are shown.
    pub field: Field,
    pub cursor: usize,
    pub facets: Facets,
}

impl Values {
    /// The value under the cursor.
    pub fn chosen(&self) -> Option<String> {
        let facet = self.facets.values.get(self.cursor)?;
        Some(facet.value.clone())
    }
}

impl Default for Values {
    fn default() -> Self {
        Self {
            field: Field::Namespace,
            cursor: 0,
            facets: Facets::default(),
        }
    }
}

/// The detail pane.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Detail {
    /// The line under the cursor.
    pub cursor: usize,
    /// Whether long texts are shown whole.
    pub unfolded: bool,
    /// The entry that was asked for because the window holds only its head.
    pub asked: Option<Position>,
    /// That entry, whole.
    pub whole: Option<Box<Row>>,
}

/// Something to be told, for a while.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Notice {
    pub text: String,
    pub failure: bool,
    pub since: Time,
    pub until: Time,
}

impl State {
    pub fn new(name: String, keymap: Keymap, size: (u16, u16), now: Time) -> Self {
        Self {
            now,
            zone: Zone::default(),
            other_zone: Zone::default(),
            times: Times::default(),
            folds_runs: true,
            disguises: false,
            is_read_only: false,
            picking: None,
            size,
            name,
            joins: false,
            keymap,
            pressed: Vec::new(),
            focus: Focus::Log,
            overlays: Vec::new(),
            prompt: None,
            lines: Vec::new(),
            filters: Filters::default(),
            columns: Shape::default(),
            window: Window::default(),
            scroll: Scroll::default(),
            search: None,
            history: History::default(),
            live: LiveState::default(),
            requests: Requests::default(),
            landing: At::Newest,
            landing_line: 0,
            heading: None,
            seeking: None,
            head: None,
            touched: false,
            extending_older: false,
            progress: None,
            loading: None,
            namespaces: Vec::new(),
            members: Members::default(),
            moving: Moving::default(),
            kept: Kept::default(),
            saved: SavedQueries::default(),
            happening: Happening::default(),
            timeline: Timeline::default(),
            insight: Insight::default(),
            case: Case::default(),
            shown: Shown::default(),
            // On a tall screen there is room for everything at once.
            sources_open: size.1 >= 50,
            source_cursor: 0,
            chip_cursor: 0,
            values: Values::default(),
            detail: None,
            is_detail_beside: false,
            link: None,
            notice: None,
            leaving: false,
            waking: false,
        }
    }

    /// The question that the window answers.
    pub fn query(&self) -> Query {
        self.filters.query()
    }

    /// The selected row.
    pub fn selected(&self) -> Option<&Row> {
        self.window.rows().get(self.scroll.selected)
    }

    /// The row the detail pane shows.
    pub fn detailed(&self) -> Option<&Row> {
        let selected = self.selected()?;
        let whole = self
            .detail
            .as_ref()
            .and_then(|detail| detail.whole.as_deref());
        Some(
            whole
                .filter(|whole| whole.key() == selected.key())
                .unwrap_or(selected),
        )
    }

    /// Everything in the log, by the last count.
    pub fn total(&self) -> u64 {
        self.namespaces.iter().map(NamespaceCount::total).sum()
    }

    /// The panes that are open, in the order of `tab`.
    pub fn panes(&self) -> VecDeque<Focus> {
        let mut panes = VecDeque::from([Focus::Log]);
        if self.detail.is_some() {
            panes.push_back(Focus::Detail);
        }
        if self.sources_open {
            panes.extend([Focus::Sources, Focus::Filters, Focus::Values]);
        }
        if super::layout::areas(self).timeline.is_some() {
            panes.push_back(Focus::Timeline);
        }
        panes
    }
}
