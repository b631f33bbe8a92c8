//! Entries over time: bars above the log, severe ones at the bottom; what is in sight and where one is marked below.
//!
//! ```text
//!       ▂      ▁▁█▂
//! ▁▁▁▁▁▃█▁▁▁▁▁▁████▁▁▁▁▁▁
//!  · · ▁▂ ·   ·▃███ ·▲▔▔      what is severe by itself, where there are only warnings, where one is, what is in sight
//! 09:00  each 30s, 1.2k at most                       hidden: 14 E 203 W · X peeks  12:00
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::base::Time;
use crate::base::units::{print_duration, short_count};
use crate::entry::Level;
use crate::explorer::layout::LABEL_LINES;
use crate::explorer::regions::{Regions, Target};
use crate::explorer::row::Row;
use crate::explorer::state::{Focus, State, Timeline, classes};
use crate::explorer::theme::Theme;
use crate::explorer::widgets::{put, put_right};

/// Eighths of a cell, from below.
const BLOCKS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

pub(in crate::explorer) fn timeline(
    state: &State,
    theme: Theme,
    area: Rect,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    regions.add(area, Target::Pane(Focus::Timeline));
    let timeline = &state.timeline;
    let bars = Rect {
        height: area.height.saturating_sub(LABEL_LINES),
        ..area
    };
    let most = timeline.highest().max(1);
    for (bucket, levels) in timeline.counts.buckets.iter().enumerate() {
        regions.add(column(timeline, bucket, area), Target::Bucket(bucket));
        let bar = column(timeline, bucket, bars);
        draw_bar((levels, most), theme, bar, buffer);
    }
    marks(
        state,
        theme,
        Rect::new(area.x, bars.bottom(), area.width, 1),
        buffer,
    );
    labels(
        state,
        theme,
        Rect::new(area.x, bars.bottom() + 1, area.width, 1),
        buffer,
    );
}

/// The part of an area that is of a bucket: together they fill it.
fn column(timeline: &Timeline, bucket: usize, area: Rect) -> Rect {
    let count = timeline.len().max(1);
    let edge = |bucket: usize| {
        let cells = usize::from(area.width) * bucket / count;
        u16::try_from(cells).unwrap_or(area.width)
    };
    let (from, to) = (edge(bucket), edge(bucket + 1));
    Rect::new(area.x + from, area.y, to - from, area.height)
}

fn styles(theme: Theme) -> [Style; 3] {
    let of = |level| theme.level(level).remove_modifier(Modifier::BOLD);
    // What is usual stays in the background.
    [of(Level::Error), of(Level::Warn), theme.bar()]
}

/// Draws the bar of a bucket; a bar of the most entries fills the area.
fn draw_bar((levels, most): (&[u64; 6], u64), theme: Theme, area: Rect, buffer: &mut Buffer) {
    let full = u64::from(area.height) * 8;
    // Where each class ends, from below, in eighths; what there is of one is seen.
    let (mut ends, mut sum, mut end) = ([0; 3], 0, 0);
    for (at, count) in classes(levels).into_iter().enumerate() {
        sum += count;
        let scaled = (sum * full).div_ceil(most).min(full);
        end = if count > 0 {
            scaled.max(end + 1).min(full)
        } else {
            end
        };
        ends[at] = end;
    }
    for row in 0..area.height {
        let low = u64::from(row) * 8;
        let y = area.bottom() - 1 - row;
        let inside = ends.map(|end| end.saturating_sub(low).min(8));
        let (sign, style) = cell(inside, styles(theme));
        for x in area.x..area.right() {
            put(buffer, x, y, 1, sign, style);
        }
    }
}

/// A cell in which classes end at these eighths: two of them are told apart, by the colour of the sign and the one behind it.
fn cell(ends: [u64; 3], styles: [Style; 3]) -> (&'static str, Style) {
    let top = ends[2];
    let block = |eighths: u64| BLOCKS[usize::try_from(eighths).unwrap_or(8).min(8)];
    let first = ends.iter().position(|end| *end > 0);
    let Some(first) = first else {
        return (" ", Style::new());
    };
    let lower = ends[first];
    let upper = (first + 1..3).find(|at| ends[*at] > lower);
    match upper {
        // The upper one fills the cell to its top: it lies behind.
        Some(upper) if top == 8 => {
            let behind = styles[upper]
                .fg
                .map_or(styles[first], |color| styles[first].bg(color));
            if styles[upper].fg.is_some() {
                (block(lower), behind)
            } else {
                (block(8), styles[first])
            }
        }
        _ => (block(top), styles[first]),
    }
}

/// How much of a bucket is severe, whether there are warnings, which are in sight, and where one is.
fn marks(state: &State, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let timeline = &state.timeline;
    let is_focused = state.focus == Focus::Timeline;
    let rows = state.window.rows();
    let of = |row: Option<&Row>| row.map(|row| timeline.bucket(row.entry.time));
    let in_sight = of(rows.front()).zip(of(rows.back()));
    let here = if is_focused {
        Some(timeline.bucket(timeline.cursor))
    } else {
        of(state.selected())
    };
    let selected = timeline.selected().filter(|_| is_focused);
    let severe = timeline.counts.buckets.iter().map(|of| classes(of)[0]);
    let most = severe.max().unwrap_or(0).max(1);
    for (bucket, levels) in timeline.counts.buckets.iter().enumerate() {
        let [severe, warn, _] = classes(levels);
        let (sign, style) = match (severe, warn) {
            _ if Some(bucket) == here => ("▲", theme.title()),
            (1.., _) => {
                let eighths = (severe * 8).div_ceil(most);
                let sign = BLOCKS[usize::try_from(eighths).unwrap_or(8).min(8)];
                (sign, theme.level(Level::Error))
            }
            (0, 1..) => ("·", theme.level(Level::Warn)),
            _ => (" ", theme.dim()),
        };
        let is_seen = in_sight.is_some_and(|(first, last)| (first..=last).contains(&bucket));
        let style = if selected.as_ref().is_some_and(|span| span.contains(&bucket)) {
            style.add_modifier(Modifier::REVERSED)
        } else if is_seen {
            style.add_modifier(Modifier::UNDERLINED)
        } else {
            style
        };
        let own = column(timeline, bucket, area);
        for x in own.x..own.right() {
            put(buffer, x, area.y, 1, sign, style);
        }
    }
}

fn labels(state: &State, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let timeline = &state.timeline;
    if timeline.len() == 0 {
        let text = if state.requests.histogram.is_some() {
            " counting …"
        } else {
            " nothing to count"
        };
        put(buffer, area.x, area.y, area.width, text, theme.dim());
        return;
    }
    let zone = &state.zone;
    let day = |time: Time| zone.row_form(time).get(..10).map(str::to_owned);
    let (first, last) = timeline.times(&(0..timeline.len()));
    let with_day = day(first) != day(last);
    let label = |time: Time| {
        let form = zone.row_form(time);
        let from = if with_day { 5 } else { 11 };
        form.get(from..19).unwrap_or_default().to_owned()
    };
    let end = format!(" {} ", label(last));
    let right = put_right(buffer, area.x, area.right(), area.y, &end, theme.dim());
    let (text, style) = if state.focus == Focus::Timeline {
        (here(timeline, &label), theme.key())
    } else {
        let width = std::time::Duration::from_nanos(timeline.counts.width.unsigned_abs());
        let part = match (timeline.counts.partial, state.requests.histogram) {
            (true, Some(_)) => " · counting …",
            (true, None) => " · counted in part",
            (false, _) => "",
        };
        let text = format!(
            "each {}, {} at most{part}",
            print_duration(width),
            short_count(timeline.highest())
        );
        (text, theme.dim())
    };
    let x = put(
        buffer,
        area.x,
        area.y,
        right,
        &format!(" {}  ", label(first)),
        theme.dim(),
    );
    let x = put(buffer, x, area.y, right.saturating_sub(x), &text, style);
    if let Some(hidden) = hidden(state) {
        let room = right.saturating_sub(x + 2);
        put_right(
            buffer,
            x + 2,
            x + 2 + room,
            area.y,
            &hidden,
            theme.attention(),
        );
    }
}

/// What is under the cursor, or selected.
fn here(timeline: &Timeline, label: &impl Fn(Time) -> String) -> String {
    let at = timeline.bucket(timeline.cursor);
    let (buckets, what) = match timeline.selected() {
        Some(span) => (span, "enter zooms · D what differs"),
        None => (
            at..at + 1,
            "h l move · v selects · + - zoom · D what differs",
        ),
    };
    let (from, to) = timeline.times(&buckets);
    let mut sums = [0; 3];
    for levels in timeline
        .counts
        .buckets
        .iter()
        .take(buckets.end)
        .skip(buckets.start)
    {
        for (sum, count) in sums.iter_mut().zip(classes(levels)) {
            *sum += count;
        }
    }
    let total: u64 = sums.iter().sum();
    format!(
        "{}–{}  {} · {} E · {} W  {what}",
        label(from),
        label(to),
        short_count(total),
        short_count(sums[0]),
        short_count(sums[1])
    )
}

/// What the filters hide of what there is in the same time, the severe first.
pub(in crate::explorer) fn hidden(state: &State) -> Option<String> {
    let all = state
        .timeline
        .all
        .filter(|_| state.filters.lens.is_none())?;
    let shown = state.timeline.totals();
    let parts: Vec<String> = Level::ALL
        .iter()
        .rev()
        .filter_map(|level| {
            let at = *level as usize;
            let count = all[at].saturating_sub(shown[at]);
            (count > 0).then(|| format!("{} {}", short_count(count), &level.word()[..1]))
        })
        .collect();
    let peek = if state.size.0 < 100 { "X" } else { "X peeks" };
    (!parts.is_empty()).then(|| format!("hidden: {} · {peek} ", parts.join(" ")))
}
