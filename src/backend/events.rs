//! Events of a service, in process or over HTTP, and how they are told.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use super::{Error, Services};
use crate::api::{
    ActionForm, EventAnswer, EventsAnswer, EventsMeta, EventsParams, FilterForm, FiringAnswer,
    HeldAnswer, ListenerAnswer, ListenersAnswer, ListenersMeta, ListenersParams, MAX_LIMIT,
};
use crate::base::Time;
use crate::entry::decode::time::parse;
use crate::events::{Action, Events, Firing, Held, Listener, Received};

/// Events in a page.
const PAGE: usize = 100;

/// Which events of the history are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventsAsked<'a> {
    /// Of this namespace; of all if nothing is said.
    pub namespace: Option<&'a str>,
    /// Taken before this.
    pub before: Option<Time>,
    /// Taken after this.
    pub after: Option<Time>,
    /// Whose type holds this.
    pub kind: Option<&'a str>,
    /// Whose JSON holds this.
    pub text: Option<&'a str>,
}

/// A page of events, newest first, of namespaces that may be read.
///
/// # Errors
/// The database refuses.
pub fn event_page(
    events: &Events,
    asked: EventsAsked<'_>,
    now: Time,
    may_read: impl Fn(&str) -> bool,
) -> Result<EventsAnswer, crate::events::Error> {
    let is_asked_for = |received: &Received| {
        may_read(&received.namespace)
            && asked.before.is_none_or(|before| received.at < before)
            && asked
                .kind
                .is_none_or(|part| received.event.kind().contains(part))
            && asked
                .text
                .is_none_or(|part| received.event.to_json().to_string().contains(part))
    };
    let mut data: Vec<EventAnswer> = Vec::new();
    let (mut previous, mut has_more) = (None, false);
    events.history(asked.namespace, u64::MAX, |received| {
        if asked.after.is_some_and(|after| received.at <= after) {
            return false;
        }
        if !is_asked_for(&received) {
            return true;
        }
        // Events of one moment are in one page: the next begins before it.
        has_more = data.len() >= PAGE && previous.is_some_and(|previous| received.at < previous);
        if !has_more {
            previous = Some(received.at);
            data.push(event_answer(&received));
        }
        !has_more
    })?;
    // Direktiv's clients take the time of the oldest event, and an empty page for the end.
    let meta = EventsMeta {
        previous_page: previous.map(|at| at.to_string()),
        starting_from: now.to_string(),
        has_more,
    };
    Ok(EventsAnswer { meta, data })
}

/// A page of listeners: the newest but so many, oldest first.
pub fn listener_page(
    events: &Events,
    namespace: Option<&str>,
    (limit, offset): (usize, usize),
    may_read: impl Fn(&str) -> bool,
) -> ListenersAnswer {
    let mut all = events.listeners(namespace);
    all.retain(|listener| may_read(&listener.namespace));
    let newest = all.iter().rev().skip(offset).take(limit);
    let mut data: Vec<ListenerAnswer> = newest.map(listener_answer).collect();
    data.reverse();
    let total = all.len() as u64;
    let meta = ListenersMeta { total };
    ListenersAnswer { meta, data }
}

impl Services {
    /// A page of events of every namespace, newest first; none where there can be none.
    ///
    /// # Errors
    /// The service cannot be reached, or refuses.
    pub async fn event_history(&self, before: Option<&str>) -> Result<Option<EventsAnswer>, Error> {
        if let Self::There(client) = self {
            let params = EventsParams {
                before: before.map(str::to_owned),
                ..EventsParams::default()
            };
            return Ok(Some(client.event_history(None, &params).await?));
        }
        let Some(events) = self.events() else {
            return Ok(None);
        };
        let now = Time::now();
        let asked = EventsAsked {
            before: before.and_then(|text| parse(text, now)),
            ..EventsAsked::default()
        };
        let page = event_page(events, asked, now, |_| true);
        Ok(Some(page.map_err(|error| Error::Said(error.to_string()))?))
    }

    /// The newest listeners of every namespace; none where there can be none.
    ///
    /// # Errors
    /// The service cannot be reached, or refuses.
    pub async fn listeners(&self) -> Result<Option<ListenersAnswer>, Error> {
        if let Self::There(client) = self {
            let params = ListenersParams {
                limit: Some(MAX_LIMIT.to_string()),
                ..ListenersParams::default()
            };
            return Ok(Some(client.listeners(None, &params).await?));
        }
        let page = |events| listener_page(events, None, (MAX_LIMIT, 0), |_| true);
        Ok(self.events().map(page))
    }

    /// Firings from now on, as they come; it ends where there can be none.
    #[must_use]
    pub fn firings(&self) -> BoxStream<'static, FiringAnswer> {
        if let Self::There(client) = self {
            return client.firings();
        }
        let Some(events) = self.events().cloned() else {
            return futures_util::stream::empty().boxed();
        };
        let newest = events.newest_firing();
        let at = *newest.borrow();
        let told = futures_util::stream::unfold(
            (events, newest, at),
            |(events, mut newest, at)| async move {
                newest.wait_for(|newest| *newest > at).await.ok()?;
                let (told, at) = firings_after(&events, at, |_| true);
                Some((futures_util::stream::iter(told), (events, newest, at)))
            },
        );
        told.flatten().boxed()
    }

    fn events(&self) -> Option<&Events> {
        match self {
            Self::Here(here) => here.events.as_ref(),
            Self::None | Self::There(_) => None,
        }
    }
}

/// An event that was taken, as it is told.
#[must_use]
pub fn event_answer(received: &Received) -> EventAnswer {
    EventAnswer {
        event: received.event.to_json(),
        namespace: received.namespace.clone(),
        received_at: received.at.to_string(),
        serial_id: received.number,
        trace: received.event.trace(),
    }
}

/// What a listener fired with, as it is told.
#[must_use]
pub fn firing_answer(firing: &Firing) -> FiringAnswer {
    FiringAnswer {
        id: firing.id.clone(),
        listener: firing.listener.to_string(),
        namespace: firing.namespace.clone(),
        at: Time(firing.at).to_string(),
        trace: firing.trace(),
        action: firing.action.as_ref().map(action_form),
        events: firing.events.iter().map(|event| event.to_json()).collect(),
    }
}

/// A listener as it is told.
#[must_use]
pub fn listener_answer(listener: &Listener) -> ListenerAnswer {
    let trigger = serde_json::to_value(listener.trigger).unwrap_or_default();
    let held = |held: &Held| HeldAnswer {
        kind: held.event.kind().to_owned(),
        id: held.event.id().to_owned(),
        source: held.event.source().to_owned(),
    };
    let awaited = listener.awaits().into_iter().map(str::to_owned);
    let waits = listener.trigger.waits();
    ListenerAnswer {
        id: listener.id.to_string(),
        created_at: Time(listener.created).to_string(),
        updated_at: Time(listener.updated).to_string(),
        namespace: listener.namespace.clone(),
        trigger_type: trigger.as_str().unwrap_or_default().to_owned(),
        trigger_workflow: listener.action.as_ref().map(target),
        trigger_instance: waits.then(|| listener.id.to_string()),
        listening_for_event_types: listener.types.clone(),
        still_waiting_for: if listener.trigger.collects() {
            awaited.collect()
        } else {
            Vec::new()
        },
        event_context_filters: listener
            .filters
            .iter()
            .map(|filter| FilterForm {
                kind: filter.kind.clone(),
                context: filter.context.clone(),
            })
            .collect(),
        received_events_for_and_trigger: listener.held.iter().map(held).collect(),
        lifespan_of_received_events: listener.lifespan,
        fired: listener.fired,
        action: listener.action.as_ref().map(action_form),
    }
}

/// What an action is done to, in a few words.
fn target(action: &Action) -> String {
    let of = match action {
        Action::Webhook { url, .. } => Some(url),
        Action::Command { name } => Some(name),
        Action::Log { text } => text.as_ref(),
        Action::View { query, text } => text.as_ref().or(query.as_ref()),
    };
    let kind = action.kind();
    of.map_or_else(|| kind.to_owned(), |of| format!("{kind} {of}"))
}

fn action_form(action: &Action) -> ActionForm {
    match action.clone() {
        // What signs is told to nobody.
        Action::Webhook { url, .. } => ActionForm::Webhook { url, secret: None },
        Action::Command { name } => ActionForm::Command { name },
        Action::Log { text } => ActionForm::Log { text },
        Action::View { query, text } => ActionForm::View { query, text },
    }
}

/// An action of its form.
#[must_use]
pub fn action_of(form: ActionForm) -> Action {
    match form {
        ActionForm::Webhook { url, secret } => Action::Webhook { url, secret },
        ActionForm::Command { name } => Action::Command { name },
        ActionForm::Log { text } => Action::Log { text },
        ActionForm::View { query, text } => Action::View { query, text },
    }
}

/// Firings after a number, of namespaces that may be read, and the number of the last.
pub fn firings_after(
    events: &Events,
    number: u64,
    may_read: impl Fn(&str) -> bool,
) -> (Vec<FiringAnswer>, u64) {
    let (firings, at) = events.firings_after(number);
    let told = firings
        .iter()
        .filter(|firing: &&Arc<Firing>| may_read(&firing.namespace));
    (told.map(|firing| firing_answer(firing)).collect(), at)
}
