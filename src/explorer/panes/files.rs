//! Plain files that are explored: what their lines are taken for, and how far they are known.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use super::list::{Column, Pane, headed, shortened};
use crate::backend::FileStanding;
use crate::base::units::print_size;
use crate::entry::visible;
use crate::explorer::overlays::Listing;
use crate::explorer::regions::Regions;
use crate::explorer::state::{Answered, State};
use crate::explorer::theme::Theme;

const COLUMNS: [Column; 3] = [("FORMAT", 22), ("SIZE", 10), ("INDEXED", 13)];

pub(super) fn files(
    state: &State,
    theme: Theme,
    cursor: usize,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let rows: Vec<(usize, &FileStanding)> = state.members.files.iter().enumerate().collect();
    let title = match rows.len() {
        1 => "One file".to_owned(),
        count => format!("{count} files, merged by time"),
    };
    let pane = Pane {
        title: &title,
        keys: "enter takes the lines of a log for another format · esc closes",
        none: "there are none",
        name: "FILE",
        columns: &COLUMNS,
        reserved: 0,
    };
    let told = Answered::known();
    let Some(list) = pane.draw(state, theme, &told, &Listing::default(), None, buffer) else {
        return;
    };
    list.rows(&rows, cursor, theme, buffer, regions, |(_, file), width| {
        let path = visible(&file.path.display().to_string()).text.into_owned();
        let (name, style) = match &file.trouble {
            None => (shortened(path, width), Style::default()),
            Some(trouble) => {
                // What is wrong says more than where.
                let path = shortened(path, width / 3);
                let told = format!("✗ {path} · {}", visible(trouble).text);
                (headed(told, width), theme.failure())
            }
        };
        let told = vec![
            visible(&file.format).text.into_owned(),
            print_size(file.bytes),
            known(file),
        ];
        (name, style, told)
    });
}

/// How much of a file is known.
fn known(file: &FileStanding) -> String {
    if let Some((done, of)) = file.unpacked.filter(|(done, of)| done < of) {
        return format!("unpacked {}%", done * 100 / of.max(1));
    }
    let Some(indexed) = file.indexed else {
        return "–".to_owned();
    };
    match (indexed * 100).checked_div(file.bytes) {
        None | Some(100) => String::new(),
        Some(percent) => format!("{percent}%"),
    }
}
