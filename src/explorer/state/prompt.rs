//! The one-line inputs: query, search, text filter.

use tui_input::{Input, InputRequest};

use crate::explorer::keymap::{Code, Key};
use crate::query::{ParseQueryError, Query};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::explorer) enum PromptKind {
    Query,
    Search,
    TextFilter,
    Time,
    Note,
    Export,
    Save,
    /// Of one of several logs.
    Skew(usize),
    /// Of one of several plain files.
    Format(usize),
}

impl PromptKind {
    /// What stands before the input.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Query => "query ›",
            Self::Search => "search /",
            Self::TextFilter => "only &",
            Self::Time => "go to @",
            Self::Note => "note ›",
            Self::Export => "export to (.ndjson .csv) ›",
            Self::Save => "save as (name, or name > 5 in 1m to be told) ›",
            Self::Skew(_) => "add to its times ›",
            Self::Format(_) => "take its lines for ›",
        }
    }
}

/// What could complete the word at the caret.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::explorer) struct Completion {
    /// Byte of the text where the word starts.
    pub start: usize,
    pub values: Vec<String>,
    /// Whether they are names of fields: a colon follows.
    pub names: bool,
    pub chosen: Option<usize>,
}

/// An input being edited.
#[derive(Clone, Debug)]
pub(in crate::explorer) struct Prompt {
    pub kind: PromptKind,
    pub input: Input,
    pub completion: Completion,
    /// How far back in the earlier lines.
    pub recalled: usize,
}

impl Prompt {
    pub fn new(kind: PromptKind, text: String) -> Self {
        Self {
            kind,
            input: Input::new(text),
            completion: Completion::default(),
            recalled: 0,
        }
    }

    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// The byte at the caret.
    pub fn caret(&self) -> usize {
        self.text()
            .char_indices()
            .nth(self.input.cursor())
            .map_or(self.text().len(), |(at, _)| at)
    }

    /// What is wrong with a query.
    pub fn error(&self) -> Option<ParseQueryError> {
        if self.kind == PromptKind::Query {
            self.text().parse::<Query>().err()
        } else {
            None
        }
    }

    /// Replaces the text; the caret goes to its end.
    pub fn set(&mut self, text: String) {
        self.input = Input::new(text);
    }

    /// Inserts text as if typed; line ends become spaces.
    pub fn insert(&mut self, text: &str) {
        for character in text.chars().map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        }) {
            let _ = self.input.handle(InputRequest::InsertChar(character));
        }
    }

    /// Edits by a key, if it is an editing key.
    pub fn edit(&mut self, key: Key) -> bool {
        let request = match (key.code, key.ctrl, key.alt) {
            (Code::Char(character), false, false) => InputRequest::InsertChar(character),
            (Code::Backspace, false, false) | (Code::Char('h'), true, _) => {
                InputRequest::DeletePrevChar
            }
            (Code::Delete, ..) => InputRequest::DeleteNextChar,
            (Code::Left, false, _) => InputRequest::GoToPrevChar,
            (Code::Right, false, _) => InputRequest::GoToNextChar,
            (Code::Left, true, _) | (Code::Char('b'), _, true) => InputRequest::GoToPrevWord,
            (Code::Right, true, _) | (Code::Char('f'), _, true) => InputRequest::GoToNextWord,
            (Code::Home, ..) | (Code::Char('a'), true, _) => InputRequest::GoToStart,
            (Code::End, ..) | (Code::Char('e'), true, _) => InputRequest::GoToEnd,
            (Code::Char('w'), true, _) | (Code::Backspace, _, true) => InputRequest::DeletePrevWord,
            (Code::Char('u'), true, _) => InputRequest::DeleteLine,
            (Code::Char('k'), true, _) => InputRequest::DeleteTillEnd,
            _ => return false,
        };
        let _ = self.input.handle(request);
        true
    }
}
