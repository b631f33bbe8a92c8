//! End-to-end tests: the real binary, on free ports, in a pseudo-terminal; and the tidiness of the sources.

mod access;
mod api;
mod cli;
mod conformance;
mod direktiv;
mod durability;
mod events;
mod explorer;
mod far;
mod files;
mod intake;
mod kept;
mod log;
mod logdir;
mod pipelines;
mod story;
mod support;
mod terminal;
mod tidy;
mod transport;
mod triage;
