//! A trace as a waterfall: what did how long, by span where spans are known, by instance or namespace where they are not.

use std::collections::HashMap;

use crate::base::Time;
use crate::entry::{Entry, Key, Level, visible};

/// The entries of a trace, put together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::explorer) struct Waterfall {
    pub trace: String,
    /// In the order in which they begin.
    pub bars: Vec<Bar>,
    pub from: Time,
    pub to: Time,
    pub entries: usize,
    /// Whether there are more entries than were read.
    pub is_partial: bool,
}

/// What belongs together in a trace.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::explorer) struct Bar {
    /// Namespace, and what it said first; made safe.
    pub name: String,
    pub from: Time,
    pub to: Time,
    pub entries: usize,
    pub worst: Level,
    /// The first entry that is as severe as any.
    pub key: Key,
}

impl Waterfall {
    pub fn new(trace: String, entries: &[Entry], is_partial: bool) -> Self {
        let mut places: HashMap<(&str, &str), usize> = HashMap::new();
        let mut bars: Vec<Bar> = Vec::new();
        for entry in entries {
            let scope = &entry.scope;
            let of = scope.span.as_deref().or(scope.instance.as_deref());
            let at = *places
                .entry((&scope.namespace, of.unwrap_or_default()))
                .or_insert(bars.len());
            match bars.get_mut(at) {
                Some(bar) => bar.take_in(entry),
                None => bars.push(Bar::of(entry)),
            }
        }
        bars.sort_by_key(|bar| (bar.from, bar.to));
        Self {
            trace,
            from: bars.iter().map(|bar| bar.from).min().unwrap_or_default(),
            to: bars.iter().map(|bar| bar.to).max().unwrap_or_default(),
            bars,
            entries: entries.len(),
            is_partial,
        }
    }

    /// A bar as a line of so many cells; what took no time is a point.
    pub fn line(&self, bar: &Bar, cells: usize) -> String {
        let whole = self.to.since(self.from).as_nanos().max(1);
        let place = |time: Time| {
            let part = time.since(self.from).as_nanos() * (cells.max(1) as u128 - 1) / whole;
            usize::try_from(part).unwrap_or(0)
        };
        let (first, last) = (place(bar.from), place(bar.to));
        let line = if bar.from == bar.to {
            "▏".to_owned()
        } else {
            "█".repeat(last - first + 1)
        };
        let mut text = " ".repeat(first) + &line;
        let missing = cells.saturating_sub(text.chars().count());
        text.push_str(&" ".repeat(missing));
        text
    }
}

impl Bar {
    fn of(entry: &Entry) -> Self {
        let text = entry.text.lines().next().unwrap_or_default();
        Self {
            name: format!(
                "{}  {}",
                visible(&entry.scope.namespace).text,
                visible(text).text
            ),
            from: entry.time,
            to: entry.time,
            entries: 1,
            worst: entry.level,
            key: entry.key(),
        }
    }

    fn take_in(&mut self, entry: &Entry) {
        self.from = self.from.min(entry.time);
        self.to = self.to.max(entry.time);
        self.entries += 1;
        if entry.level > self.worst {
            self.worst = entry.level;
            self.key = entry.key();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(millis: i64, namespace: &str, span: Option<&str>, level: Level) -> Entry {
        let mut entry = Entry {
            time: Time(millis * 1_000_000),
            text: format!("at {millis}\nmore"),
            level,
            ..Entry::default()
        };
        entry.scope.namespace = namespace.to_owned();
        entry.scope.span = span.map(str::to_owned);
        entry
    }

    #[test]
    fn spans_are_put_together_and_drawn_where_they_were() {
        let entries = [
            entry(0, "gateway", None, Level::Info),
            entry(10, "pay", Some("a"), Level::Info),
            entry(20, "pay", Some("b"), Level::Info),
            entry(50, "pay", Some("a"), Level::Error),
            entry(90, "gateway", None, Level::Warn),
        ];
        let waterfall = Waterfall::new("t".to_owned(), &entries, false);
        let told: Vec<(&str, usize, Level)> = waterfall
            .bars
            .iter()
            .map(|bar| (bar.name.as_str(), bar.entries, bar.worst))
            .collect();
        assert_eq!(
            told,
            [
                ("gateway  at 0", 2, Level::Warn),
                ("pay  at 10", 2, Level::Error),
                ("pay  at 20", 1, Level::Info),
            ]
        );
        assert_eq!(
            waterfall.bars[1].key,
            entries[3].key(),
            "the error is what is looked for"
        );
        let lines: Vec<String> = waterfall
            .bars
            .iter()
            .map(|bar| waterfall.line(bar, 10))
            .collect();
        assert_eq!(lines, ["██████████", " █████    ", "  ▏       "]);
        assert_eq!(Waterfall::new("t".to_owned(), &[], false).bars, []);
    }
}
