//! One command a file: from arguments to calls into rooms.

pub(super) mod case;
pub(super) mod completions;
pub(super) mod config;
pub(super) mod demo;
pub(super) mod doctor;
pub(super) mod events;
pub(super) mod explore;
pub(super) mod ingest;
pub(super) mod keys;
pub(super) mod log;
pub(super) mod logdir;
pub(super) mod pipelines;
pub(super) mod query;
pub(super) mod serve;
pub(super) mod store;
pub(super) mod stream;
pub(super) mod tail;
pub(super) mod token;

use super::Error;
use crate::query::{Expression, Field, Query};

/// A query of the command line, narrowed to the namespace of the settings.
fn parse_query(text: &str, namespace: Option<&str>) -> Result<Query, Error> {
    let query: Query = text.parse().map_err(|error| Error::Query {
        text: text.to_owned(),
        error,
    })?;
    let namespace = namespace.map(|name| Expression::equals(Field::Namespace, name));
    Ok(Query(Expression::all(
        namespace.into_iter().chain([query.0]),
    )))
}
