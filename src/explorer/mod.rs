//! The terminal program.
//!
//! ```text
//! keys, mouse, signals --input--> Message --+
//! answers, live entries ------------------- + --> update(&mut State, Message) -> Effects     pure
//!        ^                                             |
//!        +---- perform(Effect, Backend) <--------------+            the only async part
//!                                          view(&State, Buffer) -> Regions                   reads only
//!                                             |
//!                                          terminal: paints what changed, by scroll regions where rows moved
//! ```
//!
//! Invariants: `state`, `update` and `view` know no clock, socket, disk or terminal; text of entries is made safe once,
//! where it becomes a [`row::Row`]; every request has a number and only the latest of its kind is believed; the terminal is
//! given back by one routine, however the program ends; an idle explorer draws nothing.

mod action;
mod case;
mod clipboard;
mod effect;
mod error;
mod ink;
mod input;
mod keymap;
mod layout;
mod memory;
mod message;
mod options;
mod overlays;
mod pace;
mod panes;
mod perform;
mod plain;
mod regions;
mod request;
mod row;
mod runtime;
mod script;
mod sharing;
mod state;
mod terminal;
mod theme;
mod update;
mod view;
mod widgets;

#[cfg(test)]
mod tests;

pub use action::{ACTIONS, Group};
pub use case::{Case, CaseForm};
pub use error::Error;
pub use keymap::{Keymap, KeymapError};
pub use memory::{Memory, Remembered, SavedQuery};
pub use options::{Keeper, Options};
pub use runtime::{Ending, run};
pub use script::{ScriptError, play};
pub use theme::{Depth, Palette};
