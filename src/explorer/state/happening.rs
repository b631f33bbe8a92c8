//! Events and listeners of what is explored, as they were last listed, and firings as they came.

use serde_json::Value;

use super::Answered;
use crate::api::{EventAnswer, EventsAnswer, FiringAnswer, ListenerAnswer, ListenersAnswer};
use crate::explorer::overlays::{EventsTab, Listing};

/// Firings that are remembered.
const MAX_FIRINGS: usize = 200;

/// What happened elsewhere.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::explorer) struct Happening {
    pub history: Answered<EventsAnswer>,
    pub listeners: Answered<ListenersAnswer>,
    /// Since the explorer runs, the newest first.
    pub firings: Vec<FiringAnswer>,
    /// Of those, how many nobody has looked at.
    pub unseen: usize,
}

/// Something in a list of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::explorer) enum Happened<'h> {
    Event(&'h EventAnswer),
    Listener(&'h ListenerAnswer),
    Firing(&'h FiringAnswer),
}

/// A text of an event.
pub(in crate::explorer) fn attribute<'e>(event: &'e Value, name: &str) -> &'e str {
    event[name].as_str().unwrap_or_default()
}

impl Happening {
    /// Takes in a page of the history: the newest, or what is older than what is known.
    pub fn took(&mut self, before: Option<&str>, answer: Result<Option<EventsAnswer>, String>) {
        let known = self.history.told(answer);
        let (Some(mut known), Some(now)) = (known, &mut self.history.now) else {
            return;
        };
        if before.is_some() {
            known.data.append(&mut now.data);
            now.data = known.data;
            return;
        }
        // The newest again: what is older stays, unless there is a gap between.
        let reaches = |of: &EventAnswer| now.data.iter().any(|one| one.serial_id == of.serial_id);
        if let Some(at) = known.data.iter().rposition(reaches) {
            let older = known.data.split_off(at + 1);
            if !older.is_empty() {
                now.data.extend(older);
                now.meta = known.meta;
            }
        }
    }

    /// Takes in a firing.
    pub fn fired(&mut self, firing: FiringAnswer) {
        self.firings.insert(0, firing);
        self.firings.truncate(MAX_FIRINGS);
        self.unseen = (self.unseen + 1).min(MAX_FIRINGS);
    }

    /// Where the next page of the history begins, if there is one.
    pub fn more(&self) -> Option<&str> {
        let meta = &self.history.now.as_ref()?.meta;
        meta.previous_page.as_deref().filter(|_| meta.has_more)
    }

    /// What a list holds of what it is narrowed to.
    pub fn items(&self, tab: EventsTab, listing: &Listing) -> Vec<Happened<'_>> {
        match tab {
            EventsTab::History => {
                let all = self.history.now.iter().flat_map(|page| &page.data);
                let own = all.filter(|one| {
                    ["type", "source", "id", "subject"]
                        .iter()
                        .any(|name| listing.holds(attribute(&one.event, name)))
                        || listing.holds(&one.namespace)
                });
                own.map(Happened::Event).collect()
            }
            EventsTab::Listeners => {
                let all = self.listeners.now.iter().flat_map(|page| &page.data);
                let own = all.filter(|one| {
                    let mut types = one.listening_for_event_types.iter();
                    types.any(|kind| listing.holds(kind)) || listing.holds(&one.namespace)
                });
                // The newest first.
                own.rev().map(Happened::Listener).collect()
            }
            EventsTab::Firings => {
                let own = self.firings.iter().filter(|one| {
                    let mut events = one.events.iter();
                    events.any(|event| listing.holds(attribute(event, "type")))
                        || listing.holds(&one.namespace)
                });
                own.map(Happened::Firing).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::EventsMeta;

    fn page(numbers: impl IntoIterator<Item = u64>, has_more: bool) -> EventsAnswer {
        let event = |number: u64| EventAnswer {
            event: json!({"type": "t", "id": number.to_string()}),
            namespace: "ns".to_owned(),
            received_at: String::new(),
            serial_id: number,
            trace: None,
        };
        EventsAnswer {
            meta: EventsMeta {
                previous_page: Some("p".to_owned()),
                starting_from: String::new(),
                has_more,
            },
            data: numbers.into_iter().map(event).collect(),
        }
    }

    fn numbers(happening: &Happening) -> Vec<u64> {
        let page = happening.history.now.as_ref().expect("a page");
        page.data.iter().map(|one| one.serial_id).collect()
    }

    #[test]
    fn pages_of_the_history_become_one_list_without_gaps() {
        let mut happening = Happening::default();
        happening.took(None, Ok(Some(page([9, 8, 7], true))));
        happening.took(Some("p"), Ok(Some(page([6, 5], false))));
        assert_eq!(numbers(&happening), [9, 8, 7, 6, 5]);
        assert_eq!(happening.more(), None);
        happening.took(None, Ok(Some(page([11, 10, 9], true))));
        assert_eq!(numbers(&happening), [11, 10, 9, 8, 7, 6, 5]);
        assert_eq!(happening.more(), None);
        happening.took(None, Ok(Some(page([50, 49, 48], true))));
        assert_eq!(
            numbers(&happening),
            [50, 49, 48],
            "what lies between is not known"
        );
        assert_eq!(happening.more(), Some("p"));
    }
}
