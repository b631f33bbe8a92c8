//! The loop: waits, drains what is there, draws once.

mod outside;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::timeout;

use crate::backend::{Backend, Services};
use crate::base::shutdown::{SignalNumber, Wishes};
use crate::base::{Gauge, Time};
use crate::explorer::Error;
use crate::explorer::effect::{Effect, Effects};
use crate::explorer::input;
use crate::explorer::keymap::Keymap;
use crate::explorer::memory::Memory;
use crate::explorer::message::Message;
use crate::explorer::options::{Keeper, Options};
use crate::explorer::pace::{Pace, STATUS_REQUEST, Wish};
use crate::explorer::perform::Performer;
use crate::explorer::plain::Plain;
use crate::explorer::regions::Regions;
use crate::explorer::script::Record;
use crate::explorer::state::State;
use crate::explorer::terminal::{Guard, Keyboard, Painter, Typed, depth, notify, watch};
use crate::explorer::theme::Theme;
use crate::explorer::update::{start, update};
use crate::explorer::view::view;

/// Draining before a frame takes at most so long.
const DRAIN: Duration = Duration::from_millis(8);
/// How often the progress of loading is looked at.
const LOADING_TICK: Duration = Duration::from_millis(150);

/// How the explorer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The user left.
    Left,
    /// This signal came; the program should die by it.
    Signal(SignalNumber),
    /// The terminal is gone.
    Vanished,
}

/// Explores until the user leaves, a signal comes or the terminal is gone. The terminal is given back in every case.
///
/// # Errors
/// There is no terminal, it refuses, or the configured keys are wrong.
pub async fn run(
    options: Options,
    backend: Backend,
    services: Services,
    loading: Option<Arc<Gauge>>,
) -> Result<Ending, Error> {
    let keymap = Keymap::with(&options.keys)?;
    if !std::io::stdout().is_terminal() {
        return Err(Error::NoTerminal);
    }
    let record = options.record.as_deref().map(Record::begin).transpose();
    let mut record = record.map_err(Error::Record)?;
    let signals = Signals::new().map_err(Error::Terminal)?;
    let guard = Guard::take(options.mouse, options.is_plain).map_err(Error::Terminal)?;
    let size = crossterm::terminal::size().map_err(Error::Terminal)?;
    let mut state = State::new(options.name.clone(), keymap, size, Time::now());
    state.joins = backend.joins();
    let at = options.prepare(&mut state);
    if let Some(record) = &mut record {
        let (width, height) = size;
        record
            .note(&Message::Resized(width, height))
            .map_err(Error::Record)?;
    }
    let (sender, messages) = mpsc::unbounded_channel();
    let mut runtime = Runtime {
        state,
        theme: Theme::new(options.colors.unwrap_or_else(depth), options.palette),
        painter: Painter::new(),
        plain: options.is_plain.then(Plain::new),
        regions: Regions::default(),
        performer: Performer::new(backend, services, sender.clone()),
        sender,
        messages,
        state_dir: options.state_dir,
        loading,
        guard,
        keyboard: Keyboard::begin().map_err(Error::Terminal)?,
        pace: Pace::new(Instant::now()),
        are_namespaces_told: false,
        ending: None,
        has_viewed: false,
        at,
        keeper: options.keeper,
        record,
        memory: options.memory,
    };
    let ending = runtime.run(signals).await;
    if !matches!(ending, Ok(Ending::Vanished)) {
        runtime.collect_replies().await;
    }
    runtime.remember();
    drop(runtime);
    ending.map_err(Error::Terminal)
}

/// Signals that are waited for.
struct Signals {
    suspend: Signal,
    resume: Signal,
    resize: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        // SIGTSTP and SIGCONT have the same numbers on every Linux.
        let number = |signal: rustix::process::Signal| SignalKind::from_raw(signal.as_raw());
        Ok(Self {
            suspend: signal(number(rustix::process::Signal::TSTP))?,
            resume: signal(number(rustix::process::Signal::CONT))?,
            resize: signal(SignalKind::window_change())?,
        })
    }
}

struct Runtime {
    state: State,
    theme: Theme,
    painter: Painter,
    /// Tells in lines instead of drawing.
    plain: Option<Plain>,
    regions: Regions,
    performer: Performer,
    sender: mpsc::UnboundedSender<Message>,
    messages: UnboundedReceiver<Message>,
    state_dir: Option<PathBuf>,
    loading: Option<Arc<Gauge>>,
    guard: Guard,
    keyboard: Keyboard,
    pace: Pace,
    /// Whether it was told which namespaces there are, if any.
    are_namespaces_told: bool,
    ending: Option<Ending>,
    /// Another program had the terminal since signals were last listened for.
    has_viewed: bool,
    /// Where it begins, if not at the end.
    at: Option<Time>,
    keeper: Option<Keeper>,
    record: Option<Record>,
    memory: Memory,
}

impl Runtime {
    async fn run(&mut self, mut signals: Signals) -> std::io::Result<Ending> {
        let mut vanished = watch();
        let mut wishes = Wishes::listen()?;
        let mut tick = tokio::time::interval(LOADING_TICK);
        let effects = start(&mut self.state, self.at);
        self.perform(effects);
        loop {
            if let Some(ending) = self.ending {
                return Ok(ending);
            }
            if std::mem::take(&mut self.has_viewed) {
                (signals, wishes) = (Signals::new()?, Wishes::listen()?);
            }
            let due = self.pace.due();
            if due.is_some_and(|due| due <= Instant::now()) && self.draw().is_err() {
                return Ok(Ending::Vanished);
            }
            let due = self.pace.due().map(tokio::time::Instant::from_std);
            tokio::select! {
                biased;
                typed = self.keyboard.next() => match typed {
                    Some(typed) => self.drain(Some(typed), None),
                    // Without input there is nobody to explore for.
                    None => return Ok(Ending::Vanished),
                },
                signal = wishes.ended() => return Ok(Ending::Signal(signal)),
                _ = &mut vanished => return Ok(Ending::Vanished),
                _ = signals.suspend.recv() => self.suspend(false),
                _ = signals.resume.recv() => self.resume(),
                _ = signals.resize.recv() => self.resized(),
                message = self.messages.recv() => self.drain(None, message),
                _ = tick.tick(), if self.loading.is_some() => self.look_at_loading(),
                () = tokio::time::sleep_until(due.unwrap_or_else(tokio::time::Instant::now)), if due.is_some() => {}
            }
        }
    }

    /// Takes in what is there, keys before answers, for a bounded time.
    fn drain(&mut self, typed: Option<Typed>, message: Option<Message>) {
        let started = Instant::now();
        self.take_in(Message::Clock(Time::now()));
        let (mut typed, mut message) = (typed, message);
        while typed.is_some() || message.is_some() {
            match typed.take() {
                Some(Typed::Ready) => self.replied(),
                Some(Typed::Event(event)) => {
                    if let Some(message) = input::message(event, &self.regions) {
                        self.take_in(message);
                    }
                }
                None => {}
            }
            if let Some(message) = message.take() {
                let live = matches!(message, Message::Live(..));
                self.take_in(message);
                if live {
                    self.performer.taken_in();
                }
            }
            if self.ending.is_some() || started.elapsed() > DRAIN {
                return;
            }
            typed = self.keyboard.ready();
            message = self.messages.try_recv().ok();
        }
    }

    fn take_in(&mut self, message: Message) {
        let wish = match &message {
            Message::Clock(_) => Wish::None,
            Message::Live(..)
            | Message::Namespaces(_)
            | Message::Pipelines(_)
            | Message::Streams(_)
            | Message::EventHistory { .. }
            | Message::Listeners(_)
            | Message::Counted { .. }
            | Message::CountedAll { .. }
            | Message::Patterns { .. }
            | Message::Compared { .. }
            | Message::Woke
            | Message::Loading(_)
            | Message::Scanning { .. } => Wish::Quiet,
            _ => Wish::Prompt,
        };
        if let Some(record) = &mut self.record
            && let Err(error) = record.note(&message)
        {
            tracing::warn!(%error, "the record ends here");
            self.record = None;
        }
        self.are_namespaces_told |= matches!(message, Message::Namespaces(_));
        let effects = update(&mut self.state, message);
        // The first frame waits a moment for both the first page and the namespaces: columns do not jump, and the screen is
        // drawn once.
        let ready = self.pace.begun || (self.state.window.len() > 0 && self.are_namespaces_told);
        let wish = if ready { wish } else { wish.min(Wish::Quiet) };
        self.pace.wish(wish, Instant::now());
        self.perform(effects);
    }

    /// The terminal has drawn a frame.
    fn replied(&mut self) {
        self.pace.replied(Instant::now());
        self.state.link = self.pace.link();
    }

    fn perform(&mut self, effects: Effects) {
        for effect in effects.0 {
            match effect {
                Effect::Quit => self.ending = Some(Ending::Left),
                Effect::Suspend => self.suspend(true),
                Effect::Redraw => self.painter.forget(),
                Effect::Copy(shared, disguised) => {
                    let disguise = disguised.then_some(&self.performer.disguise);
                    let text = shared.print(disguise);
                    self.copy(text);
                }
                Effect::View(program, text) => self.view(program, &text),
                Effect::Notify(text) => notify(&text),
                Effect::Keep(queries) => self.keep(queries),
                other => self.performer.perform(other),
            }
        }
    }

    fn look_at_loading(&mut self) {
        let reading = self.loading.as_ref().and_then(|gauge| gauge.reading());
        if reading.is_none() {
            self.loading = None;
        }
        self.take_in(Message::Clock(Time::now()));
        self.take_in(Message::Loading(reading));
    }

    fn draw(&mut self) -> std::io::Result<()> {
        if let Some(plain) = &mut self.plain {
            let lines = plain.tell(&self.state);
            self.pace.drawn(0, Instant::now());
            let mut out = std::io::stdout().lock();
            lines
                .iter()
                .try_for_each(|line| write!(out, "{line}\r\n"))?;
            return out.flush();
        }
        let started = Instant::now();
        let (width, height) = self.state.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        self.regions = view(&self.state, self.theme, &mut buffer);
        let bytes = self
            .painter
            .paint(&buffer, self.regions.log, self.regions.cursor);
        let asks = self.pace.asks() && !bytes.is_empty();
        self.pace.drawn(bytes.len(), Instant::now());
        if bytes.is_empty() {
            return Ok(());
        }
        tracing::debug!(
            micros = started.elapsed().as_micros(),
            bytes = bytes.len(),
            "frame"
        );
        let mut out = std::io::stdout().lock();
        out.write_all(&bytes)?;
        if asks {
            out.write_all(STATUS_REQUEST)?;
        }
        out.flush()
    }

    /// Waits for replies that are on their way: a shell would take them for keys.
    async fn collect_replies(&mut self) {
        while let Some(patience) = self.pace.outstanding() {
            match timeout(patience, self.keyboard.next()).await {
                Ok(Some(Typed::Ready)) => self.pace.replied(Instant::now()),
                Ok(Some(Typed::Event(_))) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }

    fn resume(&mut self) {
        if let Err(error) = self.guard.enter() {
            tracing::warn!(%error, "the terminal cannot be taken again");
        }
        self.painter.forget();
        self.resized();
    }

    fn resized(&mut self) {
        if let Ok((width, height)) = crossterm::terminal::size() {
            self.take_in(Message::Resized(width, height));
        }
        self.pace.wish(Wish::Prompt, Instant::now());
    }
}
