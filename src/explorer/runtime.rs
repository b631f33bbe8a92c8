//! The loop: waits, drains what is there, draws once.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::Event;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::Error;
use super::case::Case;
use super::clipboard;
use super::effect::{Effect, Effects};
use super::input;
use super::keymap::Keymap;
use super::message::Message;
use super::pace::{Pace, Wish};
use super::perform::Performer;
use super::regions::Regions;
use super::state::{Chip, State};
use super::terminal::{Guard, Painter, depth, give_back, watch};
use super::theme::{Depth, Theme};
use super::update::{start, update};
use super::view::view;
use crate::backend::{Backend, Services};
use crate::base::shutdown::{SignalNumber, Wishes};
use crate::base::{Gauge, Time, Zone};
use crate::query::{Expression, Field, Query};

/// Draining before a frame takes at most so long.
const DRAIN: Duration = Duration::from_millis(8);
/// How often the progress of loading is looked at.
const LOADING_TICK: Duration = Duration::from_millis(150);

/// How the explorer begins.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What is explored, as the user named it.
    pub name: String,
    /// The first query, as typed.
    pub query: String,
    /// Only this namespace at first.
    pub namespace: Option<String>,
    /// Colours; `None` asks the environment.
    pub colors: Option<Depth>,
    /// Whether the mouse is asked for.
    pub mouse: bool,
    /// Keys that differ from the built-in ones.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Where copies are also kept.
    pub state_dir: Option<PathBuf>,
    /// Said at the start.
    pub notes: Vec<String>,
    /// Begin around this time, not at the end.
    pub at: Option<Time>,
    /// What was marked before; and what is explored, as it was named on the command line.
    pub case: Case,
}

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
    let signals = Signals::new().map_err(Error::Terminal)?;
    let guard = Guard::take(options.mouse).map_err(Error::Terminal)?;
    let size = crossterm::terminal::size().map_err(Error::Terminal)?;
    let mut state = State::new(options.name, keymap, size, Time::now());
    state.joins = backend.joins();
    state.case = options.case;
    state.other_zone = Zone::system();
    prepare(&mut state, &options.query, options.namespace, options.notes);
    let (sender, messages) = mpsc::unbounded_channel();
    let mut runtime = Runtime {
        state,
        theme: Theme::new(options.colors.unwrap_or_else(depth)),
        painter: Painter::new(),
        regions: Regions::default(),
        performer: Performer::new(backend, services, sender.clone()),
        sender,
        messages,
        state_dir: options.state_dir,
        loading,
        guard,
        pace: Pace::new(),
        ending: None,
        at: options.at,
    };
    let ending = runtime.run(signals).await;
    drop(runtime);
    ending.map_err(Error::Terminal)
}

/// Puts the wishes of the command line into a fresh state.
fn prepare(state: &mut State, query: &str, namespace: Option<String>, notes: Vec<String>) {
    if let Some(namespace) = namespace {
        state.filters.add(Chip::include(Expression::equals(
            Field::Namespace,
            namespace,
        )));
    }
    state.filters.typed = query.parse().unwrap_or_else(|_| Query::default());
    query.clone_into(&mut state.filters.typed_text);
    if let Some(note) = notes.into_iter().next() {
        let until = state.now.later(Duration::from_secs(15));
        state.notice = Some(super::state::Notice {
            text: note,
            failure: true,
            until,
        });
    }
}

/// Signals that are waited for.
struct Signals {
    suspend: Signal,
    resume: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        // SIGTSTP and SIGCONT have the same numbers on every Linux.
        let number = |signal: rustix::process::Signal| SignalKind::from_raw(signal.as_raw());
        Ok(Self {
            suspend: signal(number(rustix::process::Signal::TSTP))?,
            resume: signal(number(rustix::process::Signal::CONT))?,
        })
    }
}

/// The terminal's events, through a channel that closes when the input ends.
///
/// They are read on a thread of their own, not on the runtime: the library's reading never returns once the terminal has
/// hung up, and must not hold up what then has to be put away. The thread ends with the process.
fn read_events() -> UnboundedReceiver<Event> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let reading = std::thread::Builder::new()
        .name("terminal-input".into())
        .spawn(move || {
            while let Ok(event) = crossterm::event::read() {
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
    drop(reading);
    receiver
}

struct Runtime {
    state: State,
    theme: Theme,
    painter: Painter,
    regions: Regions,
    performer: Performer,
    sender: mpsc::UnboundedSender<Message>,
    messages: UnboundedReceiver<Message>,
    state_dir: Option<PathBuf>,
    loading: Option<Arc<Gauge>>,
    guard: Guard,
    pace: Pace,
    ending: Option<Ending>,
    /// Where it begins, if not at the end.
    at: Option<Time>,
}

impl Runtime {
    async fn run(&mut self, mut signals: Signals) -> std::io::Result<Ending> {
        let mut events = read_events();
        let mut vanished = watch();
        let mut wishes = Wishes::listen()?;
        let mut tick = tokio::time::interval(LOADING_TICK);
        let effects = start(&mut self.state, self.at);
        self.perform(effects);
        loop {
            if let Some(ending) = self.ending {
                return Ok(ending);
            }
            let due = self.pace.due();
            if due.is_some_and(|due| due <= Instant::now()) && self.draw().is_err() {
                return Ok(Ending::Vanished);
            }
            let due = self.pace.due().map(tokio::time::Instant::from_std);
            tokio::select! {
                biased;
                event = events.recv() => match event {
                    Some(event) => self.drain(Some(event), None, &mut events),
                    // Without input there is nobody to explore for.
                    None => return Ok(Ending::Vanished),
                },
                signal = wishes.ended() => return Ok(Ending::Signal(signal)),
                _ = &mut vanished => return Ok(Ending::Vanished),
                _ = signals.suspend.recv() => self.suspend(false),
                _ = signals.resume.recv() => self.resume(),
                message = self.messages.recv() => self.drain(None, message, &mut events),
                _ = tick.tick(), if self.loading.is_some() => self.look_at_loading(),
                () = tokio::time::sleep_until(due.unwrap_or_else(tokio::time::Instant::now)), if due.is_some() => {}
            }
        }
    }

    /// Takes in what is there, keys before answers, for a bounded time.
    fn drain(
        &mut self,
        event: Option<Event>,
        message: Option<Message>,
        events: &mut UnboundedReceiver<Event>,
    ) {
        let started = Instant::now();
        self.take_in(Message::Clock(Time::now()));
        let (mut event, mut message) = (event, message);
        while event.is_some() || message.is_some() {
            if let Some(message) = event
                .take()
                .and_then(|event| input::message(event, &self.regions))
            {
                self.take_in(message);
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
            event = events.try_recv().ok();
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
        let effects = update(&mut self.state, message);
        // The first frame waits a moment for both the first page and the namespaces: columns do not jump, and the screen is
        // drawn once.
        let ready =
            self.pace.begun || (self.state.window.len() > 0 && !self.state.namespaces.is_empty());
        self.pace.wish = self
            .pace
            .wish
            .max(if ready { wish } else { wish.min(Wish::Quiet) });
        self.perform(effects);
    }

    fn perform(&mut self, effects: Effects) {
        for effect in effects.0 {
            match effect {
                Effect::Quit => self.ending = Some(Ending::Left),
                Effect::Suspend => self.suspend(true),
                Effect::Redraw => self.painter.forget(),
                Effect::Copy(text) => self.copy(text),
                other => self.performer.perform(other),
            }
        }
    }

    fn copy(&self, text: String) {
        let (sender, dir) = (self.sender.clone(), self.state_dir.clone());
        tokio::task::spawn_blocking(move || {
            let copied = clipboard::copy(&text, dir.as_ref());
            if let Some(sequence) = copied.sequence {
                let mut out = std::io::stdout().lock();
                let _ = out.write_all(&sequence).and_then(|()| out.flush());
            }
            let _ = sender.send(Message::Done(Ok(copied.how)));
        });
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
        let started = Instant::now();
        let (width, height) = self.state.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        self.regions = view(&self.state, self.theme, &mut buffer);
        let bytes = self
            .painter
            .paint(&buffer, self.regions.log, self.regions.cursor);
        self.pace.drawn(bytes.len());
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
        out.flush()
    }

    /// Gives the terminal back and stops; with the whole job when a key asked for it, as a shell's ctrl-z does.
    fn suspend(&mut self, job: bool) {
        use rustix::process::{Signal, getpid, kill_current_process_group, kill_process};
        give_back();
        // Execution goes on here when somebody continues us.
        let stopped = if job {
            kill_current_process_group(Signal::STOP)
        } else {
            kill_process(getpid(), Signal::STOP)
        };
        if let Err(error) = stopped {
            tracing::warn!(%error, "cannot stop");
        }
        self.resume();
    }

    fn resume(&mut self) {
        if let Err(error) = self.guard.enter() {
            tracing::warn!(%error, "the terminal cannot be taken again");
        }
        if let Ok((width, height)) = crossterm::terminal::size() {
            self.take_in(Message::Resized(width, height));
        }
        self.painter.forget();
        self.pace.wish = Wish::Prompt;
    }
}
