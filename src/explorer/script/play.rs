//! Playing a script: the explorer's own keymap, update and view, and real answers; only the terminal is missing.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::{Instant, timeout, timeout_at};

use super::picture::picture;
use super::{Step, steps};
use crate::backend::{Backend, Services};
use crate::base::{NewFile, Time};
use crate::explorer::effect::{Effect, Effects};
use crate::explorer::keymap::Keymap;
use crate::explorer::message::{Live, Message};
use crate::explorer::options::Options;
use crate::explorer::perform::Performer;
use crate::explorer::state::State;
use crate::explorer::theme::{Depth, Theme};
use crate::explorer::update::{start, update};
use crate::explorer::view::view;

/// How long an answer, or what is waited for, may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// What comes by itself within this time still belongs to a step.
const CALM: Duration = Duration::from_millis(30);

/// Why a script was not played to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// The file cannot be read.
    #[error("cannot read the script {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is not understood, or what it waits for does not come.
    #[error("line {line}: {reason}")]
    Line {
        /// The line, from 1.
        line: usize,
        /// What was expected, and what was found.
        reason: String,
    },
    /// A screen cannot be written.
    #[error("cannot write a screen: {0}")]
    Write(#[from] std::io::Error),
    /// A key of the configuration.
    #[error(transparent)]
    Keymap(#[from] crate::explorer::KeymapError),
}

/// Plays a script and prints its screens.
///
/// # Errors
/// The script cannot be read or is not understood; what it waits for does not come; a screen cannot be written.
pub async fn play(
    script: &Path,
    options: Options,
    backend: Backend,
    services: Services,
    out: &mut dyn Write,
) -> Result<(), ScriptError> {
    let text = std::fs::read_to_string(script).map_err(|source| ScriptError::Unreadable {
        path: script.to_owned(),
        source,
    })?;
    let steps = steps(&text)?;
    let size = steps.iter().find_map(|(_, step)| match step {
        Step::Size(width, height) => Some((*width, *height)),
        _ => None,
    });
    let keymap = Keymap::with(&options.keys)?;
    let mut state = State::new(
        options.name.clone(),
        keymap,
        size.unwrap_or((80, 24)),
        Time::now(),
    );
    state.joins = backend.joins();
    let at = options.prepare(&mut state);
    let (sender, messages) = mpsc::unbounded_channel();
    let depth = options.colors.unwrap_or(Depth::Truecolor);
    let mut playing = Playing {
        state,
        theme: Theme::new(depth, options.palette),
        performer: Performer::new(backend, services, sender),
        messages,
        has_left: false,
    };
    let effects = start(&mut playing.state, at);
    playing.perform(effects);
    playing.settle().await;
    for (line, step) in steps {
        if playing.has_left {
            return Ok(());
        }
        playing.step(line, step, out).await?;
    }
    Ok(())
}

struct Playing {
    state: State,
    theme: Theme,
    performer: Performer,
    messages: UnboundedReceiver<Message>,
    has_left: bool,
}

impl Playing {
    async fn step(
        &mut self,
        line: usize,
        step: Step,
        out: &mut dyn Write,
    ) -> Result<(), ScriptError> {
        match step {
            Step::Size(width, height) => {
                self.take_in(Message::Resized(width, height));
                self.settle().await;
            }
            Step::Keys(keys) => {
                for key in keys {
                    self.take_in(Message::Clock(Time::now()));
                    self.take_in(Message::Key(key));
                    self.settle().await;
                }
            }
            Step::Wait(text) => self.wait(line, &text).await?,
            Step::Screen(name) => {
                if !name.is_empty() {
                    writeln!(out, "── {name}")?;
                }
                for row in rows(&self.draw()) {
                    writeln!(out, "{}", row.trim_end())?;
                }
            }
            Step::Picture(path) => {
                let mut file = NewFile::replacing(&path)?;
                file.write_all(picture(&self.draw()).as_bytes())?;
                file.finish()?;
            }
        }
        Ok(())
    }

    /// Takes in what comes until the screen shows a text.
    async fn wait(&mut self, line: usize, text: &str) -> Result<(), ScriptError> {
        let until = Instant::now() + PATIENCE;
        while !rows(&self.draw()).iter().any(|row| row.contains(text)) {
            if let Ok(Some(message)) = timeout_at(until, self.messages.recv()).await {
                self.take_in(message);
                continue;
            }
            let waited = PATIENCE.as_secs();
            let reason = format!("the screen does not show {text:?} within {waited} seconds");
            return Err(ScriptError::Line { line, reason });
        }
        Ok(())
    }

    /// Takes in what comes until everything that was asked for is answered. What arrives by itself is not waited for.
    async fn settle(&mut self) {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let is_answered = self.state.requests.is_answered();
            let waiting = if is_answered {
                timeout(CALM, self.messages.recv()).await
            } else {
                timeout_at(until, self.messages.recv()).await
            };
            let Ok(Some(message)) = waiting else {
                return;
            };
            let came_by_itself = matches!(message, Message::Live(..));
            self.take_in(message);
            if is_answered && came_by_itself {
                return;
            }
        }
    }

    fn take_in(&mut self, message: Message) {
        let is_live = matches!(message, Message::Live(_, Live::Entries(..)));
        let is_feed = matches!(message, Message::Live(..));
        if is_live {
            self.state.now = Time::now();
        }
        let effects = update(&mut self.state, message);
        if is_feed {
            self.performer.taken_in();
        }
        self.perform(effects);
    }

    fn perform(&mut self, effects: Effects) {
        for effect in effects.0 {
            match effect {
                Effect::Quit => self.has_left = true,
                // What belongs to a terminal or to the next run has no meaning here.
                Effect::Copy(..) | Effect::View(..) | Effect::Notify(_) | Effect::Keep(_) => {}
                other => self.performer.perform(other),
            }
        }
    }

    fn draw(&self) -> Buffer {
        let (width, height) = self.state.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        view(&self.state, self.theme, &mut buffer);
        buffer
    }
}

/// The rows of a screen as text.
fn rows(screen: &Buffer) -> Vec<String> {
    use unicode_width::UnicodeWidthStr;
    let width = usize::from(screen.area.width).max(1);
    let row = |cells: &[ratatui::buffer::Cell]| {
        let (mut text, mut is_covered) = (String::new(), false);
        for cell in cells {
            if !is_covered {
                text.push_str(cell.symbol());
            }
            is_covered = cell.symbol().width() == 2;
        }
        text
    };
    screen.content.chunks(width).map(row).collect()
}
