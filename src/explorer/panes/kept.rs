//! Live streams and blobs: lists over the whole screen, narrowed by typing.

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use tui_input::Input;

use super::list::{Column, Pane, age, shortened};
use crate::api::StreamAnswer;
use crate::base::Time;
use crate::base::units::{print_size, short_count};
use crate::entry::decode::time::parse;
use crate::entry::visible;
use crate::explorer::overlays::Listing;
use crate::explorer::regions::Regions;
use crate::explorer::state::{Item, Kept, State};
use crate::explorer::theme::Theme;
use crate::explorer::widgets::per_second;

const STREAM_COLUMNS: [Column; 6] = [
    ("LINES", 7),
    ("SIZE", 9),
    ("RATE", 8),
    ("READERS", 8),
    ("AGE", 6),
    ("SILENT", 7),
];
const BLOB_COLUMNS: [Column; 3] = [("SIZE", 9), ("STORED", 17), ("TYPE", 24)];

/// Open streams.
pub(in crate::explorer) fn streams(
    state: &State,
    theme: Theme,
    listing: &Listing,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let told = &state.kept.streams;
    let rows = state.kept.streams(listing);
    let all = told.now.as_ref().map_or(0, |told| told.streams.len());
    let has_more = told.now.as_ref().is_some_and(|told| told.next.is_some());
    let count = match (rows.len() == all, has_more) {
        (true, false) => format!("{all} open"),
        (true, true) => format!("the first {all}"),
        (false, _) => format!("{} of {all}", rows.len()),
    };
    let title = format!("Streams · {count}");
    let none = "no stream is open: tailwater stream open KEY begins one";
    let pane = Pane {
        title: &title,
        keys: "enter tails · / narrows · esc closes",
        none: if all > 0 {
            "no name holds that: esc shows all"
        } else {
            none
        },
        name: "STREAM",
        columns: &STREAM_COLUMNS,
        reserved: 0,
    };
    let Some(list) = pane.draw(state, theme, told, listing, None, buffer) else {
        return;
    };
    list.rows(
        &rows,
        listing.cursor,
        theme,
        buffer,
        regions,
        |stream, width| {
            let name = visible(&stream.key).text.into_owned();
            (
                shortened(name, width),
                Style::new(),
                told_of(stream, state.now).to_vec(),
            )
        },
    );
}

fn told_of(stream: &StreamAnswer, now: Time) -> [String; 6] {
    let lines = (stream.last + 1).saturating_sub(stream.first);
    [
        short_count(lines),
        print_size(stream.bytes),
        per_second(stream.rate),
        stream.subscribers.to_string(),
        age(&stream.opened, now),
        age(&stream.written, now),
    ]
}

/// A level of the blobs.
pub(in crate::explorer) fn blobs(
    state: &State,
    theme: Theme,
    (listing, saving): (&Listing, Option<&Input>),
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let kept: &Kept = &state.kept;
    let rows = kept.items(listing);
    let place = if kept.prefix.is_empty() {
        "all".to_owned()
    } else {
        visible(&kept.prefix).text.into_owned()
    };
    let title = format!("Blobs · {place}");
    let is_narrowed = !listing.text.value().is_empty();
    let pane = Pane {
        title: &title,
        keys: "enter opens · s saves · backspace up · / narrows · esc closes",
        none: match (is_narrowed, kept.prefix.is_empty()) {
            (true, _) => "no name holds that: esc shows all",
            (false, true) => "there are no blobs: a stream that is closed becomes one",
            (false, false) => "there is nothing here: backspace goes up",
        },
        name: "NAME",
        columns: &BLOB_COLUMNS,
        reserved: 0,
    };
    let Some(list) = pane.draw(state, theme, &kept.blobs, listing, saving, buffer) else {
        return;
    };
    list.rows(
        &rows,
        listing.cursor,
        theme,
        buffer,
        regions,
        |item, width| {
            let name = visible(kept.within(item.key())).text.into_owned();
            match item {
                Item::Folder(_) => (
                    shortened(format!("{name}/"), width),
                    theme.key(),
                    Vec::new(),
                ),
                Item::Blob(blob) => {
                    let stored = parse(&blob.modified, state.now).unwrap_or_default();
                    let stored = state.zone.row_form(stored);
                    let kind = blob.content_type.as_deref().unwrap_or_default();
                    let columns = vec![
                        print_size(blob.size),
                        stored.get(..16).unwrap_or_default().to_owned(),
                        shortened(visible(kind).text.into_owned(), 23),
                    ];
                    (shortened(name, width), Style::new(), columns)
                }
            }
        },
    );
}
