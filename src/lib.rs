//! Tailwater: a terminal log explorer with its log service built in.

pub mod api;
pub mod backend;
pub mod base;
pub mod cli;
pub mod client;
pub mod config;
pub mod entry;
pub mod explorer;
pub mod files;
pub mod query;
pub mod service;
pub mod store;
