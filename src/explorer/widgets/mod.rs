//! Small drawing pieces that every pane uses.

mod frame;
mod line;
mod wrap;

pub(super) use frame::{frame, scrolled};
pub(super) use line::{Runs, put, put_right, width_of};
pub(super) use wrap::{lines_of, wrapped};
