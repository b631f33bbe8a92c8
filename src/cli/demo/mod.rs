//! A believable incident, told from a seed.
//!
//! The story is data (`assets/demo.toml`): services with their messages, and what goes wrong when. The same seed and the
//! same end tell the same story, entry by entry.

mod story;
mod teller;

pub(super) use teller::Teller;
