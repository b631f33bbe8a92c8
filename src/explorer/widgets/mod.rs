//! Small drawing pieces that every pane uses.

mod frame;
mod line;
mod numbers;
mod wrap;

pub(super) use frame::{below_title, frame, scrolled};
pub(super) use line::{Runs, put, put_right, width_of};
pub(super) use numbers::per_second;
pub(super) use wrap::{lines_of, wrapped};
