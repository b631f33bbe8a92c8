//! What a listener fired with, and what is done then.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::CloudEvent;

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
    /// An entry of the embedded log says so.
    Log {
        /// Its words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
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
