//! Events, listeners and firings: a list of each over the whole screen, and what is under the cursor in full.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use serde_json::{Value, json};

use super::list::{Column, Pane, age, headed, shortened};
use crate::api::{EventAnswer, FiringAnswer, ListenerAnswer};
use crate::entry::decode::time::parse;
use crate::entry::visible;
use crate::explorer::overlays::{EventsTab, Listing};
use crate::explorer::regions::Regions;
use crate::explorer::state::{Answered, Happened, State, attribute};
use crate::explorer::theme::Theme;
use crate::explorer::update::said;
use crate::explorer::widgets::put;

const EVENT_COLUMNS: [Column; 4] = [("TIME", 13), ("AGE", 6), ("NAMESPACE", 14), ("SOURCE", 24)];
const LISTENER_COLUMNS: [Column; 4] = [("FIRED", 7), ("NAMESPACE", 14), ("KIND", 12), ("DOES", 25)];
const FIRING_COLUMNS: [Column; 4] = [("TIME", 13), ("AGE", 6), ("NAMESPACE", 14), ("DID", 17)];

/// One of the lists.
pub(in crate::explorer) fn events(
    state: &State,
    theme: Theme,
    (tab, listing): (EventsTab, &Listing),
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let happening = &state.happening;
    let rows = happening.items(tab, listing);
    let is_narrowed = !listing.text.value().is_empty();
    let tabs = EventsTab::ALL.map(|one| {
        let name = one.title();
        if one == tab {
            format!("[{name}]")
        } else {
            name.to_owned()
        }
    });
    let title = tabs.join("  ");
    let none = match (is_narrowed, tab) {
        (true, _) => "nothing holds that: esc shows all",
        (_, EventsTab::History) => "no events yet: tailwater events send --type deploy.failed",
        (_, EventsTab::Listeners) => {
            "nothing waits: tailwater events listen --type a --type b --all --view"
        }
        (_, EventsTab::Firings) => "no listener has fired since the explorer was opened",
    };
    let pane = Pane {
        title: &title,
        keys: "tab next list · enter leads there · / narrows · esc closes",
        none,
        name: match tab {
            EventsTab::History => "TYPE",
            EventsTab::Listeners => "WAITS FOR",
            EventsTab::Firings => "FIRED WITH",
        },
        columns: match tab {
            EventsTab::History => &EVENT_COLUMNS,
            EventsTab::Listeners => &LISTENER_COLUMNS,
            EventsTab::Firings => &FIRING_COLUMNS,
        },
        reserved: if rows.is_empty() {
            0
        } else {
            buffer.area.height / 3
        },
    };
    let list = match tab {
        EventsTab::History => pane.draw(state, theme, &happening.history, listing, None, buffer),
        EventsTab::Listeners => {
            pane.draw(state, theme, &happening.listeners, listing, None, buffer)
        }
        EventsTab::Firings => {
            let told = Answered {
                now: Some(()),
                ..Answered::default()
            };
            pane.draw(state, theme, &told, listing, None, buffer)
        }
    };
    let Some(list) = list else { return };
    list.rows(
        &rows,
        listing.cursor,
        theme,
        buffer,
        regions,
        |row, width| {
            let (name, style, told) = match row {
                Happened::Event(event) => (kind_of(event), Style::new(), of_event(state, event)),
                Happened::Listener(listener) => of_listener(listener, theme),
                Happened::Firing(firing) => {
                    let told = of_firing(state, firing);
                    (said(firing), theme.attention(), told)
                }
            };
            let name = shortened(visible(&name).text.into_owned(), width);
            let told = told.iter().map(|text| visible(text).text.into_owned());
            (name, style, told.collect())
        },
    );
    if let Some(row) = rows.get(listing.cursor) {
        whole(*row, theme, list.below, buffer);
    }
}

fn kind_of(event: &EventAnswer) -> String {
    let (kind, subject) = (
        attribute(&event.event, "type"),
        attribute(&event.event, "subject"),
    );
    match subject {
        "" => kind.to_owned(),
        subject => format!("{kind} · {subject}"),
    }
}

fn clock(state: &State, text: &str) -> String {
    let time = parse(text, state.now).unwrap_or_default();
    let time = state.zone.row_form(time);
    time.get(11..23).unwrap_or_default().to_owned()
}

fn of_event(state: &State, event: &EventAnswer) -> Vec<String> {
    vec![
        clock(state, &event.received_at),
        age(&event.received_at, state.now),
        shortened(event.namespace.clone(), 13),
        shortened(attribute(&event.event, "source").to_owned(), 23),
    ]
}

/// What a listener waits for: what it holds is marked, so that what is missing is seen.
fn of_listener(listener: &ListenerAnswer, theme: Theme) -> (String, Style, Vec<String>) {
    let is_held = |kind: &String| {
        let mut held = listener.received_events_for_and_trigger.iter();
        held.any(|held| held.kind == *kind)
    };
    let types = listener.listening_for_event_types.iter().map(|kind| {
        let sign = if is_held(kind) { "✓ " } else { "" };
        format!("{sign}{kind}")
    });
    let join = if listener.trigger_type.ends_with("And") {
        " & "
    } else {
        " | "
    };
    let name = types.collect::<Vec<_>>().join(join);
    let style = if listener.received_events_for_and_trigger.is_empty() {
        Style::new()
    } else {
        theme.attention()
    };
    let does = listener
        .trigger_workflow
        .as_deref()
        .unwrap_or("wakes who waits");
    let told = vec![
        listener.fired.to_string(),
        shortened(listener.namespace.clone(), 13),
        listener.trigger_type.clone(),
        headed(does.to_owned(), 24),
    ];
    (name, style, told)
}

fn of_firing(state: &State, firing: &FiringAnswer) -> Vec<String> {
    let did = match &firing.action {
        Some(action) => json!(action)["type"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        None => "woke who waited".to_owned(),
    };
    vec![
        clock(state, &firing.at),
        age(&firing.at, state.now),
        shortened(firing.namespace.clone(), 13),
        did,
    ]
}

/// Cells of a name in what is shown in full.
const NAME: u16 = 16;

/// What is under the cursor in full: a line a member, what it says first; long ones wrap.
fn whole(row: Happened<'_>, theme: Theme, area: Rect, buffer: &mut Buffer) {
    if area.height < 2 || area.width < NAME * 2 {
        return;
    }
    let rule = "─".repeat(usize::from(area.width));
    put(
        buffer,
        area.x,
        area.y,
        area.width,
        &rule,
        theme.border(false),
    );
    let room = area.width - NAME - 2;
    let mut y = area.y + 1;
    for (name, value) in members(row) {
        let name = visible(&name).text.into_owned();
        put(
            buffer,
            area.x + 1,
            y.min(area.bottom() - 1),
            NAME - 1,
            &name,
            theme.dim(),
        );
        for line in chunks(&visible(&value).text, usize::from(room)) {
            if y >= area.bottom() {
                return;
            }
            put(buffer, area.x + 1 + NAME, y, room, line, Style::new());
            y += 1;
        }
        if y >= area.bottom() {
            return;
        }
    }
}

/// Parts of so many characters.
fn chunks(text: &str, most: usize) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((at, _)) = rest.char_indices().nth(most) {
        let (part, more) = rest.split_at(at);
        parts.push(part);
        rest = more;
    }
    parts.push(rest);
    parts
}

/// Names and values, the most telling first.
fn members(row: Happened<'_>) -> Vec<(String, String)> {
    let named = |name: &str, value: &Value| {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        (name.to_owned(), text)
    };
    match row {
        Happened::Event(event) => {
            let (data, rest): (Vec<_>, Vec<_>) = event
                .event
                .as_object()
                .into_iter()
                .flatten()
                .partition(|(name, _)| name.starts_with("data"));
            let all = data.into_iter().chain(rest);
            all.map(|(name, value)| named(name, value)).collect()
        }
        Happened::Listener(listener) => {
            let mut members = Vec::new();
            if !listener.still_waiting_for.is_empty() {
                let awaited = listener.still_waiting_for.join(", ");
                members.push(("waits still for".to_owned(), awaited));
            }
            for held in &listener.received_events_for_and_trigger {
                let of = format!("{} {} of {}", held.kind, held.id, held.source);
                members.push(("holds".to_owned(), of));
            }
            for filter in &listener.event_context_filters {
                let of = format!("{} {}", filter.kind, json!(filter.context));
                members.push(("only".to_owned(), of));
            }
            if let Some(target) = &listener.trigger_workflow {
                members.push(("does".to_owned(), target.clone()));
            }
            members.push(("since".to_owned(), listener.created_at.clone()));
            members.push(("id".to_owned(), listener.id.clone()));
            members
        }
        Happened::Firing(firing) => {
            let kind = |event: &Value| attribute(event, "type").to_owned();
            let events = firing.events.iter();
            events
                .map(|event| (kind(event), event.to_string()))
                .collect()
        }
    }
}
