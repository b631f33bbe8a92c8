//! Pipelines: a box for each, with its sources, filters and sinks beside each other; or one of them in detail.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::backend::{PartStatus, PipelineStatus};
use crate::base::units::{print_size, short_count};
use crate::entry::visible;
use crate::explorer::regions::{Regions, Target};
use crate::explorer::state::{Kind, Moving, State};
use crate::explorer::theme::Theme;
use crate::explorer::widgets::{below_title, frame, per_second, put, put_right};

/// Lines of a part: what it is, how it moves.
const PART_LINES: u16 = 2;

/// All of them, the one under the cursor in sight.
pub(in crate::explorer) fn pipelines(
    state: &State,
    theme: Theme,
    (cursor, is_open): (usize, bool),
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let screen = buffer.area;
    let area = below_title(screen);
    regions.add(screen, Target::Pane(state.focus));
    let moving = &state.moving;
    let all = moving.pipelines();
    let title = match all.get(cursor).filter(|_| is_open) {
        Some(one) => format!("Pipeline {} · esc back · j k next", one.name),
        None => "Pipelines · j k move · enter details · esc closes".to_owned(),
    };
    let inner = frame(buffer, area, &title, true, theme);
    let line = |buffer: &mut Buffer, text: &str, style: Style| {
        put(buffer, inner.x + 1, inner.y, inner.width - 2, text, style);
    };
    if let Some(reason) = &moving.answered.failed {
        let text = format!("cannot be asked: {}", visible(reason).text);
        put(
            buffer,
            inner.x + 1,
            inner.bottom() - 1,
            inner.width - 2,
            &text,
            theme.failure(),
        );
    }
    if moving.answered.is_nowhere {
        let text = "pipelines run in a service: tailwater serve, then tailwater URL";
        return line(buffer, text, theme.dim());
    }
    if moving.answered.now.is_none() {
        return line(buffer, "asking …", theme.dim());
    }
    if all.is_empty() {
        let text = "the service has no pipelines: [[pipelines]] in its configuration makes them";
        return line(buffer, text, theme.dim());
    }
    match all.get(cursor).filter(|_| is_open) {
        Some(one) => detail(moving, one, theme, inner, buffer),
        None => list(moving, cursor, theme, inner, buffer, regions),
    }
}

fn height_of(pipeline: &PipelineStatus) -> u16 {
    let parts = Kind::ALL.map(|kind| kind.parts(pipeline).len());
    let most = parts.into_iter().max().unwrap_or(1).max(1);
    u16::try_from(most).unwrap_or(20).min(20) * PART_LINES + 2
}

fn list(
    moving: &Moving,
    cursor: usize,
    theme: Theme,
    inner: Rect,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let all = moving.pipelines();
    // So many before the one under the cursor as have room with it.
    let mut first = cursor.min(all.len().saturating_sub(1));
    let mut used = all.get(first).map_or(0, height_of);
    while first > 0 && used + height_of(&all[first - 1]) <= inner.height {
        first -= 1;
        used += height_of(&all[first]);
    }
    let mut y = inner.y;
    for (at, pipeline) in all.iter().enumerate().skip(first) {
        let height = height_of(pipeline).min(inner.bottom().saturating_sub(y));
        if height < PART_LINES + 2 {
            break;
        }
        let area = Rect::new(inner.x, y, inner.width, height);
        regions.add(area, Target::Item(at));
        one(moving, pipeline, at == cursor, theme, area, buffer);
        y += height;
    }
}

/// A pipeline as a box: sources, filters and sinks beside each other.
fn one(
    moving: &Moving,
    pipeline: &PipelineStatus,
    is_chosen: bool,
    theme: Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let inner = frame(buffer, area, &pipeline.name, is_chosen, theme);
    let (word, style) = health(moving, pipeline, theme);
    put_right(
        buffer,
        area.x + 1,
        area.right() - 2,
        area.y,
        &format!(" {word} "),
        style,
    );
    // Filters say the least.
    let fifth = inner.width / 5;
    let columns = [
        (0, fifth * 2),
        (fifth * 2, fifth),
        (fifth * 3, inner.width - fifth * 3),
    ];
    for (kind, (left, width)) in Kind::ALL.into_iter().zip(columns) {
        let (x, width) = (inner.x + 1 + left, width.saturating_sub(3));
        let parts = kind.parts(pipeline);
        if parts.is_empty() {
            put(buffer, x, inner.y, width, "all passes", theme.dim());
        }
        let room = usize::from(inner.height / PART_LINES);
        for (y, part) in (inner.y..)
            .step_by(usize::from(PART_LINES))
            .zip(parts.iter().take(room))
        {
            put(buffer, x, y, width, &name(part), theme.key());
            let (text, style) = movement(moving, pipeline, kind, part, theme);
            put(buffer, x, y + 1, width, &text, style);
        }
        if kind != Kind::Sink {
            put(buffer, x + width, inner.y, 1, "→", theme.dim());
        }
    }
}

/// Whether all is well, in a word or two.
fn health(moving: &Moving, pipeline: &PipelineStatus, theme: Theme) -> (String, Style) {
    let troubles = pipeline.troubles().count();
    let behind = pipeline.sources.iter().map(|part| part.lag_seconds);
    let behind = behind.fold(0.0, f64::max);
    let lost = pipeline.lost();
    if troubles > 0 {
        return (format!("✗ {troubles} failing"), theme.failure());
    }
    if behind >= 5.0 {
        return (format!("{} behind", seconds(behind)), theme.attention());
    }
    let is_dropping = |kind: Kind| {
        let parts = kind.parts(pipeline).iter();
        parts
            .filter_map(|part| moving.drops(pipeline, kind, part))
            .sum::<f64>()
            > 0.0
    };
    if is_dropping(Kind::Source) || is_dropping(Kind::Sink) {
        return ("losing entries".to_owned(), theme.failure());
    }
    if lost > 0 {
        return (format!("lost {}", short_count(lost)), theme.attention());
    }
    ("✓ well".to_owned(), theme.good())
}

fn name(part: &PartStatus) -> String {
    let place = part.id.strip_prefix(&part.kind).unwrap_or(&part.id).trim();
    let text = if place.is_empty() || place.bytes().all(|byte| byte.is_ascii_digit()) {
        part.kind.clone()
    } else {
        format!("{} {place}", part.kind)
    };
    visible(&text).text.into_owned()
}

/// How a part moves: its rate, and what keeps it from moving.
fn movement(
    moving: &Moving,
    pipeline: &PipelineStatus,
    kind: Kind,
    part: &PartStatus,
    theme: Theme,
) -> (String, Style) {
    if let Some(trouble) = part.trouble.as_ref().filter(|trouble| !trouble.is_over) {
        return (visible(&trouble.text).text.into_owned(), theme.failure());
    }
    let mut told = vec![rate(moving.rate(pipeline, kind, part))];
    let mut style = Style::new();
    if part.lag_bytes > 0 {
        told.push(format!(
            "lag {} {}",
            print_size(part.lag_bytes),
            seconds(part.lag_seconds)
        ));
        style = theme.attention();
    }
    if part.waiting_bytes > 0 {
        told.push(format!("{} wait", print_size(part.waiting_bytes)));
    }
    if part.clients > 0 {
        let word = if part.clients == 1 {
            "client"
        } else {
            "clients"
        };
        told.push(format!("{} {word}", part.clients));
    }
    let dropped: u64 = part.dropped.values().sum();
    if dropped > 0 {
        told.push(format!("dropped {}", short_count(dropped)));
        if kind != Kind::Filter {
            style = theme.attention();
        }
    }
    (told.join(" · "), style)
}

fn rate(rate: Option<f64>) -> String {
    rate.map_or_else(|| "… /s".to_owned(), per_second)
}

fn seconds(seconds: f64) -> String {
    match seconds {
        0.0..60.0 => format!("{seconds:.0}s"),
        60.0..3_600.0 => format!("{:.0}m", seconds / 60.0),
        _ => format!("{:.1}h", seconds / 3_600.0),
    }
}

/// Everything that is known of one pipeline.
fn detail(
    moving: &Moving,
    pipeline: &PipelineStatus,
    theme: Theme,
    inner: Rect,
    buffer: &mut Buffer,
) {
    let mut lines: Vec<(String, Style)> = vec![
        (format!("since {}", pipeline.since), theme.dim()),
        (pipeline.endpoints.join("  "), theme.dim()),
    ];
    // What fails is what is looked for: it comes first, whatever has no room.
    for trouble in pipeline.troubles() {
        let text = visible(&trouble.text).text.into_owned();
        lines.push((format!("✗ {text}"), theme.failure()));
    }
    for kind in Kind::ALL {
        for part in kind.parts(pipeline) {
            lines.push((String::new(), Style::new()));
            lines.push((format!("{} · {}", kind.title(), name(part)), theme.key()));
            let mut told = vec![
                rate(moving.rate(pipeline, kind, part)),
                format!("{} entries", short_count(part.given)),
            ];
            if part.bytes > 0 {
                told.push(print_size(part.bytes));
            }
            if part.lag_bytes > 0 {
                let lag = (print_size(part.lag_bytes), seconds(part.lag_seconds));
                told.push(format!("lag {} for {}", lag.0, lag.1));
            }
            if part.waiting > 0 || part.waiting_bytes > 0 {
                let waiting = (short_count(part.waiting), print_size(part.waiting_bytes));
                told.push(format!("{} wait, {}", waiting.0, waiting.1));
            }
            if part.clients > 0 {
                told.push(format!("{} connected", part.clients));
            }
            if part.retries > 0 {
                told.push(format!("{} retries", short_count(part.retries)));
            }
            lines.push((format!("  {}", told.join(" · ")), Style::new()));
            for (reason, count) in &part.dropped {
                let style = if kind == Kind::Filter {
                    theme.dim()
                } else {
                    theme.attention()
                };
                lines.push((
                    format!("  dropped {} ({reason})", short_count(*count)),
                    style,
                ));
            }
            if let Some(trouble) = &part.trouble {
                let (word, style) = if trouble.is_over {
                    ("over", theme.dim())
                } else {
                    ("now", theme.failure())
                };
                let text = visible(&trouble.text).text.into_owned();
                lines.push((format!("  {} ({word}): {text}", trouble.time), style));
            }
        }
    }
    for (y, (text, style)) in (inner.y..inner.bottom()).zip(lines) {
        put(buffer, inner.x + 1, y, inner.width - 2, &text, style);
    }
}
