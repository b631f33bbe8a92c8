//! The tables of the engine that ours is after, as it should be; and a model of it in a few lines.

mod power;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot, watch};

use super::book::Book;
use super::engine::{Engine, Pruned, Waiting, Work};
use super::recent::Recent;
use super::registry::Registry;
use super::{
    Action, CloudEvent, ContextFilter, Error, Firing, Listener, NewListener, Options, Trigger,
};
use crate::base::Time;

/// An engine of its own, without a clock.
struct Stage {
    engine: Engine,
    firings: mpsc::UnboundedReceiver<Firing>,
    dir: Option<TempDir>,
}

impl Stage {
    fn new() -> Self {
        Self::open(tempfile::tempdir().expect("a directory"))
    }

    fn open(dir: TempDir) -> Self {
        let book = Book::open(&dir.path().join("events.redb")).expect("a database");
        let mut stage = Self::on(book).expect("an engine");
        stage.dir = Some(dir);
        stage
    }

    fn on(book: Book) -> Result<Self, Error> {
        let registry = Registry::of(book.listeners()?);
        let newest = watch::Sender::new(book.newest()?);
        let (sender, firings) = mpsc::unbounded_channel();
        let engine = Engine {
            book: Arc::new(book),
            registry: Arc::new(Mutex::new(registry)),
            options: Options::default(),
            newest,
            waiting: Waiting::default(),
            firings: sender,
            recent: Recent::default(),
            pruned: Pruned::default(),
        };
        Ok(Self {
            engine,
            firings,
            dir: None,
        })
    }

    /// Goes down and comes up again.
    fn restart(self) -> Self {
        let Self {
            engine,
            firings,
            dir,
        } = self;
        drop((engine, firings));
        Self::open(dir.expect("a directory"))
    }

    fn put(&mut self, listener: &Listener) {
        let (answer, _) = oneshot::channel();
        let listener = Box::new(listener.clone());
        self.engine
            .group(vec![Work::Put { listener, answer }], Time(0));
    }

    /// Several senders at once, each with a batch; what each is answered.
    fn send(&mut self, batches: Vec<Vec<CloudEvent>>, now: Time) -> Vec<Result<u64, Error>> {
        let (works, answers): (Vec<_>, Vec<_>) = batches
            .into_iter()
            .map(|events| {
                let (answer, answered) = oneshot::channel();
                let work = Work::Broadcast {
                    namespace: "ns".to_owned(),
                    events: events.into_iter().map(Arc::new).collect(),
                    due: None,
                    answer,
                };
                (work, answered)
            })
            .unzip();
        self.engine.group(works, now);
        let answered = answers.into_iter();
        answered
            // Where a group fails some are not answered: who asked knows it by that.
            .map(|mut answer| answer.try_recv().unwrap_or(Err(Error::Closed)))
            .collect()
    }

    fn fired(&mut self) -> Vec<Firing> {
        std::iter::from_fn(|| self.firings.try_recv().ok()).collect()
    }
}

fn at(milliseconds: i64) -> Time {
    Time(milliseconds * 1_000_000)
}

/// An event: `type number name=value…`.
fn event(text: &str) -> CloudEvent {
    let mut words = text.split(' ');
    let (kind, number) = (
        words.next().expect("a type"),
        words.next().expect("a number"),
    );
    let mut form = json!({"specversion": "1.0", "id": number, "source": "src/a", "type": kind});
    for word in words {
        let (name, value) = word.split_once('=').expect("name=value");
        form[name] = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
    }
    CloudEvent::of_json(form).expect("an event")
}

/// A listener: `Trigger[type,type] {type name=pattern…} …`, and its lifespan in milliseconds.
fn listener(text: &str, lifespan: u64) -> Listener {
    let (head, filters) = text.split_once(']').expect("a listener");
    let (trigger, types) = head.split_once('[').expect("types");
    let trigger: Trigger = serde_json::from_value(json!(trigger)).expect("a trigger");
    let filter = |text: &str| {
        let mut words = text.trim().trim_end_matches('}').split(' ');
        let kind = words.next().expect("a type").to_owned();
        let context = words.filter_map(|word| word.split_once('='));
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        ContextFilter {
            kind,
            context: context.map(owned).collect(),
        }
    };
    let new = NewListener {
        namespace: "ns".to_owned(),
        trigger,
        types: types.split(',').map(str::to_owned).collect(),
        filters: filters.split('{').skip(1).map(filter).collect(),
        lifespan: (lifespan > 0).then(|| Duration::from_millis(lifespan)),
        action: (!trigger.waits()).then_some(Action::Log { text: None }),
    };
    Listener::new(new, Time(0)).expect("a listener")
}

/// Listeners, what is sent (a batch a call, 40 ms apart), and what fires: of each call the listener and its events.
type Case = (
    &'static str,
    &'static [(&'static str, u64)],
    &'static [&'static [&'static str]],
    &'static [&'static [(usize, &'static str)]],
);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("U1", &[("StartSimple[t] {t ext=one}", 0), ("StartSimple[t] {t ext=two}", 0)],
        &[&["t 1 ext=one"], &["t 2 ext=two"], &["t 3 ext=three"]], &[&[(0, "1")], &[(1, "2")], &[]]),
    ("U2", &[("StartAnd[t,t2] {t2 ext=one}", 0)],
        &[&["t 1"], &["t2 2"], &["t 3 ext=one"], &["t2 4 ext=one"]], &[&[], &[], &[], &[(0, "1 4")]]),
    ("U3", &[("StartSimple[t] {t ext=one}", 0)], &[&["t 1"], &["t 2 ext=one"]], &[&[], &[(0, "2")]]),
    ("U4", &[("StartSimple[t]", 0), ("WaitSimple[w]", 0), ("StartAnd[a,b]", 0)],
        &[&["t 1"], &["w 2"], &["w 3"], &["x 4"], &["a 5"], &["b 6"], &["b 7"], &["a 8"]],
        &[&[(0, "1")], &[(1, "2")], &[], &[], &[], &[(2, "5 6")], &[], &[(2, "7 8")]]),
    ("U5", &[("StartAnd[t,o] {t ext=one} {o ext=two}", 0)],
        &[&["t 1 ext=one"], &["o 2 ext=two"]], &[&[], &[(0, "1 2")]]),
    ("U6", &[("StartSimple[t] {t state=stopped}", 0), ("StartSimple[t] {t state=started}", 0)],
        &[&["t 1 state=stopped"], &["t 2 state=started"]], &[&[(0, "1")], &[(1, "2")]]),
    ("K", &[("StartSimple[t] {t x=some}", 0), ("StartSimple[t] {t x=some y=other}", 0)],
        &[&["t 1 x=some"], &["t 2 x=wrong"], &["t 3 x=some y=other"]], &[&[(0, "1")], &[], &[(0, "3"), (1, "3")]]),
    ("P1", &[("StartOR[a,b]", 0)], &[&["a 1", "b 2"]], &[&[(0, "1"), (0, "2")]]),
    ("P2", &[("StartAnd[a,b]", 0)], &[&["a 1", "b 2"]], &[&[(0, "1 2")]]),
    ("P3", &[("WaitOR[a,b]", 0), ("WaitAnd[a,b]", 0)], &[&["a 1", "b 2"]], &[&[(0, "1"), (1, "1 2")]]),
    ("P4", &[("StartSimple[a]", 0)], &[&["a 1", "a 2"]], &[&[(0, "1"), (0, "2")]]),
    ("P5", &[("WaitSimple[a]", 0)], &[&["a 1", "a 2"]], &[&[(0, "1")]]),
    ("P7", &[("StartAnd[a,b]", 0)], &[&["a 1"], &["a 2"], &["b 3"]], &[&[], &[], &[(0, "1 3")]]),
    ("P8", &[("StartAnd[a,b]", 20)], &[&["a 1"], &["b 2"], &["a 3", "b 4"]], &[&[], &[], &[(0, "3 4")]]),
    ("P9", &[("StartSimple[a] {a k=x} {a k=y}", 0)], &[&["a 1 k=x"], &["a 2 k=y"], &["a 3 k=z"]],
        &[&[(0, "1")], &[(0, "2")], &[]]),
    ("P10", &[("StartSimple[a] {a K=x}", 0)], &[&["a 1 K=x"]], &[&[(0, "1")]]),
    ("P11", &[("StartSimple[a] {a source=src/*}", 0)], &[&["a 1"]], &[&[(0, "1")]]),
    ("P12", &[("StartSimple[a] {a subject=s* type=* id=*}", 0)], &[&["a 1 subject=so"], &["a 2"]], &[&[(0, "1")], &[]]),
    ("P13", &[("StartSimple[a] {a n=5 b=true g=a*c*e}", 0)], &[&["a 1 n=5 b=true g=abcde"]], &[&[(0, "1")]]),
    ("P14", &[("StartSimple[a] {a g=a?c}", 0)], &[&["a 1 g=abc"], &["a 2 g=a?c"]], &[&[], &[(0, "2")]]),
    ("P15", &[("StartSimple[a] {a g=*}", 0), ("StartSimple[a] {a g=}", 0)], &[&["a 1"], &["a 2 g=x"]], &[&[], &[(0, "2")]]),
    ("P18", &[("StartSimple[a]", 0)], &[&[], &["x 1"]], &[&[], &[]]),
];

#[test]
fn the_tables_hold_also_over_restarts() {
    for restarts in [false, true] {
        for (name, listeners, calls, expected) in CASES {
            let mut stage = Stage::new();
            // Made one after the other, they are asked in that order.
            let made: Vec<Listener> = (0..)
                .zip(*listeners)
                .map(|(order, (text, lifespan))| {
                    let mut listener = listener(text, *lifespan);
                    listener.created = order;
                    stage.put(&listener);
                    listener
                })
                .collect();
            for (call, (events, wanted)) in calls.iter().zip(*expected).enumerate() {
                if restarts {
                    stage = stage.restart();
                }
                let batch: Vec<CloudEvent> = events.iter().map(|text| event(text)).collect();
                let now = at(40 * i64::try_from(call).expect("small"));
                let answers = stage.send(vec![batch], now);
                assert!(answers[0].is_ok(), "{name}: {answers:?}");
                let fired: Vec<(usize, String)> = stage
                    .fired()
                    .iter()
                    .map(|firing| {
                        let of = made.iter().position(|one| one.id == firing.listener);
                        let ids: Vec<&str> = firing.events.iter().map(|event| event.id()).collect();
                        (of.expect("one of them"), ids.join(" "))
                    })
                    .collect();
                let wanted: Vec<(usize, String)> = wanted
                    .iter()
                    .map(|(at, ids)| (*at, (*ids).to_owned()))
                    .collect();
                assert_eq!(fired, wanted, "{name}, call {call}, restarts: {restarts}");
            }
        }
    }
}

#[test]
fn what_could_never_fire_is_refused() {
    let new = |trigger, types: &[&str], filters: &[&str], action| NewListener {
        namespace: "ns".to_owned(),
        trigger,
        types: types.iter().map(|kind| (*kind).to_owned()).collect(),
        filters: filters
            .iter()
            .map(|kind| ContextFilter {
                kind: (*kind).to_owned(),
                ..ContextFilter::default()
            })
            .collect(),
        lifespan: None,
        action,
    };
    let log = || Some(Action::Log { text: None });
    for (wrong, word) in [
        (new(Trigger::StartOr, &[], &[], log()), "types"),
        (new(Trigger::StartOr, &[""], &[], log()), "types"),
        // P6: an event of each is held, so two of one can never be.
        (
            new(Trigger::StartAnd, &["a", "a"], &[], log()),
            "each type once",
        ),
        (
            new(Trigger::StartSimple, &["a", "b"], &[], log()),
            "one type",
        ),
        (new(Trigger::StartSimple, &["a"], &["b"], log()), "filters"),
        // P17: nothing would be done.
        (new(Trigger::StartSimple, &["a"], &[], None), "action"),
        (new(Trigger::WaitSimple, &["a"], &[], log()), "action"),
    ] {
        let error = Listener::new(wrong.clone(), Time(0)).expect_err("refused");
        assert!(error.to_string().contains(word), "{wrong:?}: {error}");
    }
}

#[test]
fn a_batch_is_taken_whole_or_not_at_all() {
    let mut stage = Stage::new();
    stage.put(&listener("StartSimple[a]", 0));
    let answers = stage.send(vec![vec![event("a 1")]], at(1));
    assert!(matches!(answers[..], [Ok(1)]));
    assert_eq!(stage.fired().len(), 1);
    let batches = vec![
        vec![event("a 2"), event("a 1")],
        vec![event("a 3"), event("a 3")],
        vec![event("a 2")],
    ];
    let answers = stage.send(batches, at(2));
    assert!(
        matches!(
            &answers[..],
            [
                Err(Error::Duplicate { .. }),
                Err(Error::Duplicate { .. }),
                Ok(1)
            ]
        ),
        "{answers:?}"
    );
    let ids = |stage: &mut Stage| -> Vec<String> {
        let fired = stage.fired().into_iter();
        fired
            .map(|firing| firing.events[0].id().to_owned())
            .collect()
    };
    assert_eq!(ids(&mut stage), ["2"]);
    let mut stage = stage.restart();
    let answers = stage.send(vec![vec![event("a 2")], vec![event("a 3")]], at(3));
    assert!(matches!(
        &answers[..],
        [Err(Error::Duplicate { .. }), Ok(1)]
    ));
    let mut numbers = Vec::new();
    let history = stage.engine.book.older(Some("ns"), u64::MAX, |received| {
        numbers.push((received.number, received.event.id().to_owned()));
        true
    });
    history.expect("read");
    let expected = [(3, "3"), (2, "2"), (1, "1")];
    assert_eq!(
        numbers,
        expected.map(|(number, id)| (number, id.to_owned()))
    );
}

#[test]
fn delayed_events_come_once() {
    let mut stage = Stage::new();
    stage.put(&listener("StartSimple[a]", 0));
    let send = |stage: &mut Stage, due, now| {
        let (answer, mut answered) = oneshot::channel();
        let work = Work::Broadcast {
            namespace: "ns".to_owned(),
            events: vec![Arc::new(event("a 1"))],
            due: Some(due),
            answer,
        };
        stage.engine.group(vec![work], now);
        answered.try_recv().expect("answered")
    };
    assert!(matches!(send(&mut stage, at(100), at(1)), Ok(0)));
    let again = send(&mut stage, at(100), at(2));
    assert!(matches!(again, Err(Error::Duplicate { .. })), "{again:?}");
    let mut stage = stage.restart();
    assert_eq!(stage.engine.book.next_due().expect("read"), Some(at(100)));
    stage.engine.group(Vec::new(), at(99));
    assert_eq!(stage.fired(), []);
    stage.engine.group(Vec::new(), at(100));
    assert_eq!(stage.fired().len(), 1);
    let mut stage = stage.restart();
    stage.engine.group(Vec::new(), at(200));
    assert_eq!(stage.fired(), []);
    assert_eq!(stage.engine.book.newest().expect("read"), 1);
}

#[test]
fn firings_stay_until_they_are_done() {
    let mut stage = Stage::new();
    stage.put(&listener("StartSimple[a]", 0));
    stage.send(vec![vec![event("a 1"), event("a 2")]], at(1));
    let fired = stage.fired();
    let mut stage = stage.restart();
    let kept = stage.engine.book.outbox().expect("read");
    assert_eq!(kept.len(), 2);
    assert!(
        fired.iter().all(|firing| kept.contains(firing)),
        "under the same ids"
    );
    let done = |id: &str, failure: Option<&str>| {
        let (answer, _) = oneshot::channel();
        Work::Done {
            firing: id.to_owned(),
            failure: failure.map(str::to_owned),
            answer,
        }
    };
    let works = vec![
        done(&fired[0].id, None),
        done(&fired[1].id, Some("refused")),
    ];
    stage.engine.group(works, at(2));
    assert_eq!(stage.engine.book.outbox().expect("read"), []);
    let dead = stage.engine.book.dead("ns").expect("read");
    assert_eq!(
        (dead[0].firing.id.as_str(), dead[0].reason.as_str()),
        (fired[1].id.as_str(), "refused")
    );
    let (answer, mut answered) = oneshot::channel();
    let firing = fired[1].id.clone();
    let bury = |namespace: &str, answer| Work::Bury {
        namespace: namespace.to_owned(),
        firing: firing.clone(),
        again: true,
        answer,
    };
    let (elsewhere, mut refused) = oneshot::channel();
    let works = vec![bury("other", elsewhere), bury("ns", answer)];
    stage.engine.group(works, at(3));
    let refused = refused.try_recv().expect("answered");
    assert!(matches!(refused, Err(Error::NoFiring(_))), "{refused:?}");
    answered.try_recv().expect("answered").expect("revived");
    assert_eq!(stage.fired(), [fired[1].clone()]);
}

#[test]
fn the_history_is_bounded_and_what_it_forgot_may_come_again() {
    let mut stage = Stage::new();
    stage.engine.options.history = 10;
    for round in 0..3 {
        let batch = (0..500).map(|n| event(&format!("a {}", round * 500 + n)));
        stage.send(vec![batch.collect()], at(round));
    }
    let mut count = 0;
    let history = stage.engine.book.older(Some("ns"), u64::MAX, |_| {
        count += 1;
        true
    });
    history.expect("read");
    // It is looked at now and then.
    assert!((10..=1_010).contains(&count), "{count}");
    let answers = stage.send(vec![vec![event("a 1")], vec![event("a 1499")]], at(9));
    assert!(
        matches!(&answers[..], [Ok(_), Err(Error::Duplicate { .. })]),
        "{answers:?}"
    );
}

/// What fires, one event after the other.
fn model(listeners: &[Listener], events: &[CloudEvent]) -> Vec<(usize, Vec<String>)> {
    let mut held: Vec<BTreeMap<String, usize>> = vec![BTreeMap::new(); listeners.len()];
    let mut is_over = vec![false; listeners.len()];
    let mut fired = Vec::new();
    for (number, event) in events.iter().enumerate() {
        for (at, listener) in listeners.iter().enumerate() {
            if is_over[at] || !listener.types.iter().any(|kind| kind == event.kind()) {
                continue;
            }
            let numbers = if listener.trigger.collects() {
                held[at].entry(event.kind().to_owned()).or_insert(number);
                if held[at].len() < listener.types.len() {
                    continue;
                }
                let mut numbers: Vec<usize> = std::mem::take(&mut held[at]).into_values().collect();
                numbers.sort_unstable();
                numbers
            } else {
                vec![number]
            };
            is_over[at] = listener.trigger.waits();
            let ids = numbers
                .into_iter()
                .map(|number| events[number].id().to_owned());
            fired.push((at, ids.collect()));
        }
    }
    fired
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_interleaving_fires_as_one_event_after_the_other(
        listeners in prop::collection::vec((0..6_usize, 1..16_usize), 1..8),
        batches in prop::collection::vec((prop::collection::vec(0..4_usize, 0..5), any::<bool>(), any::<bool>()), 1..12),
    ) {
        let triggers = ["StartSimple", "StartOR", "StartAnd", "WaitSimple", "WaitOR", "WaitAnd"];
        let types = ["a", "b", "c", "d"];
        let mut stage = Stage::new();
        let mut made = Vec::new();
        for (order, (trigger, of)) in (0..).zip(listeners) {
            let own: Vec<&str> = (0..4).filter(|bit| of >> bit & 1 == 1).map(|bit| types[bit]).collect();
            let own = if trigger % 3 == 0 { &own[..1] } else { &own[..] };
            let mut listener = listener(&format!("{}[{}]", triggers[trigger], own.join(",")), 0);
            listener.created = order;
            stage.put(&listener);
            made.push(listener);
        }
        let mut all = Vec::new();
        let mut fired = Vec::new();
        let mut group = Vec::new();
        for (kinds, goes_together, restarts) in batches {
            let batch: Vec<CloudEvent> = kinds
                .into_iter()
                .map(|kind| {
                    let event = event(&format!("{} {}", types[kind], all.len()));
                    all.push(event.clone());
                    event
                })
                .collect();
            group.push(batch);
            if goes_together {
                continue;
            }
            let answers = stage.send(std::mem::take(&mut group), at(1));
            prop_assert!(answers.iter().all(Result::is_ok));
            fired.extend(stage.fired());
            if restarts {
                stage = stage.restart();
            }
        }
        stage.send(group, at(2));
        fired.extend(stage.fired());
        let mut names: Vec<&str> = fired.iter().map(|firing| firing.id.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        prop_assert_eq!(names.len(), fired.len(), "each under an id of its own");
        let told: Vec<(usize, Vec<String>)> = fired
            .iter()
            .map(|firing| {
                let of = made.iter().position(|one| one.id == firing.listener).expect("one of them");
                (of, firing.events.iter().map(|event| event.id().to_owned()).collect())
            })
            .collect();
        prop_assert_eq!(told, model(&made, &all));
    }
}

#[test]
fn a_changed_listener_fires_under_new_names_and_only_its_namespace_changes_it() {
    let mut stage = Stage::new();
    let before = listener("StartAnd[a,b]", 0);
    stage.put(&before);
    let change = |stage: &mut Stage, namespace: &str, into: &str| {
        let (answer, mut answered) = oneshot::channel();
        let mut into = listener(into, 0);
        namespace.clone_into(&mut into.namespace);
        let work = Work::Change {
            id: before.id,
            into: Box::new(into),
            answer,
        };
        // Of the same group as an event that it fires with.
        let (sent, _) = oneshot::channel();
        let broadcast = Work::Broadcast {
            namespace: "ns".to_owned(),
            events: vec![Arc::new(event(&format!("a {}", uuid::Uuid::new_v4())))],
            due: None,
            answer: sent,
        };
        stage.engine.group(vec![broadcast, work], at(1));
        answered.try_recv().expect("answered")
    };
    let other = change(&mut stage, "other", "StartSimple[a]");
    assert!(matches!(other, Err(Error::NoListener(_))), "{other:?}");
    // What it holds of types that it still waits for stays.
    let changed = change(&mut stage, "ns", "StartAnd[a,c]").expect("changed");
    assert_eq!((changed.id, changed.awaits()), (before.id, vec!["c"]));
    stage.send(vec![vec![event("c 1")]], at(2));
    change(&mut stage, "ns", "StartSimple[a]").expect("changed");
    stage.send(vec![vec![event("a 2")]], at(3));
    let mut names: Vec<String> = stage.fired().into_iter().map(|firing| firing.id).collect();
    let count = names.len();
    names.dedup();
    assert_eq!((count, names.len()), (2, 2), "{names:?}");
}
