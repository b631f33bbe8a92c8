//! Everything a user can do: the one list behind keys, palette, help, `tailwater keys` and the README's table.

/// What belongs together in the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Moving through the log.
    Move,
    /// Looking for something without hiding the rest.
    Search,
    /// Narrowing what is shown.
    Filter,
    /// Going somewhere else and back.
    Pivot,
    /// What is on the screen.
    Screen,
}

impl Group {
    /// Every group in the order of the help.
    pub const ALL: [Self; 5] = [
        Self::Move,
        Self::Search,
        Self::Filter,
        Self::Pivot,
        Self::Screen,
    ];

    /// Its heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::Search => "Search",
            Self::Filter => "Filter",
            Self::Pivot => "Pivot",
            Self::Screen => "Screen",
        }
    }
}

/// Something a user can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Down,
    Up,
    Left,
    Right,
    HalfPageDown,
    HalfPageUp,
    PageDown,
    PageUp,
    Oldest,
    Newest,
    Follow,
    BarBack,
    BarForward,
    BurstBack,
    BurstForward,
    JumpToTime,
    NextError,
    PreviousError,
    NextWarning,
    PreviousWarning,
    Search,
    NextMatch,
    PreviousMatch,
    Query,
    TextFilter,
    LevelTrace,
    LevelDebug,
    LevelInfo,
    LevelWarn,
    LevelError,
    LevelAll,
    Include,
    Exclude,
    ToggleFilter,
    InvertFilter,
    RemoveFilter,
    ToggleAllFilters,
    ClearFilters,
    Saved,
    Save,
    Trace,
    Waterfall,
    Instance,
    Namespace,
    Source,
    Moment,
    ContextMore,
    ContextLess,
    Back,
    Forward,
    Details,
    DetailsBeside,
    Close,
    Sources,
    Logs,
    Patterns,
    Differences,
    Quiet,
    Fields,
    Timeline,
    SelectSpan,
    Range,
    Pipelines,
    Streams,
    Blobs,
    Events,
    NextPane,
    PreviousPane,
    Wrap,
    Zone,
    Times,
    Runs,
    Column,
    Columns,
    Pager,
    Editor,
    Mark,
    Case,
    Export,
    CopyCommand,
    Copy,
    CopyJson,
    Disguise,
    Palette,
    Help,
    Redraw,
    Suspend,
    Cancel,
    Quit,
    QuitNow,
}

/// An action, its name in the configuration, its built-in keys, its group and what it does.
pub struct Row {
    /// The action.
    pub action: Action,
    /// Its name in `[keys]`.
    pub name: &'static str,
    /// Its built-in keys.
    pub keys: &'static [&'static str],
    /// Where it stands in the help.
    pub group: Group,
    /// What it does.
    pub title: &'static str,
}

const fn row(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    group: Group,
    title: &'static str,
) -> Row {
    Row {
        action,
        name,
        keys,
        group,
        title,
    }
}

/// The list.
#[rustfmt::skip]
pub const ACTIONS: &[Row] = &[
    row(Action::Down, "down", &["j", "down"], Group::Move, "down one row"),
    row(Action::Up, "up", &["k", "up"], Group::Move, "up one row"),
    row(Action::Left, "left", &["h", "left"], Group::Move, "scroll text left, previous field"),
    row(Action::Right, "right", &["l", "right"], Group::Move, "scroll text right, next field"),
    row(Action::HalfPageDown, "half_page_down", &["ctrl-d"], Group::Move, "down half a page"),
    row(Action::HalfPageUp, "half_page_up", &["ctrl-u"], Group::Move, "up half a page"),
    row(Action::PageDown, "page_down", &["pagedown", "ctrl-f"], Group::Move, "down a page"),
    row(Action::PageUp, "page_up", &["pageup", "ctrl-b", "b"], Group::Move, "up a page"),
    row(Action::Oldest, "oldest", &["g", "home"], Group::Move, "oldest entry of the whole query"),
    row(Action::Newest, "newest", &["G", "end"], Group::Move, "newest entry, and follow"),
    row(Action::Follow, "follow", &["F", "space"], Group::Move, "follow or hold"),
    row(Action::BarBack, "bar_back", &["["], Group::Move, "a bar of the timeline back"),
    row(Action::BarForward, "bar_forward", &["]"], Group::Move, "a bar of the timeline forward"),
    row(Action::BurstBack, "burst_back", &["{"], Group::Move, "the burst before"),
    row(Action::BurstForward, "burst_forward", &["}"], Group::Move, "the next burst"),
    row(Action::JumpToTime, "jump_to_time", &["@"], Group::Move, "go to a time: 12:03, -15m, +5s"),
    row(Action::NextError, "next_error", &["e"], Group::Move, "next error"),
    row(Action::PreviousError, "previous_error", &["E"], Group::Move, "previous error"),
    row(Action::NextWarning, "next_warning", &["w"], Group::Move, "next warning"),
    row(Action::PreviousWarning, "previous_warning", &["W"], Group::Move, "previous warning"),
    row(Action::Search, "search", &["/"], Group::Search, "search, hiding nothing"),
    row(Action::NextMatch, "next_match", &["n"], Group::Search, "next match"),
    row(Action::PreviousMatch, "previous_match", &["N"], Group::Search, "previous match"),
    row(Action::Query, "query", &["f"], Group::Filter, "edit the query"),
    row(Action::TextFilter, "text_filter", &["&"], Group::Filter, "only rows with this text, live"),
    row(Action::LevelTrace, "level_trace", &["1"], Group::Filter, "every level from trace"),
    row(Action::LevelDebug, "level_debug", &["2"], Group::Filter, "debug and above"),
    row(Action::LevelInfo, "level_info", &["3"], Group::Filter, "info and above"),
    row(Action::LevelWarn, "level_warn", &["4"], Group::Filter, "warnings and above"),
    row(Action::LevelError, "level_error", &["5"], Group::Filter, "errors and above"),
    row(Action::LevelAll, "level_all", &["0"], Group::Filter, "all levels"),
    row(Action::Include, "include", &["+", "="], Group::Filter, "only this value"),
    row(Action::Exclude, "exclude", &["-"], Group::Filter, "hide this value"),
    row(Action::ToggleFilter, "toggle_filter", &["x"], Group::Filter, "switch the filter off or on"),
    row(Action::InvertFilter, "invert_filter", &["!"], Group::Filter, "turn the filter around"),
    row(Action::RemoveFilter, "remove_filter", &["d", "delete"], Group::Filter, "remove the filter"),
    row(Action::ToggleAllFilters, "toggle_all_filters", &["X"], Group::Filter, "peek at what the filters hide"),
    row(Action::ClearFilters, "clear_filters", &["C"], Group::Filter, "remove all filters"),
    row(Action::Saved, "saved", &["K"], Group::Filter, "saved queries, and what is watched"),
    row(Action::Save, "save", &["A"], Group::Filter, "save the query; name > 5 in 1m watches it"),
    row(Action::Trace, "trace", &["t"], Group::Pivot, "this trace, in every namespace"),
    row(Action::Waterfall, "waterfall", &["T"], Group::Pivot, "this trace as a waterfall"),
    row(Action::Instance, "instance", &["i"], Group::Pivot, "this instance"),
    row(Action::Namespace, "namespace", &["s"], Group::Pivot, "this namespace"),
    row(Action::Source, "source", &["o"], Group::Pivot, "this source"),
    row(Action::Moment, "moment", &["a"], Group::Pivot, "5 seconds around, everywhere"),
    row(Action::ContextMore, "context_more", &["z"], Group::Pivot, "what surrounds this row; again: more"),
    row(Action::ContextLess, "context_less", &["Z"], Group::Pivot, "less of what surrounds it"),
    row(Action::Back, "back", &["ctrl-o", "backspace"], Group::Pivot, "back to the very row"),
    row(Action::Forward, "forward", &["alt-right"], Group::Pivot, "forward again"),
    row(Action::Details, "details", &["enter"], Group::Screen, "details of the row, or choose"),
    row(Action::DetailsBeside, "details_beside", &["\\"], Group::Screen, "details beside the log, or below"),
    row(Action::Close, "close", &["esc"], Group::Screen, "leave what is open, stop a scan"),
    row(Action::Sources, "sources", &["S"], Group::Screen, "sources, filters and values"),
    row(Action::Logs, "logs", &["%"], Group::Screen, "the logs that are read as one; correct a clock"),
    row(Action::Patterns, "patterns", &["p"], Group::Screen, "patterns: lines of one shape, what is new"),
    row(Action::Differences, "differences", &["D"], Group::Screen, "what is different in this span"),
    row(Action::Quiet, "quiet", &[","], Group::Screen, "what went quiet: beats that stopped"),
    row(Action::Fields, "fields", &["I"], Group::Screen, "fields, the useful first; enter: the values"),
    row(Action::Timeline, "timeline", &["H"], Group::Screen, "timeline: move in time, zoom"),
    row(Action::SelectSpan, "select_span", &["v"], Group::Screen, "select rows, or a span of the timeline"),
    row(Action::Range, "range", &["r"], Group::Screen, "only a range of time"),
    row(Action::Pipelines, "pipelines", &["P"], Group::Screen, "pipelines: rates, lag, drops"),
    row(Action::Streams, "streams", &["L"], Group::Screen, "live streams: enter tails one"),
    row(Action::Blobs, "blobs", &["B"], Group::Screen, "blobs: browse, view, save"),
    row(Action::Events, "events", &["V"], Group::Screen, "events, listeners, what fired"),
    row(Action::NextPane, "next_pane", &["tab"], Group::Screen, "next pane"),
    row(Action::PreviousPane, "previous_pane", &["shift-tab"], Group::Screen, "previous pane"),
    row(Action::Wrap, "wrap", &["ctrl-w"], Group::Screen, "wrap long rows"),
    row(Action::Zone, "zone", &["U"], Group::Screen, "times in UTC or in the local zone"),
    row(Action::Times, "times", &["."], Group::Screen, "times of day, since the row before, since this row"),
    row(Action::Runs, "runs", &["R"], Group::Screen, "rows that say the same as one, or each"),
    row(Action::Column, "column", &["c"], Group::Screen, "show or hide a field as a column"),
    row(Action::Columns, "columns", &["O"], Group::Screen, "columns: order, width, which"),
    row(Action::Pager, "pager", &["|"], Group::Screen, "the rows, or the details, in $PAGER"),
    row(Action::Editor, "editor", &["M"], Group::Screen, "the rows, or the details, in $EDITOR"),
    row(Action::Mark, "mark", &["m"], Group::Screen, "mark the row, with a note"),
    row(Action::Case, "case", &["'"], Group::Screen, "the case: marked rows, save them"),
    row(Action::Export, "export", &[">"], Group::Screen, "export all that matches: .ndjson, .csv"),
    row(Action::CopyCommand, "copy_command", &["u"], Group::Screen, "copy the command that shows this"),
    row(Action::Copy, "copy", &["y"], Group::Screen, "copy the row or the value"),
    row(Action::CopyJson, "copy_json", &["Y"], Group::Screen, "copy the entry as JSON"),
    row(Action::Disguise, "disguise", &["*"], Group::Screen, "copy and export with pseudonyms, or without"),
    row(Action::Palette, "palette", &[":", "ctrl-p"], Group::Screen, "find an action by name"),
    row(Action::Help, "help", &["?", "f1"], Group::Screen, "help"),
    row(Action::Redraw, "redraw", &["ctrl-l"], Group::Screen, "draw everything anew"),
    row(Action::Suspend, "suspend", &["ctrl-z"], Group::Screen, "suspend; fg returns"),
    row(Action::Cancel, "cancel", &["ctrl-c"], Group::Screen, "cancel; twice leaves"),
    row(Action::Quit, "quit", &["q"], Group::Screen, "leave the view, then the program"),
    row(Action::QuitNow, "quit_now", &["Q"], Group::Screen, "leave the program"),
];

impl Action {
    /// Its row in the list.
    ///
    /// # Panics
    /// Never: a test counts the rows.
    #[must_use]
    pub fn row(self) -> &'static Row {
        let found = ACTIONS.iter().find(|row| row.action == self);
        found.expect("every action has a row: a test counts them")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_one_row() {
        // The last variant's number is the count: a new variant without a row fails here.
        assert_eq!(ACTIONS.len(), Action::QuitNow as usize + 1);
        for (index, row) in ACTIONS.iter().enumerate() {
            assert_eq!(
                row.action as usize, index,
                "{} stands where its variant does",
                row.name
            );
            assert!(
                !row.keys.is_empty() && !row.title.is_empty(),
                "{}",
                row.name
            );
        }
    }
}
