//! The explorer without a terminal: keys through the real keymap and update, effects answered from a plain list, the
//! screen as text.

mod follow;
mod plain;
mod rows;
mod screens;
mod told;

use std::collections::VecDeque;

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::json;

use super::effect::{Effect, Effects};
use super::keymap::{Code, Key, Keymap, parse_sequence};
use super::message::{Live, Message};
use super::overlays::Overlay;
use super::request::{At, Number};
use super::sharing::Disguise;
use super::state::{Shown, State};
use super::theme::{Depth, Palette, Theme};
use super::update::{start, update};
use super::view::view;
use crate::api::{
    ActionForm, BlobAnswer, BlobsAnswer, EventAnswer, EventsAnswer, FiringAnswer, HeldAnswer,
    ListenerAnswer, ListenersAnswer, StreamAnswer, StreamsAnswer,
};
use crate::backend::{PartStatus, PipelineStatus, Trouble};
use crate::base::Time;
use crate::entry::{Entry, Key as Place, Level, Position, Scope};
use crate::query::{
    Comparing, Cursor, Direction, Facet, Facets, Matcher, NamespaceCount, Page, Query,
    TemplateCounts, TimeCounts,
};

/// An explorer over a list of entries.
struct Harness {
    state: State,
    log: Vec<Entry>,
    waiting: VecDeque<Effect>,
    feed: Option<(Number, Query, Position)>,
    copied: Vec<String>,
    disguise: Disguise,
    left: bool,
    /// What pipelines did.
    pipelines: Vec<PipelineStatus>,
    /// Open streams, and a level of blobs.
    streams: StreamsAnswer,
    blobs: BlobsAnswer,
    /// Events and listeners.
    events: EventsAnswer,
    listeners: ListenersAnswer,
    /// Whose lines were asked for.
    turned: Vec<Shown>,
    /// Second answers to what was asked.
    later: Vec<Message>,
    /// Files that were written.
    written: Vec<(String, String)>,
}

fn entry(n: u64) -> Entry {
    let namespace = ["pay", "auth"][usize::try_from(n % 2).unwrap_or(0)];
    Entry {
        position: Position(n),
        time: Time(i64::try_from(n).unwrap_or(0) * 1_000_000_000),
        level: if n % 10 == 3 {
            Level::Error
        } else {
            Level::Info
        },
        scope: Scope {
            namespace: namespace.into(),
            trace: Some(format!("t{}", n / 4)),
            ..Scope::default()
        },
        text: format!("entry {n}."),
        ..Entry::default()
    }
}

impl Harness {
    fn new(count: u64, size: (u16, u16)) -> Self {
        let state = State::new("test".into(), Keymap::default(), size, Time(0));
        let log = (1..=count).map(entry).collect();
        let mut harness = Self {
            state,
            log,
            waiting: VecDeque::new(),
            feed: None,
            pipelines: Vec::new(),
            streams: StreamsAnswer::default(),
            blobs: BlobsAnswer::default(),
            events: EventsAnswer::default(),
            listeners: ListenersAnswer::default(),
            turned: Vec::new(),
            later: Vec::new(),
            written: Vec::new(),
            copied: Vec::new(),
            disguise: Disguise::default(),
            left: false,
        };
        let effects = start(&mut harness.state, None);
        harness.take(effects);
        harness.settle();
        harness
    }

    fn take(&mut self, effects: Effects) {
        self.waiting.extend(effects.0);
    }

    fn tell(&mut self, message: Message) {
        let effects = update(&mut self.state, message);
        self.take(effects);
    }

    /// Answers everything that is asked for.
    fn settle(&mut self) {
        for _ in 0..1_000 {
            let Some(effect) = self.waiting.pop_front() else {
                // A question that stays open would be waited for by scripts.
                let requests = self.state.requests;
                assert!(
                    requests.is_answered(),
                    "everything is answered: {requests:?}"
                );
                return;
            };
            if let Some(message) = self.answer(effect) {
                self.tell(message);
            }
            for message in std::mem::take(&mut self.later) {
                self.tell(message);
            }
        }
        panic!("the explorer asks for ever");
    }

    /// Keys as they are written in the keymap, separated by blanks.
    fn press(&mut self, keys: &str) {
        if keys.is_empty() {
            return;
        }
        for key in parse_sequence(keys).expect("keys") {
            self.tell(Message::Key(key));
            self.settle();
        }
    }

    fn type_text(&mut self, text: &str) {
        for character in text.chars() {
            self.tell(Message::Key(Key::plain(Code::Char(character))));
        }
        self.settle();
    }

    fn arrive(&mut self, count: u64) {
        let first = self.log.len() as u64 + 1;
        self.log.extend((first..first + count).map(entry));
        if let Some((number, query, after)) = self.feed.clone() {
            let matcher = Matcher::compile(&query, Time(0));
            let entries: Vec<_> = self
                .log
                .iter()
                .filter(|entry| entry.position > after && matcher.matches(entry))
                .cloned()
                .collect();
            let at = Position(self.log.len() as u64);
            self.feed = Some((number, query, at));
            self.tell(Message::Live(number, Live::Entries(entries, at)));
            self.settle();
        }
    }

    fn page(&self, query: &Query, cursor: Cursor, limit: usize) -> Page {
        let matcher = Matcher::compile(query, Time(0));
        let all = self
            .log
            .iter()
            .filter(|entry| matcher.matches(entry))
            .cloned();
        let at = |key, direction| Some(Cursor { key, direction });
        let mut page = Page {
            head: Position(self.log.len() as u64),
            ..Page::default()
        };
        match cursor.direction {
            Direction::Older => {
                let older: Vec<_> = all.filter(|entry| entry.key() < cursor.key).collect();
                let cut = older.len().saturating_sub(limit);
                page.entries = older[cut..].to_vec();
                page.older = if cut > 0 {
                    at(page.entries[0].key(), Direction::Older)
                } else {
                    None
                };
                page.newer = if cursor.key == Place::MAX {
                    None
                } else {
                    at(cursor.key, Direction::Newer)
                };
            }
            Direction::Newer => {
                let newer: Vec<_> = all.filter(|entry| entry.key() > cursor.key).collect();
                page.entries = newer[..limit.min(newer.len())].to_vec();
                page.newer = if newer.len() > limit {
                    at(page.entries[limit - 1].key(), Direction::Newer)
                } else {
                    None
                };
                page.older = if cursor.key == Place::MIN {
                    None
                } else {
                    at(cursor.key, Direction::Older)
                };
            }
        }
        page
    }

    #[expect(clippy::too_many_lines, reason = "one arm an effect")]
    fn answer(&mut self, effect: Effect) -> Option<Message> {
        match effect {
            Effect::Load {
                number,
                query,
                at,
                limit,
                ..
            } => {
                let older = |key| Cursor {
                    key,
                    direction: Direction::Older,
                };
                let page = match at {
                    At::Newest => self.page(&query, older(Place::MAX), limit),
                    At::Oldest => self.page(
                        &query,
                        Cursor {
                            key: Place::MIN,
                            direction: Direction::Newer,
                        },
                        limit,
                    ),
                    At::Around(key) => {
                        let including = Place {
                            position: Position(key.position.0 + 1),
                            ..key
                        };
                        let page = self.page(&query, older(including), limit / 2);
                        page.joined(
                            self.page(
                                &query,
                                Cursor {
                                    key,
                                    direction: Direction::Newer,
                                },
                                limit / 2,
                            ),
                            Direction::Newer,
                        )
                    }
                };
                Some(Message::Loaded {
                    number,
                    page,
                    done: true,
                })
            }
            Effect::Extend {
                number,
                query,
                cursor,
                limit,
                ..
            } => Some(Message::Extended {
                number,
                page: self.page(&query, cursor, limit),
            }),
            Effect::Find {
                number,
                query,
                cursor,
                ..
            } => {
                let place = self.page(&query, cursor, 1).entries.first().map(Entry::key);
                Some(Message::Found {
                    number,
                    direction: cursor.direction,
                    place,
                })
            }
            Effect::Follow {
                number,
                query,
                after,
                ..
            } => {
                self.feed = Some((number, query, after));
                None
            }
            Effect::Namespaces => {
                let count = |name: &str| NamespaceCount {
                    name: name.into(),
                    levels: [0, 0, 5, 0, 2, 0],
                    newest: 0,
                };
                let mut names: Vec<&str> = self
                    .log
                    .iter()
                    .map(|entry| entry.scope.namespace.as_str())
                    .collect();
                names.extend(
                    self.log
                        .is_empty()
                        .then_some(["auth", "pay"])
                        .into_iter()
                        .flatten(),
                );
                names.sort_unstable();
                names.dedup();
                Some(Message::Namespaces(names.into_iter().map(count).collect()))
            }
            Effect::Pipelines => Some(Message::Pipelines(Ok(Some(self.pipelines.clone())))),
            Effect::Streams => Some(Message::Streams(Ok(Some(self.streams.clone())))),
            Effect::Blobs { prefix, after } => {
                let answer = Ok(Some(self.blobs.clone()));
                Some(Message::Blobs {
                    prefix,
                    after,
                    answer,
                })
            }
            Effect::EventHistory { before } => {
                let answer = Ok(Some(self.events.clone()));
                Some(Message::EventHistory { before, answer })
            }
            Effect::Listeners => Some(Message::Listeners(Ok(Some(self.listeners.clone())))),
            Effect::Save { key, path } => {
                let text = format!("{key} is saved as {path}");
                Some(Message::Done(Ok(text)))
            }
            Effect::Show(shown) => {
                self.turned.push(shown);
                None
            }
            Effect::Facets { number, field, .. } => {
                let facets = Facets {
                    values: vec![Facet {
                        value: "pay".into(),
                        count: 7,
                    }],
                    covered: 7,
                    partial: false,
                };
                Some(Message::Facets {
                    number,
                    field,
                    facets,
                })
            }
            Effect::Histogram {
                number,
                query,
                all,
                buckets,
                ..
            } => {
                let matcher = Matcher::compile(&query, Time(0));
                let times = self.log.iter().map(|entry| entry.time);
                let ends = times.clone().min().zip(times.max());
                let (from, to) = ends.unwrap_or_default();
                let mut counts = TimeCounts::new(from, Time(to.0 + 1), buckets);
                for entry in self.log.iter().filter(|entry| matcher.matches(entry)) {
                    counts.add(entry.time, entry.level as usize, 1);
                }
                if all.is_some() {
                    let mut levels = [0; 6];
                    for entry in &self.log {
                        levels[entry.level as usize] += 1;
                    }
                    // After the counts, as the performer tells them.
                    self.later.push(Message::CountedAll { number, levels });
                }
                let counts = counts.done(false);
                Some(Message::Counted {
                    number,
                    counts,
                    done: true,
                })
            }
            Effect::Patterns { number, query, .. } => {
                let matcher = Matcher::compile(&query, Time(0));
                let mut counts = TemplateCounts::default();
                for entry in self.log.iter().filter(|entry| matcher.matches(entry)) {
                    counts.add(entry);
                }
                Some(Message::Patterns {
                    number,
                    answer: Ok(counts.top(false, 100)),
                    done: true,
                })
            }
            Effect::Trace { number, trace, .. } => {
                let own = self
                    .log
                    .iter()
                    .filter(|entry| entry.scope.trace.as_ref() == Some(&trace));
                let answer = Ok((own.cloned().collect(), false));
                Some(Message::Traced {
                    number,
                    trace,
                    answer,
                })
            }
            Effect::Compare {
                number, from, to, ..
            } => {
                let mut comparing = Comparing::default();
                for entry in self.log.iter().filter(|entry| entry.time < to) {
                    comparing.add(entry, entry.time >= from);
                }
                Some(Message::Compared {
                    number,
                    answer: Ok(comparing.done(false, 100)),
                    done: true,
                })
            }
            Effect::Complete { number, .. } => Some(Message::Completions {
                number,
                values: vec!["namespace".into()],
            }),
            Effect::Whole(position) => {
                let entry = self
                    .log
                    .iter()
                    .find(|entry| entry.position == position)
                    .cloned()
                    .map(Box::new);
                Some(Message::Whole { position, entry })
            }
            Effect::WriteCase {
                path, case, form, ..
            } => {
                self.written.push((path.clone(), case.write(form)));
                Some(Message::Done(Ok(format!("saved as {path}"))))
            }
            Effect::Copy(shared, disguised) => {
                let disguise = disguised.then_some(&self.disguise);
                self.copied.push(shared.print(disguise));
                None
            }
            Effect::Quit => {
                self.left = true;
                None
            }
            Effect::Export { path, query, .. } => {
                let text = format!("exported {query} to {path}");
                Some(Message::Done(Ok(text)))
            }
            Effect::Stop(_)
            | Effect::Standing
            | Effect::Skew(..)
            | Effect::Format { .. }
            | Effect::Wake(_)
            | Effect::WakeWatches(_)
            | Effect::Watch { .. }
            | Effect::Notify(_)
            | Effect::Keep(_)
            | Effect::View(..)
            | Effect::Redraw
            | Effect::Suspend
            | Effect::Firings => None,
        }
    }

    fn screen(&self) -> Vec<String> {
        let (width, height) = self.state.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        view(
            &self.state,
            Theme::new(Depth::Sixteen, Palette::default()),
            &mut buffer,
        );
        let row = |y: u16| {
            (0..width)
                .filter_map(|x| buffer.cell((x, y)))
                .map(ratatui::buffer::Cell::symbol)
                .collect::<String>()
        };
        (0..height).map(|y| row(y).trim_end().to_owned()).collect()
    }

    /// Numbers of the entries on the screen, from top to bottom, and the line of the selected one.
    fn shown(&self) -> (Vec<u64>, Option<usize>) {
        let screen = self.screen();
        let number = |row: &String| {
            let in_log = !row.starts_with('│');
            row.split("entry ")
                .nth(1)
                .filter(|_| in_log)?
                .split('.')
                .next()?
                .parse()
                .ok()
        };
        (
            screen.iter().filter_map(number).collect(),
            screen.iter().position(|row| row.starts_with('▌')),
        )
    }
}

#[test]
fn the_newest_page_is_shown_and_followed() {
    let mut explorer = Harness::new(1_000, (100, 20));
    // Without the timeline.
    explorer.press("H H");
    assert_eq!(explorer.shown().0, (985..=1_000).collect::<Vec<_>>());
    explorer.arrive(5);
    assert_eq!(explorer.shown().0, (990..=1_005).collect::<Vec<_>>());
    assert!(
        explorer.screen()[18].starts_with(" LIVE"),
        "{:?}",
        explorer.screen()
    );
}

#[test]
fn a_held_view_does_not_move_and_counts_what_arrives() {
    let mut explorer = Harness::new(1_000, (100, 20));
    explorer.press("k k k");
    let before = explorer.shown();
    explorer.arrive(300);
    assert_eq!(explorer.shown(), before);
    assert!(explorer.screen()[18].contains("HELD · 300 new below"));
    explorer.press("G");
    assert_eq!(explorer.shown().0.last(), Some(&1_300));
    explorer.press("space");
    explorer.arrive(10);
    assert_eq!(explorer.shown().0.last(), Some(&1_300));
}

#[test]
fn scrolling_to_the_oldest_and_back_shows_every_row() {
    let mut explorer = Harness::new(2_000, (100, 20));
    // Without the timeline.
    explorer.press("H H");
    for _ in 0..200 {
        explorer.press("pageup");
    }
    assert_eq!(explorer.shown(), ((1..=16).collect(), Some(2)));
    for _ in 0..200 {
        explorer.press("pagedown");
    }
    assert_eq!(explorer.shown().0.last(), Some(&2_000));
    explorer.arrive(1);
    assert_eq!(
        explorer.shown().0.last(),
        Some(&2_001),
        "at the end it follows again"
    );
}

#[test]
fn a_trace_keeps_the_row_and_back_returns_to_it() {
    let mut explorer = Harness::new(1_000, (100, 20));
    explorer.press("k k k k k");
    let before = explorer.shown();
    explorer.press("t");
    let (trace, line) = explorer.shown();
    assert_eq!(trace, [992, 993, 994, 995]);
    assert_eq!(
        explorer.state.selected().map(|row| row.entry.position.0),
        Some(995)
    );
    assert!(line.is_some());
    explorer.press("backspace");
    assert_eq!(explorer.shown(), before);
}

#[test]
fn stale_answers_are_not_believed() {
    let mut explorer = Harness::new(1_000, (100, 20));
    let shown = explorer.shown();
    let page = explorer.page(
        &Query::default(),
        Cursor {
            key: Place::MIN,
            direction: Direction::Newer,
        },
        10,
    );
    explorer.tell(Message::Loaded {
        number: Number(0),
        page: page.clone(),
        done: true,
    });
    explorer.tell(Message::Extended {
        number: Number(0),
        page,
    });
    explorer.tell(Message::Live(
        Number(0),
        Live::Entries(vec![entry(5_000)], Position(5_000)),
    ));
    assert_eq!(explorer.shown(), shown);
}

#[test]
fn a_service_that_is_away_is_asked_again() {
    let mut state = State::new("test".into(), Keymap::default(), (100, 20), Time(0));
    let effects = start(&mut state, None);
    let Some(Effect::Load { number, .. }) = effects
        .0
        .iter()
        .find(|effect| matches!(effect, Effect::Load { .. }))
    else {
        panic!("a load")
    };
    let _ = update(
        &mut state,
        Message::Failed {
            number: *number,
            reason: "cannot reach it".into(),
        },
    );
    let _ = update(&mut state, Message::Clock(Time(3_000_000_000)));
    let again = update(&mut state, Message::Woke);
    assert!(
        again
            .0
            .iter()
            .any(|effect| matches!(effect, Effect::Load { .. })),
        "{again:?}"
    );
}

#[test]
fn levels_filters_and_copies() {
    let mut explorer = Harness::new(1_000, (100, 24));
    explorer.press("5");
    assert!(explorer.shown().0.iter().all(|n| n % 10 == 3));
    explorer.press("0 & .");
    explorer.type_text("99");
    explorer.press("enter");
    assert!(explorer.screen()[0].contains("● .99"));
    explorer.press("x");
    assert_eq!(explorer.shown().0.last(), Some(&1_000));
    explorer.press("y Y");
    assert!(
        explorer.copied[0].ends_with("INFO pay entry 1000."),
        "{:?}",
        explorer.copied
    );
    assert!(explorer.copied[1].starts_with("{\"id\":1000,"));
    explorer.press("c j j j enter");
    assert!(
        explorer.screen().iter().any(|row| row.contains("t250")),
        "a column: {:?}",
        explorer.screen()
    );
    explorer.press("q");
    assert!(explorer.left);
}

#[test]
fn every_size_is_drawn() {
    for (width, height) in [
        (0, 0),
        (1, 1),
        (39, 9),
        (40, 10),
        (80, 24),
        (120, 40),
        (200, 60),
        (500, 200),
    ] {
        let mut explorer = Harness::new(300, (width, height));
        for keys in [
            "S", "tab tab", "enter", "esc esc", "enter", "?", "esc", ":", "esc", "f", "esc", "+",
            "esc",
        ] {
            explorer.press(keys);
            let screen = explorer.screen();
            assert_eq!(screen.len(), usize::from(height));
        }
    }
}

#[test]
fn pipelines_are_shown_with_their_rates_and_troubles() {
    let mut harness = Harness::new(10, (80, 24));
    harness.pipelines = told::pipelines(0);
    harness.press("P");
    harness.tell(Message::Clock(Time(2_000_000_000)));
    harness.pipelines = told::pipelines(5_000);
    harness.tell(Message::Woke);
    harness.settle();
    let screen = harness.screen().join("\n");
    for words in [
        "app",
        "other",
        "✗ 1 failing",
        "directory /var/log/*.log",
        "2500/s · lag 3.0MiB",
        "→",
        "include",
        "1250/s",
        "store",
        "http://b:1: nobody",
    ] {
        assert!(screen.contains(words), "{words} is not in\n{screen}");
    }
    assert!(!screen.contains('\u{1b}'), "raw text");
    harness.press("j enter");
    let screen = harness.screen().join("\n");
    for words in [
        "Pipeline other",
        "source · directory",
        "5000 entries",
        "(now): http://b:1",
    ] {
        assert!(screen.contains(words), "{words} is not in\n{screen}");
    }
    harness.press("esc");
    assert!(harness.screen().join("\n").contains("Pipelines ·"));
    harness.press("esc");
    assert!(!harness.screen().join("\n").contains("Pipelines ·"));
    // Nothing is asked while nobody looks.
    harness.tell(Message::Woke);
    assert!(!harness.waiting.contains(&Effect::Pipelines));
}

#[test]
fn a_stream_is_tailed_and_left_again() {
    let stream = told::stream;
    let mut harness = Harness::new(1_000, (120, 24));
    harness.press("k k");
    let before = harness.shown();
    harness.streams.streams = vec![stream("ci/1/a\u{1b}[2J", 12_345), stream("ci/2/b", 7)];
    harness.tell(Message::Clock(Time(100_000_000_000)));
    harness.press("L");
    let screen = harness.screen().join("\n");
    for words in [
        "2 open",
        "ci/1/a␛[2J",
        "12.3k",
        "3.0MiB",
        "240/s",
        "1m",
        "10s",
    ] {
        assert!(screen.contains(words), "{words} is not in\n{screen}");
    }
    harness.press("/");
    harness.type_text("2/B");
    let screen = harness.screen().join("\n");
    assert!(
        screen.contains("1 of 2") && !screen.contains("ci/1"),
        "{screen}"
    );
    harness.press("enter");
    let shown = Shown::Kept("ci/2/b".into());
    assert_eq!(harness.turned, [shown]);
    assert!(
        harness.screen()[0].contains("▸ ci/2/b"),
        "{:?}",
        harness.screen()
    );
    harness.press("esc");
    assert_eq!(harness.turned.last(), Some(&Shown::Log));
    assert_eq!(harness.shown(), before, "back to the very row");
}

#[test]
fn the_timeline_moves_and_narrows_in_time() {
    let mut harness = Harness::new(1_000, (100, 30));
    let screen = harness.screen();
    let labels = screen
        .iter()
        .find(|line| line.contains("at most"))
        .expect("labels");
    assert!(
        labels.contains("00:00:00") && !labels.contains("hidden"),
        "{labels}"
    );
    assert!(
        screen.iter().any(|line| line.contains("████████")),
        "errors have a sign: {screen:?}"
    );
    // What the filters hide is told, and shown in its place by one key.
    harness.press("5");
    let screen = harness.screen().join("\n");
    assert!(screen.contains("hidden: 900 I · X peeks"), "{screen}");
    harness.press("k X");
    let screen = harness.screen();
    assert!(screen[0].contains("filters off"), "{screen:?}");
    let beside = screen.iter().filter(|line| line.starts_with('┊')).count();
    let within = screen
        .iter()
        .filter(|line| line.contains(" ERROR "))
        .count();
    assert!(beside > 10 && within >= 1, "{screen:?}");
    harness.press("X 0");
    // A bar back, and into the half around it; then out again, step by step and at once.
    harness.press("H [ [ +");
    let (from, to) = harness.state.filters.range.expect("a range");
    assert!(harness.shown().0.iter().all(|n| {
        let time = Time(i64::try_from(*n).expect("small") * 1_000_000_000);
        from <= time && time < to
    }));
    let title = harness.screen()[0].clone();
    assert!(title.contains("–00:1"), "{title}");
    harness.press("v ] ] enter");
    let narrower = harness.state.filters.range.expect("a range");
    assert!(narrower.1.since(narrower.0) < to.since(from));
    let mut steps = 0;
    while harness.state.filters.range.is_some() {
        harness.press("-");
        steps += 1;
        assert!(steps < 10, "everything again");
    }
    harness.press("esc backspace");
    assert!(
        harness.state.filters.range.is_some(),
        "back to where one was"
    );
    harness.press("C r G enter");
    assert_eq!(harness.state.filters.range, None);
    harness.press("@");
    harness.type_text("00:05:00");
    harness.press("enter");
    assert_eq!(
        harness.state.selected().map(|row| row.entry.position.0),
        Some(300)
    );
}

#[test]
fn rows_show_the_time_since_the_row_before() {
    let mut harness = Harness::new(100, (100, 30));
    harness.press(".");
    let screen = harness.screen().join("\n");
    assert!(screen.contains("     +1.000s INFO"), "{screen}");
    harness.press(". k");
    assert!(harness.screen().join("\n").contains("     -1.000s INFO"));
    harness.press(".");
    assert!(harness.screen().join("\n").contains("00:01:40.000 INFO"));
}

#[test]
fn rows_are_marked_and_handed_on() {
    let mut harness = Harness::new(1_000, (100, 30));
    harness.state.case.sources = vec!["it's.log".into()];
    harness.press("5 k k m");
    harness.type_text("the cause");
    harness.press("enter");
    let row = harness.state.selected().map(|row| row.entry.position.0);
    let screen = harness.screen().join("\n");
    assert!(
        screen.contains("marked: 1 row") && screen.contains("◆"),
        "{screen}"
    );
    harness.press("C G '");
    let screen = harness.screen().join("\n");
    assert!(
        screen.contains("the cause") && screen.contains("found by: level>=error"),
        "{screen}"
    );
    harness.press("s enter");
    let (path, text) = harness.written[0].clone();
    assert_eq!(path, "incident.md");
    assert!(
        text.contains("the cause") && text.contains("· ERROR ·"),
        "{text}"
    );
    harness.press("enter");
    assert_eq!(
        harness.state.selected().map(|row| row.entry.position.0),
        row
    );
    harness.press("u");
    let command = harness.copied.last().expect("a command");
    let expected = r"tailwater 'it'\''s.log' --query 'level>=error' --at 1970-01-01T00:1";
    assert!(command.starts_with(expected), "{command}");
    harness.press("a");
    let (shown, _) = harness.shown();
    assert_eq!(shown.len(), 10, "5 seconds around: {shown:?}");
    harness.press("backspace > enter");
    assert!(
        harness
            .screen()
            .join("\n")
            .contains("exported level>=error to entries.ndjson")
    );
    harness.press("' d");
    assert!(harness.screen().join("\n").contains("nothing is marked"));
}

#[test]
fn patterns_and_differences_lead_to_their_lines() {
    let mut harness = Harness::new(1_000, (120, 30));
    for n in 700..720 {
        harness.log[n].level = Level::Error;
        harness.log[n].text = format!("cannot reach db-{n}");
    }
    harness.log[500].text = "configuration reloaded".into();
    harness.tell(Message::Resized(119, 30));
    harness.settle();
    harness.press("{");
    harness.press("D");
    let screen = harness.screen().join("\n");
    assert!(
        screen.contains("cannot reach db-<*>") && screen.contains("★ new"),
        "{screen}"
    );
    harness.press("/");
    harness.type_text("cannot");
    harness.press("enter");
    let texts = harness
        .state
        .window
        .rows()
        .iter()
        .map(|row| &row.entry.text);
    assert!(texts.clone().count() >= 19);
    assert!(
        texts
            .clone()
            .all(|text| text.starts_with("cannot reach db-"))
    );
    assert_eq!(
        harness.state.selected().map(|row| row.entry.position.0),
        Some(701),
        "where it begins"
    );
    assert!(harness.screen()[0].contains("≈ cannot reach db-<*>"));
    harness.press("T");
    let screen = harness.screen().join("\n");
    assert!(
        screen.contains("Trace t175 · 4 entries · 3.000s"),
        "{screen}"
    );
    assert!(
        screen.contains("E auth  cannot reach db-700") && screen.contains("███"),
        "{screen}"
    );
    harness.press("enter");
    assert!(harness.screen()[0].contains("● trace:t175"));
    harness.press("backspace backspace p n n");
    let screen = harness.screen();
    let at = |words: &str| screen.iter().position(|line| line.contains(words));
    let (cause, symptom) = (at("configuration reloaded"), at("cannot reach"));
    assert!(
        cause.is_some() && cause < symptom,
        "in the order they appeared: {screen:?}"
    );
    harness.press("x q");
    assert!(harness.screen()[0].contains("not ≈ configuration reloaded"));
}

#[test]
fn keys_that_are_typed_ahead_are_meant_for_where_one_goes() {
    let compared = |types_ahead: bool| {
        let mut harness = Harness::new(1_000, (120, 30));
        for n in 700..720 {
            harness.log[n].level = Level::Error;
        }
        harness.tell(Message::Resized(119, 30));
        harness.settle();
        for key in parse_sequence("{ D").expect("keys") {
            harness.tell(Message::Key(key));
            if !types_ahead {
                harness.settle();
            }
        }
        harness.settle();
        harness.state.insight.span
    };
    let (from, to) = compared(false);
    assert!(from <= Time(701_000_000_000) && to >= Time(720_000_000_000));
    assert!(to < Time(900_000_000_000), "the burst alone");
    assert_eq!(compared(true), (from, to));
}

#[test]
fn bursts_are_jumped_to_and_context_grows_around_a_row() {
    let mut harness = Harness::new(1_000, (100, 30));
    // A burst of errors from 400 to 410.
    for n in 400..410 {
        harness.log[n].level = Level::Fatal;
    }
    harness.press("ctrl-l C");
    harness.tell(Message::Resized(101, 30));
    harness.settle();
    harness.press("{");
    let at = harness
        .state
        .selected()
        .map(|row| row.entry.position.0)
        .expect("a row");
    assert!((395..=401).contains(&at), "{at}");
    harness.press("5 j");
    let row = harness.state.selected().expect("a row").entry.position.0;
    let only = harness.shown().0;
    harness.press("z");
    assert!(
        harness.screen()[0].contains("context: this namespace"),
        "{:?}",
        harness.screen()
    );
    let around = harness.shown().0;
    assert!(
        around.len() > 10 && around.iter().all(|n| n % 2 == row % 2),
        "{around:?}"
    );
    assert_eq!(
        harness.state.selected().map(|of| of.entry.position.0),
        Some(row)
    );
    harness.press("z");
    let around = harness.shown().0;
    assert!(
        around.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "everywhere: {around:?}"
    );
    harness.press("Z Z");
    assert_eq!(harness.shown().0, only);
    harness.press("z backspace");
    assert_eq!(harness.shown().0, only);
}

#[test]
fn events_lead_to_their_moment_and_back() {
    let mut harness = Harness::new(1_000, (120, 40));
    harness.press("k k");
    let before = harness.shown();
    let event = told::event;
    harness.events.data = vec![
        event(30, "deploy.failed", None),
        event(20, "alert", Some("t21")),
    ];
    harness.listeners.data = vec![told::listener()];
    harness.tell(Message::Clock(Time(100_000_000_000)));
    harness.press("V");
    let screen = harness.screen().join("\n");
    for words in [
        "[Events]",
        "deploy.failed",
        "00:01:30.000",
        "10s",
        "\u{241b}[2J",
    ] {
        assert!(screen.contains(words), "{words} is not in\n{screen}");
    }
    harness.press("tab");
    let screen = harness.screen().join("\n");
    assert!(screen.contains("✓ alert & deploy.failed"), "{screen}");
    assert!(screen.contains("webhook http://x"), "{screen}");
    // To the moment of an event, and to its trace.
    harness.press("shift-tab j enter");
    assert_eq!(harness.shown().0, (84..88).collect::<Vec<_>>(), "trace t21");
    harness.press("backspace");
    assert_eq!(harness.shown(), before, "back to the very row");
    // A listener fires: it is told, and leads to what it says.
    let firing = FiringAnswer {
        id: "l-4".into(),
        listener: "l".into(),
        namespace: "pay".into(),
        at: "1970-01-01T00:01:40Z".into(),
        trace: None,
        action: Some(ActionForm::View {
            query: Some("level:error".into()),
            text: Some("both\u{1b} came".into()),
        }),
        events: vec![event(30, "deploy.failed", None).event],
    };
    harness.tell(Message::Fired(Box::new(firing)));
    let status = harness.screen()[38].clone();
    assert!(
        status.contains("⚑ both␛ came in pay · V and enter"),
        "{status}"
    );
    harness.press("V");
    assert!(harness.screen().join("\n").contains("[Fired]"));
    harness.press("enter");
    let (shown, _) = harness.shown();
    assert!(shown.iter().all(|n| n % 10 == 3), "{shown:?}");
    let selected = harness.state.selected().map(|row| row.entry.position.0);
    assert_eq!(selected, Some(103), "the first error after it");
    assert_eq!(harness.state.happening.unseen, 0);
}

#[test]
fn what_cannot_be_shown_leads_back_and_says_why() {
    let mut harness = Harness::new(100, (80, 24));
    harness.blobs.blobs = vec![BlobAnswer {
        key: "core".into(),
        size: 9,
        sha256: None,
        content_type: None,
        modified: String::new(),
    }];
    harness.press("B");
    harness.tell(Message::Key(Key::plain(Code::Enter)));
    let load = harness.waiting.iter().find_map(|effect| match effect {
        Effect::Load { number, .. } => Some(*number),
        _ => None,
    });
    harness.waiting.clear();
    let reason = "core is no text".to_owned();
    let number = load.expect("a load");
    harness.tell(Message::Failed { number, reason });
    harness.settle();
    assert_eq!(harness.turned, [Shown::Log]);
    let screen = harness.screen().join("\n");
    assert!(screen.contains("core is no text"), "{screen}");
    assert_eq!(harness.shown().0.last(), Some(&100));
}

#[test]
fn blobs_are_browsed_and_saved() {
    let blob = told::blob;
    let mut harness = Harness::new(10, (120, 24));
    harness.blobs = BlobsAnswer {
        blobs: vec![blob("core")],
        folders: vec!["ci".into(), "zeta".into()],
        next: None,
    };
    harness.press("B");
    let screen = harness.screen().join("\n");
    for words in [
        "Blobs · all",
        "ci/",
        "core",
        "5.0MiB",
        "2026-11-21 10:00",
        "text/plain",
    ] {
        assert!(screen.contains(words), "{words} is not in\n{screen}");
    }
    harness.blobs = BlobsAnswer {
        blobs: vec![blob("ci/1")],
        folders: Vec::new(),
        next: Some("ci/1".into()),
    };
    harness.press("enter");
    assert!(harness.screen()[1].contains("Blobs · ci"));
    // At the end of a page the next one is asked for, once.
    harness.blobs = BlobsAnswer {
        blobs: vec![blob("ci/2")],
        ..BlobsAnswer::default()
    };
    harness.press("j j j");
    let names = |harness: &Harness| -> Vec<String> {
        let told = harness.state.kept.blobs.now.iter();
        told.flat_map(|told| &told.blobs)
            .map(|blob| blob.key.clone())
            .collect()
    };
    assert_eq!(names(&harness), ["ci/1", "ci/2"]);
    harness.press("s");
    harness.type_text(".log");
    assert!(harness.screen().join("\n").contains("save as › 2.log"));
    harness.press("enter");
    let screen = harness.screen().join("\n");
    assert!(screen.contains("ci/2 is saved as 2.log"), "{screen}");
    harness.blobs = BlobsAnswer {
        folders: vec!["an".into(), "ci".into()],
        ..BlobsAnswer::default()
    };
    harness.press("backspace");
    let Some(Overlay::Blobs { listing, .. }) = harness.state.overlays.last() else {
        panic!("closed")
    };
    assert_eq!(listing.cursor, 1, "on the folder that was left");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn whatever_is_pressed_rows_follow_each_other(steps in prop::collection::vec((0..16_usize, 0..40_u64), 1..40)) {
        let keys = ["j", "k", "pageup", "pagedown", "g", "G", "space", "e", "E", "t", "backspace", "5", "0", "enter", "esc", "S"];
        let mut explorer = Harness::new(700, (100, 24));
        for (key, arrivals) in steps {
            explorer.press(keys[key]);
            explorer.arrive(arrivals);
            let (shown, selected) = explorer.shown();
            prop_assert!(shown.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", shown);
            prop_assert!(selected.is_some() || explorer.state.window.len() == 0, "the selected row is in sight");
        }
    }
}
