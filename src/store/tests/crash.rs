//! Power cuts: what was acknowledged is there once, what was never sent is not, wherever the cut comes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::faulty::Faulty;
use super::{append, entry, walk};
use crate::entry::Entry;
use crate::query::{Direction, Query};
use crate::store::{Durability, Error, Health, Options, Store};

const DIR: &str = "/log";

fn options() -> Options {
    Options {
        memtable_bytes: 30_000,
        group_rows: 40,
        compaction_bytes: u64::MAX,
        ..Options::default()
    }
}

fn open(disk: &Faulty) -> Result<Store, Error> {
    Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options()).map(|(store, _)| store)
}

/// What was sent, by its text, and whether it was acknowledged.
type Sent = BTreeMap<String, bool>;

/// A life of the log: batches, seals and merges until the power is gone, or it is closed.
fn live(store: &Store, dice: &mut fastrand::Rng, sent: &mut Sent) {
    for _ in 0..dice.u8(2..12) {
        let batch: Vec<Entry> = (0..dice.u8(1..30))
            .map(|kind| Entry {
                text: format!("line {}", sent.len() + usize::from(kind)),
                ..entry(dice.i64(0..1_000), kind)
            })
            .collect();
        sent.extend(batch.iter().map(|entry| (entry.text.clone(), false)));
        let texts: Vec<String> = batch.iter().map(|entry| entry.text.clone()).collect();
        if store.appender().submit(batch).wait().is_ok() {
            sent.extend(texts.into_iter().map(|text| (text, true)));
        }
        match dice.u8(0..6) {
            0 => store.seal(),
            1 => drop(store.compact()),
            _ => {}
        }
    }
    store.close();
}

fn check(store: &Store, sent: &Sent, told: &str) {
    let found = walk(store, &Query::default(), Direction::Newer, 500);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &found {
        *counts.entry(entry.text.as_str()).or_default() += 1;
    }
    for (text, acknowledged) in sent {
        let count = counts.remove(text.as_str()).unwrap_or(0);
        assert!(count <= 1, "{told}: {text:?} is there {count} times");
        assert!(
            count == 1 || !acknowledged,
            "{told}: {text:?} was acknowledged and is gone"
        );
    }
    assert!(counts.is_empty(), "{told}: never sent: {counts:?}");
    let mut positions: Vec<_> = found.iter().map(|entry| entry.position).collect();
    positions.sort_unstable();
    positions.dedup();
    assert_eq!(
        positions.len(),
        found.len(),
        "{told}: a position was given twice"
    );
    assert_eq!(
        store.count(),
        found.len() as u64,
        "{told}: the counts agree with the entries"
    );
}

/// One life, cut; then the next on what is left of the disk, and so on.
fn history(seed: u64, cuts: &[u64]) {
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut disk = Faulty::default();
    let mut sent = Sent::new();
    for cut in cuts {
        let told = format!("history {seed}, power cut after {cut} of {cuts:?} operations");
        disk.cut_after(*cut);
        if let Ok(store) = open(&disk) {
            check(&store, &sent, &told);
            live(&store, &mut dice, &mut sent);
        }
        disk = disk.after_power_cut(&mut dice);
    }
    let store = open(&disk).expect("opened without a power cut");
    check(&store, &sent, &format!("history {seed}, at last"));
    let more = append(&store, vec![entry(1, 1)]);
    assert!(more.iter().all(|entry| entry.position.0 > 0));
}

#[test]
fn power_cuts_after_every_operation_of_a_history() {
    let disk = Faulty::default();
    let store = open(&disk).expect("opened");
    live(&store, &mut fastrand::Rng::with_seed(42), &mut Sent::new());
    let operations = disk.operations();
    assert!(operations > 50, "the history has {operations} operations");
    for cut in 0..operations {
        history(42, &[cut, 1_000]);
    }
}

#[test]
fn a_thousand_random_histories() {
    let mut dice = fastrand::Rng::with_seed(1);
    for seed in 0..1_000 {
        let cuts: Vec<u64> = (0..3).map(|_| dice.u64(0..60)).collect();
        history(seed, &cuts);
    }
}

#[test]
fn a_failed_sync_stops_intake_and_nothing_of_it_comes_back() {
    let disk = Faulty::default();
    let store = open(&disk).expect("opened");
    let all = append(&store, vec![entry(1, 1)]);
    disk.fail_sync();
    assert!(matches!(
        store.appender().submit(vec![entry(2, 2)]).wait(),
        Err(Error::Failed { .. })
    ));
    assert!(matches!(
        store.appender().submit(vec![entry(3, 3)]).wait(),
        Err(Error::Failed { .. })
    ));
    assert!(matches!(store.health(), Health::Failed(_)));
    assert_eq!(
        walk(&store, &Query::default(), Direction::Newer, 10),
        all,
        "reading goes on"
    );
    store.close();
    let store = open(&disk).expect("opened again");
    assert_eq!(walk(&store, &Query::default(), Direction::Newer, 10), all);
    append(&store, vec![entry(4, 4)]);
}

#[test]
fn what_is_synced_at_intervals_is_there_after_one_and_after_closing() {
    let mut dice = fastrand::Rng::with_seed(3);
    for (interval, closed) in [
        (Duration::from_millis(1), false),
        (Duration::from_hours(1), true),
    ] {
        let disk = Faulty::default();
        let options = Options {
            durability: Durability::Interval(interval),
            ..options()
        };
        let (store, _) =
            Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options).expect("opened");
        let all = append(&store, vec![entry(1, 1), entry(2, 2)]);
        if closed {
            assert!(disk.is_unsynced(), "the interval is not over");
            store.close();
        } else {
            let deadline = Instant::now() + Duration::from_mins(1);
            while disk.is_unsynced() {
                assert!(Instant::now() < deadline, "never synced");
                std::thread::yield_now();
            }
        }
        let store = open(&disk.after_power_cut(&mut dice)).expect("opened again");
        assert_eq!(walk(&store, &Query::default(), Direction::Newer, 10), all);
    }
}

#[test]
fn a_full_disk_heals_without_a_restart() {
    let disk = Faulty::default();
    let store = open(&disk).expect("opened");
    let mut all = append(&store, vec![entry(1, 1)]);
    disk.leave_room(Some(70));
    assert!(matches!(
        store
            .appender()
            .submit((0..20).map(|n| entry(2, n)).collect())
            .wait(),
        Err(Error::Full)
    ));
    assert_eq!(store.health(), Health::Full);
    assert_eq!(
        walk(&store, &Query::default(), Direction::Newer, 100),
        all,
        "reading goes on"
    );
    disk.leave_room(None);
    all.extend(append(&store, vec![entry(3, 3)]));
    assert_eq!(store.health(), Health::Good);
    store.close();
    let store = open(&disk).expect("opened again");
    assert_eq!(walk(&store, &Query::default(), Direction::Newer, 100), all);
}
