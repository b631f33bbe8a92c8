//! Tailwater: a terminal log explorer with its log service built in.

pub mod base;
pub mod entry;
pub mod query;
pub mod store;
pub mod api;
pub mod client;
pub mod backend;
pub mod service;
pub mod files;
pub mod explorer;
pub mod config;
pub mod cli;
