//! What a listener fired with, and what is done then.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{CloudEvent, ListenerError, Program};
use crate::client::Shipper;
use crate::query::Query;

/// How long the answer of who is told over HTTP is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// What is done when a listener fires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum Action {
    /// The events are posted, as a batch.
    Webhook {
        /// To where.
        url: String,
        /// With what the body is signed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        secret: Option<String>,
    },
    /// A program that the configuration names gets the events on standard input, as a batch.
    Command {
        /// What the configuration calls it.
        name: String,
    },
    /// An entry of the embedded log says so.
    Log {
        /// Its words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// Open explorers tell of it, and lead to the moment.
    View {
        /// What they show then, as typed; everything of the trace or the moment if nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        query: Option<String>,
        /// Their words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
}

impl Action {
    /// Its name in a listener's form.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Command { .. } => "command",
            Self::Log { .. } => "log",
            Self::View { .. } => "view",
        }
    }

    /// Whether it could ever be done.
    ///
    /// # Errors
    /// Its address is none, its query is none, or nobody named such a command.
    pub fn check(&self, commands: &BTreeMap<String, Program>) -> Result<(), ListenerError> {
        match self {
            Self::Webhook { url, .. } => match Shipper::new(url, "/", None, &[].into(), PATIENCE) {
                Ok(_) => Ok(()),
                Err(error) => Err(ListenerError::new(
                    "action.url",
                    &format!("an address: {error}"),
                )),
            },
            Self::Command { name } if !commands.contains_key(name) => {
                let known: Vec<&str> = commands.keys().map(String::as_str).collect();
                let known = match known.as_slice() {
                    [] => "none is named".to_owned(),
                    known => format!("there are {}", known.join(", ")),
                };
                let expected = format!(
                    "a command that [events.commands] of the configuration names ({known}), found {name:?}"
                );
                Err(ListenerError::new("action.name", &expected))
            }
            Self::View {
                query: Some(query), ..
            } => {
                let parsed = query.parse::<Query>();
                parsed.map(|_| ()).map_err(|error| {
                    ListenerError::new("action.query", &format!("a query: {error}"))
                })
            }
            Self::Command { .. } | Self::Log { .. } | Self::View { .. } => Ok(()),
        }
    }
}

/// What a listener fired with. Whatever is done about it may be done twice, under the same id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Firing {
    /// What it is called: of the listener, and the how-manyth of it.
    pub id: String,
    /// Which listener fired.
    pub listener: Uuid,
    /// Whose events.
    pub namespace: String,
    /// What is to be done; nothing but to tell who waits.
    pub action: Option<Action>,
    /// In the order in which they came.
    pub events: Vec<Arc<CloudEvent>>,
    /// When, nanoseconds since 1970.
    pub at: i64,
}

impl Firing {
    /// The trace that its events belong to, if one of them says so.
    #[must_use]
    pub fn trace(&self) -> Option<String> {
        self.events.iter().find_map(|event| event.trace())
    }
}
