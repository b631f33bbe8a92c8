//! Parameters and answers of events and listeners, in the forms of Direktiv's gateway.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// How events are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct BroadcastParams {
    /// They are offered after so long: `90s`, `5m`; until then they are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<String>,
}

/// Which events are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, rename_all = "camelCase")]
pub struct EventsParams {
    /// Only those before this time: the page that comes next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Only those that were taken before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received_before: Option<String>,
    /// Only those that were taken after this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received_after: Option<String>,
    /// The same as `receivedBefore`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_before: Option<String>,
    /// The same as `receivedAfter`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_after: Option<String>,
    /// Only those whose JSON holds this text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_contains: Option<String>,
    /// Only those whose type holds this text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_contains: Option<String>,
}

/// An event that was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Event)]
#[serde(rename_all = "camelCase")]
pub struct EventAnswer {
    /// The event, as a structured message writes it.
    #[schema(value_type = Object)]
    pub event: Value,
    /// Whose it is.
    pub namespace: String,
    /// When it was taken.
    pub received_at: String,
    /// Its number: later ones have higher ones.
    #[serde(rename = "serialID")]
    pub serial_id: u64,
    /// The trace that it belongs to, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// Where a page of events stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventsMeta {
    /// What `before` of the next page is, if there is one.
    pub previous_page: Option<String>,
    /// When the page was read.
    pub starting_from: String,
    /// Whether there is more in the next page.
    #[serde(default)]
    pub has_more: bool,
}

/// A page of events, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Events)]
pub struct EventsAnswer {
    /// Where it stands.
    pub meta: EventsMeta,
    /// The events.
    pub data: Vec<EventAnswer>,
}

/// Which page of listeners.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ListenersParams {
    /// Listeners in the page, 1 to 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// Listeners before it, the newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<String>,
}

/// Which events of a type a listener is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ContextFilter)]
pub struct FilterForm {
    /// The type that it decides on.
    #[serde(rename = "type")]
    pub kind: String,
    /// Patterns by the names of attributes and extensions; `*` stands for any text.
    #[serde(default)]
    pub context: BTreeMap<String, String>,
}

impl FilterForm {
    /// Filters as they are typed, `TYPE.ATTRIBUTE=PATTERN`: those of a type become one.
    ///
    /// # Errors
    /// What was found instead.
    pub fn parse_all(texts: &[String]) -> Result<Vec<Self>, String> {
        let mut filters: Vec<Self> = Vec::new();
        for text in texts {
            let parts = text.split_once('=').and_then(|(name, pattern)| {
                // Types have dots of their own.
                let (kind, name) = name.rsplit_once('.')?;
                Some((kind, name, pattern))
            });
            let (kind, name, pattern) =
                parts.ok_or_else(|| format!("expected TYPE.ATTRIBUTE=PATTERN, found {text:?}"))?;
            let (name, pattern) = (name.to_owned(), pattern.to_owned());
            match filters.iter_mut().find(|filter| filter.kind == kind) {
                Some(filter) => drop(filter.context.insert(name, pattern)),
                None => filters.push(Self {
                    kind: kind.to_owned(),
                    context: [(name, pattern)].into(),
                }),
            }
        }
        Ok(filters)
    }
}

/// What is done when a listener fires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Action)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum ActionForm {
    /// The events are posted as a batch.
    Webhook {
        /// To where.
        url: String,
        /// With what the body is signed; never told again.
        #[serde(default, skip_serializing)]
        secret: Option<String>,
    },
    /// A program that the configuration of the service names gets the events on standard input, as a batch.
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
        /// What they show then, as typed; everything of the trace or the moment if it is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        query: Option<String>,
        /// Their words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
}

/// What shall wait for events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = NewListener)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListenerForm {
    /// `StartSimple`, `StartOR`, `StartAnd`, `WaitSimple`, `WaitOR` or `WaitAnd`.
    pub trigger_type: String,
    /// Types of events.
    pub listening_for_event_types: Vec<String>,
    /// Which of them.
    #[serde(default)]
    pub event_context_filters: Vec<FilterForm>,
    /// How long a collected event counts: `10m`; for ever if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifespan: Option<String>,
    /// What is done when it fires; of one that starts something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<ActionForm>,
}

/// An event that is held until the others have come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = HeldEvent)]
pub struct HeldAnswer {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Where it happened.
    pub source: String,
}

/// What waits for events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Listener)]
#[serde(rename_all = "camelCase")]
pub struct ListenerAnswer {
    /// What it is called.
    pub id: String,
    /// When it was made.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// Whose events.
    pub namespace: String,
    /// When it fires.
    pub trigger_type: String,
    /// Types of events.
    pub listening_for_event_types: Vec<String>,
    /// Types of which no event is held yet, of one that waits for all of them.
    pub still_waiting_for: Vec<String>,
    /// Which of them.
    pub event_context_filters: Vec<FilterForm>,
    /// Events that are held.
    pub received_events_for_and_trigger: Vec<HeldAnswer>,
    /// How long a collected event counts, milliseconds; 0 is for ever.
    pub lifespan_of_received_events: u64,
    /// How often it has fired.
    pub fired: u64,
    /// What it starts, where Direktiv names a workflow; of one that starts something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger_workflow: Option<String>,
    /// Who waits, where Direktiv names an instance: its own id; of one that waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger_instance: Option<String>,
    /// What is done when it fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<ActionForm>,
}

/// How many listeners there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListenersMeta {
    /// In all pages.
    pub total: u64,
}

/// A page of listeners.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Listeners)]
pub struct ListenersAnswer {
    /// How many there are.
    pub meta: ListenersMeta,
    /// The listeners of the page, oldest first.
    pub data: Vec<ListenerAnswer>,
}

/// What a listener fired with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Firing)]
pub struct FiringAnswer {
    /// What it is called; whatever is done about it twice has the same.
    pub id: String,
    /// Which listener fired.
    pub listener: String,
    /// Whose events.
    pub namespace: String,
    /// When.
    pub at: String,
    /// The trace that its events belong to, if one of them says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// What is done; nothing if somebody waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<ActionForm>,
    /// The events, in the order in which they came.
    #[schema(value_type = Vec<Object>)]
    pub events: Vec<Value>,
}

/// A firing whose action failed for good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = DeadLetter)]
pub struct DeadAnswer {
    /// What failed.
    pub firing: FiringAnswer,
    /// Why, the last time.
    pub reason: String,
    /// When it was given up.
    pub at: String,
}

/// What is waited for; a parameter may be given several times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct WaitParams {
    /// A type of events; several times for several.
    #[serde(rename = "type", skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// `all`: one event of each type; `any`, as when it is not said: the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// `TYPE.ATTRIBUTE=PATTERN`; several times for several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<String>,
    /// A listener that an earlier answer named: it is waited for again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listener: Option<String>,
}
