//! How things stand: following, rate, place; or what is to be told.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::base::units::{grouped, short_count};
use crate::entry::visible;
use crate::explorer::action::Action;
use crate::explorer::regions::{Regions, Target};
use crate::explorer::state::{Edge, Link, Shown, State};
use crate::explorer::theme::Theme;
use crate::explorer::widgets::{put, put_right};

pub(in crate::explorer) fn status(
    state: &State,
    theme: Theme,
    area: Rect,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let (badge, style) = badge(state, theme);
    let mut x = put(
        buffer,
        area.x,
        area.y,
        area.width,
        &format!(" {badge} "),
        style,
    );
    regions.add(Rect::new(area.x, area.y, x - area.x, 1), Target::Status);
    if let Some(notice) = &state.notice {
        // A notice is worth more than the place: it takes the line.
        let style = if notice.failure {
            theme.failure()
        } else {
            theme.attention()
        };
        put(
            buffer,
            x + 1,
            area.y,
            area.right().saturating_sub(x + 1),
            &visible(&notice.text).text,
            style,
        );
        return;
    }
    if let Some((standing, reason)) = state.members.failing().next() {
        let more = state.members.failing().count() - 1;
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let (name, reason) = (visible(&standing.name).text, visible(reason).text);
        let text = format!("without {name}{more}: {reason} · % shows");
        let room = area.width / 2;
        x = put(buffer, x + 1, area.y, room, &text, theme.failure());
    }
    let right = place(state);
    let end = put_right(buffer, x, area.right(), area.y, &right, theme.dim());
    let room = |x: u16| end.saturating_sub(x + 1);
    if let Some(progress) = state.progress {
        let percent = (progress.scanned * 100)
            .checked_div(progress.total)
            .unwrap_or(0)
            .min(99);
        let text = format!(
            "searching {percent}% of {} · esc stops",
            short_count(progress.total)
        );
        x = put(buffer, x + 1, area.y, room(x + 1), &text, theme.attention());
    }
    if let Some((done, total)) = state.loading {
        let percent = (done * 100).checked_div(total).unwrap_or(0).min(99);
        let filled = usize::try_from(percent / 10).unwrap_or(0);
        let text = format!(
            "reading {}{} {percent}%",
            "█".repeat(filled),
            "░".repeat(10 - filled)
        );
        x = put(buffer, x + 1, area.y, room(x + 1), &text, theme.attention());
    }
    let mut say =
        |text: &str, style: Style| x = put(buffer, x + 1, area.y, room(x + 1), text, style);
    if let Some(link) = state.link {
        let kilobytes = link.bytes_per_second.div_ceil(1_000);
        let text = format!("link {} ms, {kilobytes} KB/s", link.round_trip_ms);
        say(&text, theme.dim());
        if let Some(apart) = link.thinned_ms {
            // The drawing is thinned, never the data.
            let text = format!("drawn every {}.{} s", apart / 1_000, apart % 1_000 / 100);
            say(&text, theme.attention());
        }
    }
    if state.live.is_busy() {
        say(&format!("{}/s", state.live.rate()), theme.dim());
    }
    if let Some((saved, watch)) = state.saved.fired().next() {
        let count = watch.count.unwrap_or(0);
        let text = format!("⚑ {}: {}", visible(&saved.name).text, grouped(count));
        say(&text, theme.failure());
    }
    if state.happening.unseen > 0 {
        let key = state.keymap.key_of(Action::Events);
        say(
            &format!("⚑ {} fired, {key} shows", state.happening.unseen),
            theme.attention(),
        );
    }
    if state.history.has_behind() {
        say("backspace goes back", theme.dim());
    }
}

/// How following stands; a word as well as a colour.
fn badge(state: &State, theme: Theme) -> (String, Style) {
    match &state.live.link {
        Link::Lost { reason, .. } => (
            format!("RECONNECTING · {}", visible(reason).text),
            theme.failure(),
        ),
        // Of a stream that was closed, or a blob, there is nothing to regret.
        Link::Ended if state.shown != Shown::Log => ("WHOLE".to_owned(), theme.good()),
        Link::Ended => ("ENDED".to_owned(), theme.failure()),
        _ if !state.live.following && state.live.arrived > 0 => (
            format!(
                "HELD · {} new below, G shows them",
                grouped(state.live.arrived)
            ),
            theme.attention(),
        ),
        _ if !state.live.following => ("HELD".to_owned(), theme.attention()),
        Link::Connecting if state.requests.load.is_some() => {
            ("LOADING".to_owned(), theme.attention())
        }
        Link::Connecting | Link::Live => ("LIVE".to_owned(), theme.good()),
    }
}

/// Where the selected row stands: its day, and how much of the log is in memory.
fn place(state: &State) -> String {
    let Some(row) = state.selected() else {
        return String::new();
    };
    let older = if state.window.older == Edge::End {
        "oldest"
    } else {
        "▲ older"
    };
    let newer = if state.window.newer == Edge::End {
        "newest"
    } else {
        "▼ newer"
    };
    let day = state.zone.row_form(row.entry.time);
    let ends = if state.size.0 >= 100 {
        format!("{older} · {newer}  ")
    } else {
        String::new()
    };
    format!(
        "{ends}{} of {}  {} {} ",
        state.scroll.selected + 1,
        state.window.len(),
        day.get(..10).unwrap_or_default(),
        state.zone.name(row.entry.time)
    )
}
